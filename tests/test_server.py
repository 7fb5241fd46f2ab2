"""The slow poetry server does what the tutorial says; when something goes wrong, it goes on."""

import os
import re
import socket
import time

from tests.support import ECSTASY, SCIENCE, SERVER, Case, read_all

LARGE = bytes(1 << 25)  # more than the buffers between a server and its client take


class SlowPoetry(Case):
    """One server, called by one or more callers."""

    def assertServed(self, server, *callers, sizes):
        """Check the server's lines: each caller was sent chunks of these sizes."""
        self.assertEqual(self.served(server), [line for caller in callers for line in (
            f"Somebody at {caller.getsockname()} wants poetry!",
            *(f"Sending {size} bytes" for size in sizes))])

    def test_the_poem_comes_whole_and_then_the_connection_is_closed(self):
        """The caller sees its end, and the server's lines are those of the tutorial."""
        server = self.server(ECSTASY, "--num-bytes", "30", "--delay", "0")
        self.assertEqual(server.printed, [f"Serving {ECSTASY} on port {server.port}."])
        caller = self.call(server.port)
        self.assertEqual(len(read_all(caller)), 3003)
        self.assertServed(server, caller, sizes=[30] * 100 + [3])

    def test_by_default_it_sends_10_bytes_every_tenth_of_a_second(self):
        """39 bytes are four sends, with a tenth of a second after each, the last one too."""
        server = self.server(self.poem_file(b"x" * 39))
        start = time.monotonic()
        caller = self.call(server.port)
        read_all(caller)
        self.assertGreaterEqual(time.monotonic() - start, 0.4)
        self.assertServed(server, caller, sizes=[10, 10, 10, 9])

    def test_the_same_port_can_be_used_again_immediately(self):
        """A restart on the same port works, although the server was the side that closed."""
        first = self.server(SCIENCE, "--delay", "0")
        read_all(self.call(first.port))
        first.close()
        self.assertEqual(self.server(SCIENCE, "--port", first.port).port, first.port)

    def test_it_listens_on_the_loopback_interface_unless_told_otherwise(self):
        """Only localhost can call, until --iface names another interface."""
        server = self.server(SCIENCE)
        self.call(server.port, "localhost")
        with self.assertRaises(ConnectionRefusedError):
            self.call(server.port, "127.0.0.2")
        other = self.server(SCIENCE, "--iface", "127.0.0.2")
        self.call(other.port, "127.0.0.2")
        with self.assertRaises(ConnectionRefusedError):
            self.call(other.port, "127.0.0.1")

    def test_while_it_serves_one_all_others_wait(self):
        """The second caller does not get even the first line before the first has it all."""
        server = self.server(self.poem_file(LARGE), "--num-bytes", "1000000", "--delay", "0")
        callers = [self.call(server.port) for _ in range(3)]
        server.wait_for("^Sending")
        for caller in callers:
            self.assertTrue(read_all(caller) == LARGE)
        self.assertServed(server, *callers, sizes=[1000000] * 33 + [554432])

    def test_two_hundred_callers_wait_in_the_queue(self):
        """Each is connected while somebody else is served; the usual queue has room for 128."""
        server = self.server(SCIENCE, "--delay", "100")
        for _ in range(200):
            self.call(server.port)
        server.wait_for("^Sending 10 bytes$")
        self.assertEqual(len(server.printed), 3)

    def test_any_file_is_a_poem(self):
        """The bytes go out as they are: not text, none at all, or cut inside a character."""
        for content in (bytes(range(256)) * 2, b"", b"\r\n\x1a\xff\xfe", "’".encode() * 3):
            with self.subTest(content[:8]):
                server = self.server(self.poem_file(content), "--num-bytes", "1", "--delay", "0")
                caller = self.call(server.port)
                self.assertEqual(read_all(caller), content)
                self.assertServed(server, caller, sizes=[1] * len(content))


class Faults(Case):
    """What callers, files and the machine do."""

    def test_a_caller_who_hangs_up_or_resets(self):
        """During the poem: a line names the caller and the reason, and the next one is served."""
        server = self.server(self.poem_file(LARGE), "--num-bytes", "1000000", "--delay", "0")
        for hang_up in (socket.socket.close, self.reset):
            caller = self.call(server.port)
            name = re.escape(str(caller.getsockname()))
            caller.recv(1)
            hang_up(caller)
            server.wait_for(f"^No more poetry for {name}: (Broken pipe|Connection reset by peer)$")
            self.assertTrue(read_all(self.call(server.port)) == LARGE)

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

    def test_a_port_or_an_address_on_which_it_cannot_listen(self):
        """One line, in the words of create_server(), names both and the reason; the status is 1."""
        taken = self.server(SCIENCE).port
        for iface, port, reason in (
                ("localhost", taken, "Address already in use"),
                ("192.0.2.1", 65535, "Cannot assign requested address"),
                ("no-such-host.invalid", 0, "[A-Z][a-z ]+ (not known|in name resolution)"),
                ("::1", 0, "Address family for hostname not supported")):
            with self.subTest(iface):
                server = self.script(SERVER, "--iface", iface, "--port", port, SCIENCE)
                asked = re.escape(str((iface, port)))
                self.assertEnded(server, 1, rf"slowpoetry\.py: {reason} \(.* {asked}\)")
                self.assertEqual(server.printed, [])
