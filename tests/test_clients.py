"""The two clients do what the tutorial says of them, and differ where it says they do."""

import contextlib
import difflib
import io
import re
import select
import socket
import time
from datetime import timedelta
from unittest import mock

from tests.support import ASYNC, BLOCKING, SCIENCE, Case, load, parse_duration, read

CLIENTS = [BLOCKING, ASYNC]


class BlockingClient(Case):
    """It does one task after the other."""

    def test_the_times_of_the_tasks_add_up_to_the_total(self):
        """To the last digit; test_readme has the lines. There is a pause after each chunk."""
        client = self.script(BLOCKING, *[self.server(SCIENCE, "--delay", "0.003").port] * 3)
        self.assertEnded(client, 0)
        *durations, total = [timedelta(seconds=parse_duration(line))
                             for line in client.printed if " in " in line]
        self.assertEqual(sum(durations, timedelta()), total)
        self.assertGreaterEqual(min(durations).total_seconds(), 66 * 0.003)

    def test_the_total_has_the_time_of_a_failed_task_too(self):
        """A server lets the client wait for 0.2 s, and then resets the connection."""
        listener, port = self.listener()
        client = self.script(BLOCKING, port)
        client.wait_for("^Task 1: get poetry")
        sock = self.accept(listener)
        time.sleep(0.2)
        self.reset(sock)
        self.assertEnded(client, 1, "Task 1: no poetry from .*")
        self.assertRegex(client.printed[-1], "^Got 0 poems in ")
        self.assertGreaterEqual(parse_duration(client.printed[-1]), 0.2)

    def test_it_waits_for_a_whole_poem_before_it_starts_the_next(self):
        """The second server begins to listen during the first poem, and is called after it."""
        first, port = self.listener()
        second, next_port = self.closed_port()
        client = self.script(BLOCKING, port, next_port)
        sock = self.accept(first)
        sock.sendall(b"a few words")
        client.wait_for(f"^Task 1: get poetry from: 127.0.0.1:{port}$")
        second.listen()  # so far a connection would have been refused
        sock.close()
        self.accept(second).close()
        self.assertEnded(client, 0)
        self.assertEqual([line[:11] for line in client.printed], [
            "Task 1: get", "Task 1: got", "Task 2: get", "Task 2: got", "Got 2 poems"])

    def test_get_poetry_returns_the_poem_of_an_address(self):
        """Its bytes as they were sent: many, those of one character, none."""
        for poem in (bytes(range(256)) * 2000, "’".encode(), b""):
            server = self.server(self.poem_file(poem), "--num-bytes", "1000", "--delay", "0")
            self.assertEqual(load(BLOCKING).get_poetry(("127.0.0.1", server.port)), poem)


class AsyncClient(Case):
    """It does all tasks at once."""

    def test_it_connects_to_all_servers_first_and_then_hears_whoever_speaks(self):
        """All are called before one sends a byte; each chunk is printed before the next is sent."""
        listeners = [self.listener() for _ in range(3)]
        client = self.script(ASYNC, *(port for _, port in listeners))
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
        expected += [f"Task {task_num}: 7 bytes of poetry" for task_num in (1, 2, 3)]
        self.assertEqual(client.printed[:-1], expected)
        self.assertRegex(client.printed[-1], "^Got 3 poems in [0-9:.]+$")

    def test_the_total_has_the_time_of_connecting_too(self):
        """Here connect() takes 0.2 s, and fails."""
        def connect(address):
            time.sleep(0.2)
            raise OSError(0, "no luck")

        client, shown = load(ASYNC), io.StringIO()
        with mock.patch.object(client, "connect", connect), mock.patch("sys.argv", [ASYNC, "1"]), \
                contextlib.redirect_stdout(shown), contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(client.main(), 1)
        self.assertGreaterEqual(parse_duration(shown.getvalue()), 0.2)

    def get_poetry(self, sockets, events):
        """Call get_poetry(), and let an event happen before and after each select().

        Return the poems and the lines printed; each select() adds one with the tasks in its list.
        """
        real_select, shown = select.select, io.StringIO()

        def spy(readers, *others):
            self.assertEqual(others, ([], []))
            print("select", *(sockets[sock][0] for sock in readers))
            next(events)
            ready = real_select(readers, *others)
            next(events)
            return ready

        with mock.patch("select.select", spy), contextlib.redirect_stdout(shown):
            poems = load(ASYNC).get_poetry(sockets)
        return poems, shown.getvalue().splitlines()

    def test_it_waits_in_select_for_all_sockets_and_reads_only_those_that_are_ready(self):
        """It closes them, and leaves its caller's dictionary as it was. No read hangs."""
        (one, first), (two, second) = (self.socket_pair() for _ in range(2))
        sockets = {one: (1, ("host", 1)), two: (2, ("host", 2))}
        asked = dict(sockets)

        def events():
            yield first.sendall(b"one")
            yield second.sendall(b"two")  # after select(): not to be read in this turn
            yield first.close()
            yield
            yield second.sendall(b"more")
            yield
            yield second.close()
            yield

        poems, lines = self.get_poetry(sockets, events())
        self.assertEqual(poems, {1: b"one", 2: b"twomore"})
        self.assertEqual(lines, [
            "select 1 2", "Task 1: got 3 bytes of poetry from host:1",
            "select 1 2", "Task 1 finished", "Task 2: got 3 bytes of poetry from host:2",
            "select 2", "Task 2: got 4 bytes of poetry from host:2",
            "select 2", "Task 2 finished"])
        self.assertEqual(sockets, asked)
        self.assertEqual([sock.fileno() for sock in sockets], [-1, -1])

    def test_nothing_to_read_is_not_the_end(self):
        """select() reports two sockets of one connection; the second finds nothing any more."""
        sock, server = self.socket_pair()
        sockets = {sock: (1, ("host", 1)), self.stack.enter_context(sock.dup()): (2, ("host", 2))}

        def events():
            yield server.sendall(b"poem")
            yield
            yield server.close()
            yield

        poems, lines = self.get_poetry(sockets, events())
        self.assertEqual(poems, {1: b"poem", 2: b""})
        self.assertEqual(lines, ["select 1 2", "Task 1: got 4 bytes of poetry from host:1",
                                 "select 1 2", "Task 1 finished", "Task 2 finished"])

    def test_a_fast_server_cannot_keep_the_others_from_being_read(self):
        """It reads at most 16 times in a turn, and leaves the rest for the next."""
        left = [1] * 32  # more reads than a turn has; then pop() raises an IndexError
        stub = mock.Mock(recv=lambda num_bytes: bytes(num_bytes * left.pop()))
        self.assertEqual(load(ASYNC).read_available(stub), (bytes(16 * 65536), False))

    def socket_pair(self):
        """Return two connected sockets: a non-blocking one, and the server's end."""
        sock, server = map(self.stack.enter_context, socket.socketpair())
        sock.setblocking(False)
        return sock, server

    def test_a_thousand_servers(self):
        """As many as it takes."""
        listener, port = self.listener(backlog=1000)
        client = self.script(ASYNC, *[port] * 1000)
        for _ in range(1000):
            self.serve(listener)
        self.assertEnded(client, 0)
        self.assertRegex(client.printed[-1], "^Got 1000 poems in ")

    def test_more_servers_than_select_can_watch(self):
        """One line says so, before any server is called."""
        client = self.script(ASYNC, *[1] * 1001)
        self.assertEnded(client, 1, r"get-poetry\.py: at most 1000 addresses, "
                                    r"since select\(\) cannot watch many more")
        self.assertEqual(client.printed, [])

    def test_more_servers_than_the_process_may_have_sockets(self):
        """Each task that gets no socket is reported, and the others go on."""
        port = self.server(self.poem_file(b"poem"), "--delay", "0").port
        client = self.script(ASYNC, *[port] * 30,
                             prefix=["sh", "-c", 'ulimit -n 20 && exec "$@"', "sh"])
        self.assertEqual(client.wait(), 1, client)
        came = [line for line in client.printed if line.endswith(": 4 bytes of poetry")]
        self.assertTrue(10 < len(came) < 20, client)
        self.assertEqual(came, [f"Task {n}: 4 bytes of poetry" for n in range(1, len(came) + 1)])
        self.assertEqual(client.errors(), [
            f"Task {num}: no poetry from 127.0.0.1:{port}: Too many open files"
            for num in range(len(came) + 1, 31)])
        self.assertRegex(client.printed[-1], f"^Got {len(came)} poems in ")


class OneFails(Case):
    """In both clients, the second of three tasks fails, is reported, and the others go on."""

    def fail_at(self, address, reason, play=lambda: None):
        """Check this. play() plays the second server."""
        for script in CLIENTS:
            with self.subTest(script, address=address):
                listener, port = self.listener()
                client = self.script(script, port, address, port)
                self.serve(listener)
                play()
                self.serve(listener)
                begin = re.escape(f"Task 2: no poetry from {address}: ")
                self.assertEnded(client, 1, begin + reason)
                printed = "\n".join(client.printed)
                for task_num in (1, 3):
                    self.assertRegex(printed, f"Task {task_num}: (got )?4 bytes of poetry")
                self.assertNotRegex(printed, r"(?m)^Task 2( finished|: [0-9]+ bytes|: got .* in )")
                self.assertRegex(client.printed[-1], "^Got 2 poems in ")

    def test_a_server_that_is_not_there(self):
        """Nobody listens; nobody has this name, or can have it; this address is not IPv4."""
        port = self.closed_port()[1]
        unknown = "[A-Z][a-z ]+ (not known|in name resolution)"
        self.fail_at(f"127.0.0.1:{port}", "Connection refused")
        self.fail_at(f"no-such-host.invalid:{port}", unknown)
        self.fail_at(f"a..b:{port}", unknown)
        self.fail_at(f"::1:{port}", "Address family .*")

    def test_a_reset(self):
        """Before a byte has come, and halfway: what came before it does not count as a poem."""
        listener, port = self.listener()
        for data in (b"", b"half a poem"):
            def break_off(data=data):
                sock = self.accept(listener)
                sock.sendall(data)
                self.reset(sock)

            self.fail_at(f"127.0.0.1:{port}", "Connection reset by peer", break_off)


class SameText(Case):
    """What is not about blocking; most of it is tested once, with the blocking client."""

    def test_from_parse_args_on_the_clients_are_the_same_text(self):
        """So diff shows the lesson and nothing else."""
        ends = [read(client).partition("def parse_args")[2].splitlines() for client in CLIENTS]
        diff = "\n".join(difflib.unified_diff(*ends, *CLIENTS, n=0, lineterm=""))
        if diff:
            self.fail("From parse_args() on, both clients are the same text. "
                      f"Make the same change in the other one, too:\n{diff}")

    def test_an_address_may_be_a_port_alone(self):
        """No hostname means 127.0.0.1; addresses are printed as they were asked for."""
        listener, port = self.listener()
        client = self.script(BLOCKING, port, f":{port}", f"127.0.0.1:{port}", f"localhost:{port}")
        for _ in range(4):
            self.serve(listener)
        self.assertEnded(client, 0)
        self.assertEqual([line.split(" from: ")[1] for line in client.printed if " from: " in line],
                         [f"127.0.0.1:{port}"] * 3 + [f"localhost:{port}"])
