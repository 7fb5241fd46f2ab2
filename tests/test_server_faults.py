"""Whatever a caller, the poem or the machine does, the server goes on, or says why it cannot."""

import contextlib
import os
import re
import resource
import socket

from tests.case import QUICK_RESOLVER, Case, read_all, reset
from tests.support import SERVER


class Callers(Case):
    """Callers who leave, and the next one, who gets the whole poem."""

    def test_a_caller_who_hangs_up_or_resets(self):
        """During the poem: a line names the caller and the reason, and the next one is served."""
        server = self.server(self.poem_file(1 << 25), "--num-bytes", "1000000", "--delay", "0")
        for hang_up in (socket.socket.close, reset):
            caller = self.call(server.port)
            name = re.escape(str(caller.getsockname()))
            caller.recv(1)
            hang_up(caller)
            server.wait_for(f"^No more poetry for {name}: (Broken pipe|Connection reset by peer)$")
            self.assertEqual(len(read_all(self.call(server.port))), 1 << 25)


class PoemFile(Case):
    """The poem's file, while the server runs."""

    def test_a_file_that_cannot_be_opened_any_more(self):
        """A line says so, this caller gets nothing, and an edited poem is served to the next."""
        path = self.poem_file(b"a poem")
        server = self.server(path, "--delay", "0")
        os.remove(path)
        caller = self.call(server.port)
        name = re.escape(str(caller.getsockname()))
        self.assertEqual(read_all(caller), b"")
        server.wait_for(f"^No more poetry for {name}: No such file or directory$")
        with open(path, "wb") as file:
            file.write(b"a poem again")
        self.assertEqual(read_all(self.call(server.port)), b"a poem again")


class Machine(Case):
    """What the machine does not grant."""

    def test_a_port_or_an_address_on_which_it_cannot_listen(self):
        """One line, in the words of create_server(), names both and the reason; the status is 1."""
        _, taken = self.closed_port()
        for iface, port, reason in (
                ("localhost", taken, "Address already in use"),
                ("192.0.2.1", 65535, "Cannot assign requested address"),
                ("no-such-host.invalid", 0, "[A-Z][a-z ]+ (not known|in name resolution)"),
                ("::1", 0, "Address family for hostname not supported")):
            with self.subTest(iface):
                server = self.program(SERVER, "--iface", iface, "--port", str(port),
                                      "poetry/science.txt", prefix=QUICK_RESOLVER)
                asked = re.escape(str((iface, port)))
                self.assertEnded(server, 1, rf"slowpoetry\.py: {reason} \(.* {asked}\)")
                self.assertEqual(server.stdout, [])

    def test_a_full_descriptor_table(self):
        """None for the file, the sixth: this caller gets nothing. None for a caller: it ends."""
        server = self.server("poetry/science.txt", "--delay", "0")
        self.assertEqual(len(read_all(self.call(server.port))), 653)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (5, 5))
        self.assertEqual(read_all(self.call(server.port)), b"")
        server.wait_for("^No more poetry for .*: Too many open files$")
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (4, 4))
        with contextlib.suppress(ConnectionError):  # the accept() under way has its descriptor
            self.call(server.port)
            self.call(server.port)
        self.assertEqual(server.wait(), 1, server)
        self.assertEqual(server.stderr, ["slowpoetry.py: Too many open files"])
