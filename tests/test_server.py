"""The slow poetry server does what the tutorial's section "Slow Poetry" says."""

import time
import unittest

from case import Case, poem_bytes, read_all
from support import SERVER


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
        self.assertEqual(read_all(caller), poem_bytes("ecstasy.txt"))
        self.assertEqual(server.stdout[0], f"Serving poetry/ecstasy.txt on port {server.port}.")
        self.assertServed(server, caller, sizes=[30] * 100 + [3])

    def test_by_default_it_sends_10_bytes_every_tenth_of_a_second(self):
        """39 bytes are four sends, with a tenth of a second after each, the last one too."""
        server = self.server(self.poem(b"x" * 39))
        start = time.monotonic()
        caller = self.call(server.port)
        read_all(caller)
        self.assertGreaterEqual(time.monotonic() - start, 0.4)
        self.assertServed(server, caller, sizes=[10, 10, 10, 9])

    def test_50_bytes_every_5_seconds(self):
        """The tutorial's second command: the first 50 bytes come before the first pause."""
        server = self.server("poetry/ecstasy.txt", "--num-bytes", "50", "--delay", "5")
        caller = self.call(server.port)
        self.assertEqual(caller.recv(4096), poem_bytes("ecstasy.txt")[:50])
        self.assertServed(server, caller, sizes=[50])

    def test_by_default_the_port_is_a_random_free_one(self):
        """Two servers without --port both listen, on different ports."""
        servers = [self.server("poetry/science.txt") for _ in range(2)]
        self.assertNotEqual(servers[0].port, servers[1].port)

    def test_the_same_port_can_be_used_again_at_once(self):
        """A restart on the same port works, although the server was the side that closed."""
        first = self.server("poetry/science.txt", "--delay", "0")
        read_all(self.call(first.port))
        first.interrupt()
        again = self.server("poetry/science.txt", "--port", str(first.port))
        self.assertEqual(again.port, first.port)

    def test_options_stand_before_or_after_the_file(self):
        """Both orders of the tutorial's commands work alike."""
        options = ("--num-bytes", "400", "--delay", "0")
        for args in (("poetry/science.txt", *options), (*options, "poetry/science.txt")):
            with self.subTest(args):
                server = self.program(SERVER, *args)
                caller = self.call(server.wait_for(r"port ([0-9]+)\.")[1])
                self.assertEqual(read_all(caller), poem_bytes("science.txt"))
                self.assertServed(server, caller, sizes=[400, 253])

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
        server = self.server(self.poem(1 << 25), "--num-bytes", "1000000", "--delay", "0")
        callers = [self.call(server.port) for _ in range(3)]
        server.wait_for("^Sending")
        for caller in callers:
            self.assertEqual(len(read_all(caller)), 1 << 25)
        self.assertServed(server, *callers, sizes=[1000000] * 33 + [554432])

    def test_any_file_is_a_poem(self):
        """The bytes go out as they are: not text, none at all, or cut inside a character."""
        for content in (bytes(range(256)) * 2, b"", b"\r\n\x1a\xff\xfe", "’".encode() * 3):
            with self.subTest(content[:8]):
                server = self.server(self.poem(content), "--num-bytes", "1", "--delay", "0")
                caller = self.call(server.port)
                self.assertEqual(read_all(caller), content)
                self.assertServed(server, caller, sizes=[1] * len(content))

    def test_each_caller_gets_the_poem_as_it_is_now(self):
        """An edited poem is served from the next caller on."""
        path = self.poem(b"first draft")
        server = self.server(path, "--delay", "0")
        self.assertEqual(read_all(self.call(server.port)), b"first draft")
        with open(path, "wb") as file:
            file.write(b"second thoughts")
        self.assertEqual(read_all(self.call(server.port)), b"second thoughts")

    def test_a_poem_of_any_size_costs_no_more_memory_than_a_send(self):
        """400 MiB, 1 MiB a send: the server never holds 60 MiB."""
        server = self.server(self.poem(400 << 20), "--num-bytes", "1048576", "--delay", "0")
        caller = self.call(server.port)
        buffer = bytearray(1 << 20)
        received = 0
        while num_bytes := caller.recv_into(buffer):
            received += num_bytes
        self.assertEqual(received, 400 << 20)
        with open(f"/proc/{server.process.pid}/status") as status:
            peak = next(line for line in status if line.startswith("VmHWM:"))
        self.assertLess(int(peak.split()[1]), 60 << 10)  # in KiB


if __name__ == "__main__":
    unittest.main()
