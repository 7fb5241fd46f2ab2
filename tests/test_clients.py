"""The two clients do what the tutorial says of them, and differ where it says they do."""

import ast
import contextlib
import io
import re
import select
import shutil
import socket
import tempfile
import unittest
from datetime import timedelta
from unittest import mock

from case import CLIENTS, SCRIPTS, Case, load, poem_bytes, read
from figures import parse_duration
from support import DEADLINE, SERVER, SESSION

DURATION = r"[0-9]+:[0-9]{2}:[0-9]{2}(?:\.[0-9]{6})?"
SIZES = (3003, 623, 653)


class Session(Case):
    """The tutorial's session with its three servers, thirty times as fast."""

    def setUp(self):
        self.ports = [self.server(*settings, "--delay", "0.003").port for settings in SESSION]

    def durations(self, client):
        """Return the times a client has printed."""
        return [parse_duration(line.split(" in ")[1]) for line in client.stdout if " in " in line]

    def test_the_blocking_client_prints_the_tutorials_lines(self):
        """Seven of them; the tasks' times add up to the total, to the last digit."""
        client = self.client("blocking", *self.ports)
        self.assertEnded(client, 0)
        expected = []
        for task_num, (port, size) in enumerate(zip(self.ports, SIZES), 1):
            expected.append(f"Task {task_num}: get poetry from: 127.0.0.1:{port}")
            expected.append(f"Task {task_num}: got {size} bytes of poetry from 127.0.0.1:{port} "
                            "in DURATION")
        expected.append("Got 3 poems in DURATION")
        lines = [re.sub(f" in {DURATION}$", " in DURATION", line) for line in client.stdout]
        self.assertEqual(lines, expected)
        *tasks, total = [timedelta(seconds=seconds) for seconds in self.durations(client)]
        self.assertEqual(sum(tasks, timedelta()), total)
        for task, chunks in zip(tasks, (101, 63, 66)):
            self.assertTrue(chunks * 0.003 <= task.total_seconds() < DEADLINE, task)

    def test_the_async_client_prints_the_tutorials_lines(self):
        """Each task's bytes add up, it finishes once, and the sizes come in the tasks' order."""
        client = self.client("async", *self.ports)
        self.assertEnded(client, 0)
        *progress, size_1, size_2, size_3, total = client.stdout
        for task_num, (port, size) in enumerate(zip(self.ports, SIZES), 1):
            *got, finished = [line for line in progress if line.startswith(f"Task {task_num}")]
            pattern = f"Task {task_num}: got ([0-9]+) bytes of poetry from 127.0.0.1:{port}"
            self.assertEqual(sum(int(re.fullmatch(pattern, line)[1]) for line in got), size)
            self.assertEqual(finished, f"Task {task_num} finished")
        self.assertEqual([size_1, size_2, size_3], [
            "Task 1: 3003 bytes of poetry", "Task 2: 623 bytes of poetry",
            "Task 3: 653 bytes of poetry"])
        self.assertRegex(total, f"^Got 3 poems in {DURATION}$")
        self.assertTrue(101 * 0.003 <= self.durations(client)[0] < DEADLINE, total)


class BothClients(Case):
    """What the two have in common."""

    def test_an_address_may_be_a_port_alone(self):
        """No hostname means 127.0.0.1; addresses are printed as they were asked for."""
        for kind in CLIENTS:
            with self.subTest(kind):
                port = self.poet()
                client = self.client(kind, port, f":{port}", f"127.0.0.1:{port}",
                                     f"localhost:{port}")
                self.assertEnded(client, 0)
                got = [line.split(" in ")[0] for line in client.stdout if ": got" in line]
                self.assertEqual(sorted(got), [
                    f"Task {task_num}: got 4 bytes of poetry from {host}:{port}" for task_num, host
                    in enumerate(["127.0.0.1", "127.0.0.1", "127.0.0.1", "localhost"], 1)])

    def test_poems_are_bytes(self):
        """The number printed is bytes, not characters, however the poem is cut."""
        for kind in CLIENTS:
            with self.subTest(kind):
                server = self.server("poetry/fascination.txt", "--num-bytes", "7", "--delay", "0")
                client = self.client(kind, server.port)
                self.assertEnded(client, 0)
                self.assertRegex("\n".join(client.stdout), "Task 1: (got )?623 bytes of poetry")

    def test_get_poetry_returns_the_poem(self):
        """The blocking one a poem from an address, the async one all of them from sockets."""
        poems = [bytes(range(256)) * 2000, "’".encode(), b""]
        addresses = [("127.0.0.1", self.poet(poem)) for poem in poems]
        blocking, asynchronous = (load(CLIENTS[kind]) for kind in ("blocking", "async"))
        self.assertEqual([blocking.get_poetry(address) for address in addresses], poems)
        sockets = {asynchronous.connect(address): (task_num, address)
                   for task_num, address in enumerate(addresses, 1)}
        asked = dict(sockets)
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(asynchronous.get_poetry(sockets), dict(enumerate(poems, 1)))
        self.assertEqual(sockets, asked)  # the caller's dictionary is left as it was
        self.assertEqual([sock.fileno() for sock in sockets], [-1] * 3)

    def test_an_empty_poem_is_a_poem(self):
        """A server that closes at once has sent a poem of 0 bytes."""
        for kind, lines in (("blocking", ["Task 1: get poetry from: A", "Task 1: got 0 bytes of "
                                          "poetry from A in T", "Got 1 poems in T"]),
                            ("async", ["Task 1 finished", "Task 1: 0 bytes of poetry",
                                       "Got 1 poems in T"])):
            with self.subTest(kind):
                port = self.poet(b"")
                client = self.client(kind, port)
                self.assertEnded(client, 0)
                printed = "\n".join(client.stdout).replace(f"127.0.0.1:{port}", "A")
                self.assertEqual(re.sub(DURATION, "T", printed).split("\n"), lines)

    def test_each_script_stands_alone(self):
        """A copy of the one file runs anywhere, without our directory or anybody's packages."""
        port = self.poet()
        for script in SCRIPTS:
            with self.subTest(script), tempfile.TemporaryDirectory() as directory:
                copy = shutil.copy(script, directory)
                args = [self.poem(b"poem")] if script == SERVER else [port]
                program = self.program(copy, *args, flags=("-I",), cwd=directory)
                if script == SERVER:
                    program.wait_for("^Serving")
                else:
                    self.assertEnded(program, 0)

    def test_what_is_not_about_blocking_is_the_same_text_in_both(self):
        """diff shows the lesson and nothing else; what both have stands in the same order."""
        blocking, asynchronous = (read(CLIENTS[kind]) for kind in ("blocking", "async"))
        for source in (blocking, asynchronous):
            names = [node.name for node in ast.parse(source).body
                     if isinstance(node, ast.FunctionDef)]
            self.assertEqual(names[-5:], ["main", "parse_args", "parse_address", "format_address",
                                          "report_failure"])
        self.assertEqual(*(source[source.index("def parse_args"):]
                           for source in (blocking, asynchronous)))


class BlockingClient(Case):
    """It does one task after the other."""

    def test_it_waits_for_a_whole_poem_before_it_starts_the_next(self):
        """The second server begins to listen during the first poem, and is called after it."""
        first, port = self.peer()
        second, next_port = self.closed_port()
        client = self.client("blocking", port, next_port)
        sock = self.accept(first)
        sock.sendall(b"a few words")
        client.wait_for(f"^Task 1: get poetry from: 127.0.0.1:{port}$")
        second.listen()  # so far a connection would have been refused
        sock.close()
        self.accept(second).close()
        self.assertEnded(client, 0)
        self.assertEqual([line[:11] for line in client.stdout], [
            "Task 1: get", "Task 1: got", "Task 2: get", "Task 2: got", "Got 2 poems"])


class AsyncClient(Case):
    """It does all tasks at once."""

    def test_it_connects_to_all_servers_at_once_and_hears_each_when_it_speaks(self):
        """All are called before one sends a byte; each chunk is printed before the next is sent."""
        peers = [self.peer() for _ in range(3)]
        client = self.client("async", *(port for _, port in peers))
        socks = [self.accept(peer) for peer, _ in peers]
        expected = []
        for count, task_num in enumerate((2, 3, 1, 1, 3, 2), 1):
            socks[task_num - 1].sendall(b"x" * count)
            expected.append(f"Task {task_num}: got {count} bytes of poetry "
                            f"from 127.0.0.1:{peers[task_num - 1][1]}")
            client.wait_for(f"^{expected[-1]}$")
        for task_num in (3, 1, 2):
            socks[task_num - 1].close()
            expected.append(f"Task {task_num} finished")
            client.wait_for(f"^{expected[-1]}$")
        self.assertEnded(client, 0)
        expected += ["Task 1: 7 bytes of poetry", "Task 2: 7 bytes of poetry",
                     "Task 3: 7 bytes of poetry"]
        self.assertEqual(client.stdout[:-1], expected)

    def get_poetry(self, client, sockets, *events):
        """Call get_poetry() and let one of the events happen before each select().

        Where nothing should happen, list() is called. Return the poems, the lines printed and the
        arguments of each select().
        """
        asked, shown, waiting = [], io.StringIO(), iter(events)
        real_select = select.select

        def spy(*args):
            asked.append([list(arg) for arg in args])
            next(waiting)()
            return real_select(*args)

        with mock.patch("select.select", spy), contextlib.redirect_stdout(shown):
            poems = client.get_poetry(sockets)
        return poems, shown.getvalue().splitlines(), asked

    def test_it_waits_in_select_for_all_sockets_and_reads_only_what_is_ready(self):
        """Each select() is asked about all open sockets, and returns one of them once one speaks.

        One server speaks before each select(): that there are no more of them than events shows
        that the loop does not go round in vain, and that no read waits.
        """
        pairs = [socket.socketpair() for _ in range(2)]
        for pair in pairs:
            for sock in pair:
                self.enter(sock).settimeout(0 if sock is pair[0] else None)
        (one, first), (two, second) = pairs
        poems, lines, asked = self.get_poetry(
            load(CLIENTS["async"]), {one: (1, ("host", 1)), two: (2, ("host", 2))},
            lambda: second.sendall(b"two"), lambda: first.sendall(b"one"), second.close,
            lambda: first.sendall(b"more"), first.close)
        self.assertEqual(poems, {1: b"onemore", 2: b"two"})
        self.assertEqual(asked, [[[one, two], [], []]] * 3 + [[[one], [], []]] * 2)
        self.assertEqual(lines, [
            "Task 2: got 3 bytes of poetry from host:2",
            "Task 1: got 3 bytes of poetry from host:1",
            "Task 2 finished", "Task 1: got 4 bytes of poetry from host:1", "Task 1 finished"])

    def test_a_fast_server_cannot_keep_the_others_from_being_read(self):
        """In one turn it reads 16 chunks of at most 65536 bytes, and leaves the rest for the next."""
        class Fast:
            """Stands for a socket on which there is always more."""

            def recv(self, num_bytes):
                """Return as many bytes as are asked for."""
                return bytes(num_bytes)

        self.assertEqual(load(CLIENTS["async"]).read_available(Fast()), (bytes(1 << 20), False))

    def test_nothing_to_read_is_not_the_end(self):
        """select() reports two sockets of one connection; the second finds nothing any more."""
        sock, server = (self.enter(end) for end in socket.socketpair())
        sock.setblocking(False)
        sockets = {sock: (1, ("host", 1)), self.enter(sock.dup()): (2, ("host", 2))}
        poems, lines, _ = self.get_poetry(load(CLIENTS["async"]), sockets,
                                          lambda: server.sendall(b"poem"), server.close)
        self.assertEqual(poems, {1: b"poem", 2: b""})
        self.assertEqual(lines, ["Task 1: got 4 bytes of poetry from host:1", "Task 1 finished",
                                 "Task 2 finished"])


if __name__ == "__main__":
    unittest.main()
