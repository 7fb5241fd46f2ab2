"""The slow poetry server does what the tutorial's section "Slow Poetry" says."""

import select
import time
import unittest

from case import Case, poem_bytes, read_all
from support import DEADLINE, SERVER


class SlowPoetry(Case):
    """One server, called by one or more callers."""

    def assertServed(self, server, *callers, sizes):
        """Stop the server and check its lines: each caller was sent chunks of these sizes, in turn."""
        self.assertEqual(server.interrupt(), 130)
        self.assertEqual(server.stderr, [])
        self.assertEqual(server.stdout[1:], [
            line for caller in callers for line in (
                f"Somebody at {caller.getsockname()} wants poetry!", *(f"Sending {size} bytes" for size in sizes))])

    def test_it_serves_the_whole_poem_and_closes(self):
        """Once the complete poem has been sent, the server closes the connection; every line is the tutorial's."""
        server = self.server("poetry/ecstasy.txt", "--num-bytes", "30", "--delay", "0")
        caller = self.call(server.port)
        self.assertEqual(read_all(caller), poem_bytes("ecstasy.txt"))
        self.assertEqual(server.stdout[0], f"Serving poetry/ecstasy.txt on port {server.port}.")
        self.assertServed(server, caller, sizes=[30] * 100 + [3])

    def test_the_default_is_10_bytes_every_tenth_of_a_second(self):
        """39 bytes take four sends, and longer than with half that delay, shorter than with twice."""
        poem = self.poem(b"x" * 39)
        servers = [self.server(poem, *delay) for delay in ((), ("--delay", "0.05"), ("--delay", "0.2"))]
        callers = [self.call(server.port) for server in servers]
        start = time.monotonic()
        ended = []
        while len(ended) < 3:
            for caller in select.select([c for c in callers if c not in ended], [], [], DEADLINE)[0]:
                if not caller.recv(4096):
                    ended.append(caller)
                    if caller is callers[0]:
                        self.assertGreater(time.monotonic() - start, 0.3)
        self.assertEqual([callers.index(caller) for caller in ended], [1, 0, 2])
        self.assertServed(servers[0], callers[0], sizes=[10, 10, 10, 9])

    def test_50_bytes_every_5_seconds(self):
        """The tutorial's second command: 50 bytes come, and then nothing for long."""
        server = self.server("poetry/ecstasy.txt", "--num-bytes", "50", "--delay", "5")
        caller = self.call(server.port)
        self.assertEqual(caller.recv(4096), poem_bytes("ecstasy.txt")[:50])
        self.assertEqual(select.select([caller], [], [], 0.3)[0], [])
        self.assertServed(server, caller, sizes=[50])

    def test_it_sleeps_after_the_last_send_too(self):
        """101 chunks take 101 delays: the end of the poem comes one delay after its last bytes."""
        server = self.server(self.poem(b"short"), "--delay", "0.5")
        caller = self.call(server.port)
        self.assertEqual(caller.recv(4096), b"short")
        self.assertEqual(select.select([caller], [], [], 0.1)[0], [])
        self.assertEqual(caller.recv(4096), b"")

    def test_by_default_the_port_is_a_random_free_one(self):
        """Two servers without --port both listen, on different ports."""
        servers = [self.server("poetry/science.txt") for _ in range(2)]
        self.assertNotEqual(servers[0].port, servers[1].port)

    def test_the_same_port_can_be_used_again_at_once(self):
        """A restart on the same port works, although the server was the side that closed."""
        first = self.server("poetry/science.txt", "--delay", "0", "--num-bytes", "1000")
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
                caller = self.call(int(server.wait_for(r"port ([0-9]+)\.")[1]))
                self.assertEqual(read_all(caller), poem_bytes("science.txt"))
                self.assertServed(server, caller, sizes=[400, 253])

    def test_it_listens_on_the_loopback_interface_unless_told_otherwise(self):
        """localhost alone can call, until --iface names another interface."""
        server = self.server("poetry/science.txt")
        self.call(server.port, "localhost")
        with self.assertRaises(ConnectionRefusedError):
            self.call(server.port, "127.0.0.2")
        other = self.server("poetry/science.txt", "--iface", "127.0.0.2")
        self.call(other.port, "127.0.0.2")
        with self.assertRaises(ConnectionRefusedError):
            self.call(other.port, "127.0.0.1")

    def test_while_it_serves_one_all_others_wait(self):
        """The second caller does not get even the first line before the first has it all."""
        server = self.server("poetry/science.txt", "--delay", "0.002", "--num-bytes", "20")
        callers = [self.call(server.port) for _ in range(3)]
        self.assertEqual([read_all(caller) for caller in callers], [poem_bytes("science.txt")] * 3)
        self.assertServed(server, *callers, sizes=[20] * 32 + [13])

    def test_any_file_is_a_poem(self):
        """The bytes go out as they are: not text, none at all, or cut inside a character."""
        for content in (bytes(range(256)) * 3, b"", b"\r\n\x1a\xff\xfe", poem_bytes("fascination.txt")):
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


if __name__ == "__main__":
    unittest.main()
