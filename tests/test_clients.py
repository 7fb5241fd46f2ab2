"""The two clients do what the tutorial says of them, and differ where it says they do."""

import contextlib
import io
import re
import select
import shutil
import socket
import tempfile
import time
from datetime import timedelta
from types import SimpleNamespace
from unittest import mock

from tests.case import Case, load, read, reset
from tests.support import ASYNC, BLOCKING, SCRIPTS, SERVER, SESSION, parse_duration

DURATION = r"[0-9]+:[0-9]{2}:[0-9]{2}(?:\.[0-9]{6})?"
POEMS = [bytes(range(256)) * 2000, "’".encode(), b""]


class BlockingClient(Case):
    """It does one task after the other."""

    def test_it_prints_the_lines_of_the_tutorial(self):
        """Seven of them; the times of the tasks add up to the total, to the last digit."""
        ports = [self.server(*settings, "--delay", "0.003").port for settings in SESSION]
        client = self.program(BLOCKING, *ports)
        self.assertEnded(client, 0)
        expected = []
        for task_num, (port, size) in enumerate(zip(ports, (3003, 623, 653)), 1):
            expected.append(f"Task {task_num}: get poetry from: 127.0.0.1:{port}")
            expected.append(f"Task {task_num}: got {size} bytes of poetry from 127.0.0.1:{port} "
                            "in DURATION")
        expected.append("Got 3 poems in DURATION")
        lines = [re.sub(f" in {DURATION}$", " in DURATION", line) for line in client.stdout]
        self.assertEqual(lines, expected)
        *tasks, total = [timedelta(seconds=parse_duration(line.split(" in ")[1]))
                         for line in client.stdout if " in " in line]
        self.assertEqual(sum(tasks, timedelta()), total)
        for task, chunks in zip(tasks, (101, 63, 66)):
            self.assertGreaterEqual(task.total_seconds(), chunks * 0.003)

    def test_the_total_has_the_time_of_a_failed_task_too(self):
        """A server keeps the client waiting for at least 0.2 s, and then resets the connection."""
        listener, port = self.listener()
        client = self.program(BLOCKING, port)
        client.wait_for("^Task 1: get poetry")
        sock = self.accept(listener)
        time.sleep(0.2)
        reset(sock)
        self.assertEnded(client, 1, "Task 1: no poetry from .*")
        total = re.fullmatch("Got 0 poems in (.+)", client.stdout[-1])[1]
        self.assertGreaterEqual(parse_duration(total), 0.2)
        # The demo draws its picture from these, which support.py measures.
        self.assertGreaterEqual(min(client.elapsed, client.moments[1] - client.moments[0]), 0.2)

    def test_it_waits_for_a_whole_poem_before_it_starts_the_next(self):
        """The second server begins to listen during the first poem, and is called after it."""
        first, port = self.listener()
        second, next_port = self.closed_port()
        client = self.program(BLOCKING, port, next_port)
        sock = self.accept(first)
        sock.sendall(b"a few words")
        client.wait_for(f"^Task 1: get poetry from: 127.0.0.1:{port}$")
        second.listen()  # so far a connection would have been refused
        sock.close()
        self.accept(second).close()
        self.assertEnded(client, 0)
        self.assertEqual([line[:11] for line in client.stdout], [
            "Task 1: get", "Task 1: got", "Task 2: get", "Task 2: got", "Got 2 poems"])

    def test_get_poetry_returns_the_poem_of_an_address(self):
        """Its bytes as they were sent: many, those of one character, none."""
        client = load(BLOCKING)
        for poem in POEMS:
            self.assertEqual(client.get_poetry(("127.0.0.1", self.quick_server(poem))), poem)


class AsyncClient(Case):
    """It does all tasks at once."""

    def test_it_prints_the_lines_of_the_tutorial(self):
        """The bytes of each task add up, it finishes once, and the sizes come in the right order."""
        ports = [self.server(*settings, "--delay", "0.003").port for settings in SESSION]
        client = self.program(ASYNC, *ports)
        self.assertEnded(client, 0)
        *progress, size_1, size_2, size_3, total = client.stdout
        for task_num, (port, size) in enumerate(zip(ports, (3003, 623, 653)), 1):
            *got, finished = [line for line in progress if line.startswith(f"Task {task_num}")]
            pattern = f"Task {task_num}: got ([0-9]+) bytes of poetry from 127.0.0.1:{port}"
            self.assertEqual(sum(int(re.fullmatch(pattern, line)[1]) for line in got), size)
            self.assertEqual(finished, f"Task {task_num} finished")
        self.assertEqual([size_1, size_2, size_3], [
            "Task 1: 3003 bytes of poetry", "Task 2: 623 bytes of poetry",
            "Task 3: 653 bytes of poetry"])
        duration = parse_duration(re.fullmatch(f"Got 3 poems in ({DURATION})", total)[1])
        self.assertGreaterEqual(duration, 101 * 0.003)

    def test_it_connects_to_all_servers_first_and_then_hears_whoever_speaks(self):
        """All are called before one sends a byte; each chunk is printed before the next is sent."""
        listeners = [self.listener() for _ in range(3)]
        client = self.program(ASYNC, *(port for _, port in listeners))
        socks = [self.accept(listener) for listener, _ in listeners]
        expected = []
        for count, task_num in enumerate((2, 3, 1, 1, 3, 2), 1):
            socks[task_num - 1].sendall(b"x" * count)
            expected.append(f"Task {task_num}: got {count} bytes of poetry "
                            f"from 127.0.0.1:{listeners[task_num - 1][1]}")
            client.wait_for(f"^{expected[-1]}$")
        for task_num in (3, 1, 2):
            socks[task_num - 1].close()
            expected.append(f"Task {task_num} finished")
            client.wait_for(f"^{expected[-1]}$")
        self.assertEnded(client, 0)
        expected += ["Task 1: 7 bytes of poetry", "Task 2: 7 bytes of poetry",
                     "Task 3: 7 bytes of poetry"]
        self.assertEqual(client.stdout[:-1], expected)

    def get_poetry(self, sockets, *events):
        """Call get_poetry() and let one of the events happen before each select().

        Return the poems, the lines printed, and the arguments of each select().
        """
        asked, shown, waiting = [], io.StringIO(), iter(events)
        real_select = select.select

        def spy(*args):
            asked.append([list(arg) for arg in args])
            next(waiting)()
            return real_select(*args)

        with mock.patch("select.select", spy), contextlib.redirect_stdout(shown):
            poems = load(ASYNC).get_poetry(sockets)
        return poems, shown.getvalue().splitlines(), asked

    def test_it_waits_in_select_for_all_sockets_and_reads_only_what_is_ready(self):
        """One server speaks before each select(), which is asked about all sockets still open.

        There are no more calls than events: so the loop does not go round in vain. Nothing hangs:
        so no read waits.
        """
        (one, first), (two, second) = [map(self.enter, socket.socketpair()) for _ in range(2)]
        one.setblocking(False)
        two.setblocking(False)
        poems, lines, asked = self.get_poetry(
            {one: (1, ("host", 1)), two: (2, ("host", 2))},
            lambda: second.sendall(b"two"), lambda: first.sendall(b"one"), second.close,
            lambda: first.sendall(b"more"), first.close)
        self.assertEqual(poems, {1: b"onemore", 2: b"two"})
        self.assertEqual(asked, [[[one, two], [], []]] * 3 + [[[one], [], []]] * 2)
        self.assertEqual(lines, [
            "Task 2: got 3 bytes of poetry from host:2",
            "Task 1: got 3 bytes of poetry from host:1",
            "Task 2 finished", "Task 1: got 4 bytes of poetry from host:1", "Task 1 finished"])

    def test_nothing_to_read_is_not_the_end(self):
        """select() reports two sockets of one connection; the second finds nothing any more."""
        sock, server = map(self.enter, socket.socketpair())
        sock.setblocking(False)
        sockets = {sock: (1, ("host", 1)), self.enter(sock.dup()): (2, ("host", 2))}
        poems, lines, _ = self.get_poetry(sockets, lambda: server.sendall(b"poem"), server.close)
        self.assertEqual(poems, {1: b"poem", 2: b""})
        self.assertEqual(lines, ["Task 1: got 4 bytes of poetry from host:1", "Task 1 finished",
                                 "Task 2 finished"])

    def test_a_fast_server_cannot_keep_the_others_from_being_read(self):
        """In one turn it reads 16 chunks of at most 65536 bytes, and leaves the rest for the next."""
        left = [1] * 32  # the stub has more than a turn reads, but it ends by itself

        def recv(num_bytes):
            return bytes(num_bytes * left.pop())

        self.assertEqual(load(ASYNC).read_available(SimpleNamespace(recv=recv)),
                         (bytes(1 << 20), False))

    def test_get_poetry_returns_the_poems_of_connected_sockets(self):
        """It closes the sockets, and leaves its caller's dictionary as it was."""
        client = load(ASYNC)
        sockets = {}
        for task_num, poem in enumerate(POEMS, 1):
            address = ("127.0.0.1", self.quick_server(poem))
            sockets[self.enter(client.connect(address))] = task_num, address
        asked = dict(sockets)
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(client.get_poetry(sockets), dict(enumerate(POEMS, 1)))
        self.assertEqual(sockets, asked)
        self.assertEqual([sock.fileno() for sock in sockets], [-1] * 3)


class SameText(Case):
    """What both clients share; most of it is tested once, on the blocking client."""

    def test_what_is_not_about_blocking_is_the_same_text_in_both(self):
        """diff shows the lesson and nothing else."""
        self.assertEqual(*(source[source.index("def parse_args"):]
                           for source in map(read, (BLOCKING, ASYNC))))

    def test_an_address_may_be_a_port_alone(self):
        """No hostname means 127.0.0.1; addresses are printed as they were asked for."""
        port = self.quick_server()
        client = self.program(BLOCKING, port, f":{port}", f"127.0.0.1:{port}", f"localhost:{port}")
        self.assertEnded(client, 0)
        self.assertEqual([line.split(" from ")[1].split(" in ")[0] for line in client.stdout
                          if ": got" in line], [f"127.0.0.1:{port}"] * 3 + [f"localhost:{port}"])


class EachScript(Case):
    """A copy of the one file runs anywhere."""

    def test_it_stands_alone(self):
        """Without our directory, and without anybody's packages."""
        for script in SCRIPTS:
            with self.subTest(script), tempfile.TemporaryDirectory() as directory:
                copy = shutil.copy(script, directory)
                argument = self.poem_file(b"poem") if script == SERVER else self.quick_server()
                program = self.program(copy, argument, flags=("-I", "-S"), cwd=directory)
                program.wait_for("^Serving" if script == SERVER else "^Got 1 poems")
