"""Whatever a caller, the poem file or the machine does, the server serves the next caller or says why not."""

import contextlib
import os
import re
import resource
import select
import socket
import time
import unittest

from case import Case, read_all, reset
from support import SERVER

BIG = bytes(range(256)) * (1 << 17)  # 32 MiB, more than all buffers between a server and a caller who does not read


class Callers(Case):
    """Callers who misbehave, and the next one, who gets the whole poem."""

    def assertServesTheNext(self, server, poem):
        """Call the server as one should."""
        self.assertEqual(read_all(self.call(server.port)), poem)
        self.assertIsNone(server.process.poll())
        self.assertEqual(server.stderr, [])

    def test_a_caller_who_hangs_up_or_resets(self):
        """Before, during or after the poem: a line names the caller if a send fails, the next one is served."""
        poem = b"0123456789" * 20
        server = self.server(self.poem(poem), "--delay", "0.005")
        told = {}
        for num_bytes in (0, 1, 200):
            for hang_up in (socket.socket.close, reset):
                caller = self.call(server.port)
                told[str(caller.getsockname())] = num_bytes < 200
                received = 0
                while received < num_bytes:
                    received += len(caller.recv(num_bytes - received))
                hang_up(caller)
                self.assertServesTheNext(server, poem)
        server.interrupt()
        for name, expected in told.items():
            line = re.compile(f"Somebody at {re.escape(name)} takes no more poetry: .*(Broken pipe|reset by peer)")
            self.assertEqual(len(list(filter(line.fullmatch, server.stdout))), expected, server)

    def test_a_caller_who_sends_bytes_loses_no_poetry(self):
        """What a caller types is ignored: the poem comes whole and ends with an end, not with a reset."""
        poem = bytes(1 << 19)
        server = self.server(self.poem(poem), "--delay", "0", "--num-bytes", "65536")
        caller = self.call(server.port)
        caller.sendall(b"GET / HTTP/1.0\r\n\r\n" * 1000)
        self.assertServesTheNext(server, poem)
        self.assertEqual(read_all(caller), poem)

    def test_a_caller_who_never_reads_and_one_who_reads_slowly(self):
        """Who takes nothing for SEND_TIMEOUT seconds, here half a second, is given up; who takes a little, never."""
        with open(SERVER) as file:
            source = file.read()
        self.assertIn("\nSEND_TIMEOUT = 10 ", source)
        script = self.poem(source.replace("\nSEND_TIMEOUT = 10 ", "\nSEND_TIMEOUT = 0.5 ").encode(), "slowpoetry.py")
        server = self.program(script, self.poem(BIG), "--num-bytes", str(len(BIG)), "--delay", "0")
        server.port = int(server.wait_for(r"port ([0-9]+)\.$")[1])
        caller = self.call(server.port)
        name = re.escape(str(caller.getsockname()))
        server.wait_for(f"^Somebody at {name} takes no more poetry: timed out$")
        caller = self.call(server.port)
        start, received = time.monotonic(), 0
        while time.monotonic() < start + 0.8:
            received += len(caller.recv(1 << 20))
            select.select([], [], [], 0.1)
        self.assertEqual(received + len(read_all(caller)), len(BIG))
        self.assertServesTheNext(server, BIG)


class Poem(Case):
    """The poem file, while the server runs."""

    def test_a_poem_that_cannot_be_opened_any_more(self):
        """Gone, a directory, a named pipe: that caller is hung up on, stderr says why, and the server goes on."""
        path = self.poem(b"a poem")
        server = self.server(path, "--delay", "0")
        with open(path, "rb") as file:
            poem = file.read()
        for put, reason in ((lambda path: None, "No such file or directory"),
                            (os.mkdir, "is a directory, a pipe or a device"),
                            (os.mkfifo, "is a directory, a pipe or a device")):
            with self.subTest(reason):
                os.rename(path, path + ".away")
                put(path)
                caller = self.call(server.port)
                name = re.escape(str(caller.getsockname()))
                self.assertEqual(read_all(caller), b"")
                server.wait_for(f"^No poetry for {name}: .*{reason}", stream="stderr")
                with contextlib.suppress(FileNotFoundError):
                    os.rmdir(path) if os.path.isdir(path) else os.remove(path)
                os.rename(path + ".away", path)
                self.assertEqual(read_all(self.call(server.port)), poem)


class Machine(Case):
    """What the machine does not grant."""

    def test_a_port_or_an_interface_that_cannot_be_had(self):
        """One line names both and the reason, and the status is 1."""
        _, taken = self.peer()
        for iface, port, reason in (
                ("127.0.0.1", taken, "Address already in use.*"),
                ("localhost", taken, "Address already in use.*"),
                ("192.0.2.1", 0, "Cannot assign requested address.*"),
                ("no-such-host.invalid", 0, "(Name or service not known|Temporary failure in name resolution)"),
                ("x" * 70, 0, ".*label.* too long.*"),
                ("a..b", 0, ".*label.* empty.*"),
                ("::1", 0, "Address family for hostname not supported")):
            with self.subTest(iface):
                server = self.program(SERVER, "--iface", iface, "--port", str(port), "poetry/science.txt",
                                      prefix=("env", "RES_OPTIONS=timeout:1 attempts:1"))
                self.assertEnded(server, 1, rf"slowpoetry\.py: cannot listen on {re.escape(iface)}:{port}: {reason}")
                self.assertEqual(server.stdout, [])

    def test_a_full_descriptor_table(self):
        """Without one for the poem that caller goes without; without one for a caller there is nothing to do."""
        server = self.server("poetry/science.txt", "--delay", "0")
        self.assertEqual(len(read_all(self.call(server.port))), 653)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (5, 5))
        self.assertEqual(read_all(self.call(server.port)), b"")
        server.wait_for("^No poetry for .*Too many open files", stream="stderr")
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (4, 4))
        with contextlib.suppress(ConnectionError):  # the accept() under way may have its descriptor already
            self.call(server.port)
            self.call(server.port)
        self.assertEqual(server.wait(), 1, server)
        self.assertRegex(server.stderr[-1], r"^slowpoetry\.py: .*Too many open files$")
        self.assertNotIn("Traceback", "\n".join(server.stderr))


if __name__ == "__main__":
    unittest.main()
