"""The slow poetry server does what the tutorial's section "Slow Poetry" says."""

import time

from tests.case import Case, our_poem, read_all
from tests.support import SERVER


class SlowPoetry(Case):
    """One server, called by one or more callers."""

    def assertServed(self, server, *callers, sizes):
        """Stop the server and check its lines: each caller was sent chunks of these sizes."""
        self.assertInterrupted(server)
        self.assertEqual(server.stdout[1:], [line for caller in callers for line in (
            f"Somebody at {caller.getsockname()} wants poetry!",
            *(f"Sending {size} bytes" for size in sizes))])

    def test_the_poem_comes_whole_and_then_the_connection_is_closed(self):
        """The caller sees the end of it, and the server's lines are those of the tutorial."""
        server = self.server("poetry/ecstasy.txt", "--num-bytes", "30", "--delay", "0")
        caller = self.call(server.port)
        self.assertEqual(read_all(caller), our_poem("ecstasy.txt"))
        self.assertEqual(server.stdout[0], f"Serving poetry/ecstasy.txt on port {server.port}.")
        self.assertServed(server, caller, sizes=[30] * 100 + [3])

    def test_by_default_it_sends_10_bytes_every_tenth_of_a_second(self):
        """39 bytes are four sends, with a tenth of a second after each, the last one too."""
        server = self.server(self.poem_file(b"x" * 39))
        start = time.monotonic()
        caller = self.call(server.port)
        read_all(caller)
        self.assertGreaterEqual(time.monotonic() - start, 0.4)
        self.assertServed(server, caller, sizes=[10, 10, 10, 9])

    def test_50_bytes_and_a_long_delay(self):
        """As in the tutorial's second command, the options come first: 50 bytes before a pause."""
        server = self.program(SERVER, "--num-bytes", "50", "--delay", "100", "poetry/ecstasy.txt")
        caller = self.call(server.wait_for(r"port ([0-9]+)\.$")[1])
        self.assertEqual(caller.recv(4096), our_poem("ecstasy.txt")[:50])
        self.assertServed(server, caller, sizes=[50])

    def test_the_same_port_can_be_used_again_immediately(self):
        """A restart on the same port works, although the server was the side that closed."""
        first = self.server("poetry/science.txt", "--delay", "0")
        read_all(self.call(first.port))
        self.assertInterrupted(first)
        again = self.server("poetry/science.txt", "--port", str(first.port))
        self.assertEqual(again.port, first.port)

    def test_it_listens_on_the_loopback_interface_unless_told_otherwise(self):
        """Only localhost can call, until --iface names another interface."""
        server = self.server("poetry/science.txt")
        self.call(server.port, "localhost")
        with self.assertRaises(ConnectionRefusedError):
            self.call(server.port, "127.0.0.2")
        other = self.server("poetry/science.txt", "--iface", "127.0.0.2")
        self.call(other.port, "127.0.0.2")
        with self.assertRaises(ConnectionRefusedError):
            self.call(other.port, "127.0.0.1")

    def test_while_it_serves_one_all_others_wait(self):
        """The second caller does not get even the first line before the first has it all.

        The poem is larger than the buffers, so the first turn lasts until the first caller reads.
        """
        server = self.server(self.poem_file(1 << 25), "--num-bytes", "1000000", "--delay", "0")
        callers = [self.call(server.port) for _ in range(3)]
        server.wait_for("^Sending")
        for caller in callers:
            self.assertEqual(len(read_all(caller)), 1 << 25)
        self.assertServed(server, *callers, sizes=[1000000] * 33 + [554432])

    def test_two_hundred_callers_wait_in_the_queue(self):
        """Each is connected while somebody else is served; the usual queue has room for 128."""
        server = self.server("poetry/science.txt", "--delay", "100")
        for _ in range(200):
            self.call(server.port)
        server.wait_for("^Sending 10 bytes$")
        self.assertEqual(len(server.stdout), 3)

    def test_any_file_is_a_poem(self):
        """The bytes go out as they are: not text, none at all, or cut inside a character."""
        for content in (bytes(range(256)) * 2, b"", b"\r\n\x1a\xff\xfe", "’".encode() * 3):
            with self.subTest(content[:8]):
                server = self.server(self.poem_file(content), "--num-bytes", "1", "--delay", "0")
                caller = self.call(server.port)
                self.assertEqual(read_all(caller), content)
                self.assertServed(server, caller, sizes=[1] * len(content))
