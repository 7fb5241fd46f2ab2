"""The two clients: what the tutorial says of them, and where it says that they differ."""

import contextlib
import difflib
import errno
import io
import os
import re
import select
import socket
import time
from datetime import timedelta
from unittest import mock

from tests.support import ASYNC, BLOCKING, ROOT, SCIENCE, SESSION
from tests.support import Case, load, parse_duration, read_text, reset

TIME = r"[0-9]+:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?"  # a timedelta as it is printed


class BlockingClient(Case):
    """It does one task after another."""

    def test_its_lines_are_those_in_the_tutorial(self):
        """The three poems, with their sizes."""
        servers = [self.start_server(poem, "--num-bytes", num_bytes, "--delay", "0")
                   for poem, num_bytes in SESSION]
        client = self.start_script(BLOCKING, *[server.port for server in servers])
        for task_num, server in enumerate(servers, 1):
            address = f"127.0.0.1:{server.port}"
            size = os.path.getsize(os.path.join(ROOT, SESSION[task_num - 1][0]))
            client.expect(f"Task {task_num}: get poetry from: {address}")
            client.expect(f"Task {task_num}: got {size} bytes of poetry from {address} in {TIME}")
        client.expect(f"Got {len(SESSION)} poems in {TIME}")
        self.assertEnded(client, 0)

    def test_the_times_of_the_tasks_add_up_to_the_total(self):
        """To the last digit, as in the tutorial. No task is shorter than the server's sleep."""
        server = self.start_server(SCIENCE, "--delay", "0.003")
        start = time.monotonic()
        client = self.start_script(BLOCKING, server.port, server.port, server.port)
        self.assertEnded(client, 0)
        elapsed = time.monotonic() - start
        *durations, total = [timedelta(seconds=parse_duration(line))
                             for line in client.printed if " in " in line]
        self.assertEqual(len(durations), 3)
        self.assertEqual(sum(durations, timedelta()), total)
        self.assertGreaterEqual(min(durations).total_seconds(), 66 * 0.003)
        self.assertLessEqual(total.total_seconds(), elapsed)

    def test_the_total_includes_the_time_of_a_failed_task(self):
        """A server lets the client wait for 0.2 s, and then resets the connection."""
        listener, port = self.listen()
        client = self.start_script(BLOCKING, port)
        client.expect("Task 1: get poetry from: .*")
        sock = self.accept(listener)
        time.sleep(0.2)
        reset(sock)
        self.assertEnded(client, 1, "Task 1: no poetry from .*")
        self.assertRegex(client.printed[-1], "^Got 0 poems in ")
        self.assertGreaterEqual(parse_duration(client.printed[-1]), 0.2)

    def test_it_waits_for_a_whole_poem_before_it_starts_the_next(self):
        """The second server begins to listen during the first poem, and is called after it."""
        first, port = self.listen()
        [second], next_port = self.hold_port("127.0.0.1")
        client = self.start_script(BLOCKING, port, next_port)
        sock = self.accept(first)
        sock.sendall(b"a few words")
        client.expect(f"Task 1: get poetry from: 127.0.0.1:{port}")
        second.listen()  # until now a connection would have been refused
        sock.close()
        client.expect("Task 1: got 11 bytes .*")
        client.expect("Task 2: get .*")
        self.accept(second).close()
        client.expect("Task 2: got 0 bytes .*")
        client.expect("Got 2 poems in .*")
        self.assertEnded(client, 0)

    def test_get_poetry_returns_the_poem_of_an_address(self):
        """Its bytes as they were sent: many, those of one character, none."""
        get_poetry = load(BLOCKING).get_poetry
        for poem in (bytes(range(256)) * 2000, "’".encode(), b""):
            server = self.start_server(self.write_poem(poem), "--num-bytes", "999", "--delay", "0")
            self.assertEqual(get_poetry(("127.0.0.1", server.port)), poem)

    def test_the_status_is_1_however_many_tasks_fail(self):
        """2 would mean that the command line was wrong."""
        _, port = self.hold_port("127.0.0.1")
        client = self.start_script(BLOCKING, port, port)
        self.assertEnded(client, 1, "Task 1: no poetry .*", "Task 2: no poetry .*")


class AsyncClient(Case):
    """Its tasks take turns."""

    def test_it_connects_to_all_servers_and_then_listens_to_whoever_sends(self):
        """All are called before one sends a byte; each chunk is printed before the next is sent."""
        listeners = [self.listen() for _ in range(3)]
        client = self.start_script(ASYNC, *[port for _, port in listeners])
        socks = [self.accept(listener) for listener, _ in listeners]
        for count, task_num in enumerate((2, 3, 1, 1, 3, 2), 1):
            socks[task_num - 1].sendall(b"x" * count)
            client.expect(f"Task {task_num}: got {count} bytes of poetry "
                          f"from 127.0.0.1:{listeners[task_num - 1][1]}")
        for task_num in (3, 1, 2):
            socks[task_num - 1].close()
            client.expect(f"Task {task_num} finished")
        for task_num in (1, 2, 3):
            client.expect(f"Task {task_num}: 7 bytes of poetry")
        client.expect(f"Got 3 poems in {TIME}")
        self.assertEnded(client, 0)

    def test_the_total_includes_the_time_of_connecting(self):
        """Here connect() takes 0.2 s, and then it fails."""
        def connect(address):
            time.sleep(0.2)
            raise OSError(0, "no luck")

        client = load(ASYNC)
        shown = io.StringIO()
        with mock.patch.object(client, "connect", connect), \
                mock.patch("sys.argv", [ASYNC, "1"]), \
                contextlib.redirect_stdout(shown), contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(client.main(), 1)
        self.assertGreaterEqual(parse_duration(shown.getvalue()), 0.2)

    def socket_pair(self):
        """Return two connected sockets: a non-blocking one, and the server's end."""
        sock, server = socket.socketpair()
        self.stack.enter_context(sock)
        self.stack.enter_context(server)
        sock.setblocking(False)
        return sock, server

    def get_poetry(self, sockets, events):
        """Call get_poetry(). Before each select() and after it, call the next of the events.

        Return the poems, and the lines that were printed. Each call of select() adds a line with
        the numbers of the tasks whose sockets it was given.
        """
        real_select = select.select
        events = list(events)
        shown = io.StringIO()

        def watched_select(readers, writers, others, *timeout):
            self.assertEqual((writers, others, timeout), ([], [], ()))
            print("select", *[sockets[sock][0] for sock in readers])
            before = events.pop(0)
            after = events.pop(0)
            before()
            ready = real_select(readers, writers, others)
            after()
            return ready

        with mock.patch("select.select", watched_select), contextlib.redirect_stdout(shown):
            poems = load(ASYNC).get_poetry(sockets)
        self.assertEqual(events, [])
        return poems, shown.getvalue().splitlines()

    def test_it_waits_for_all_sockets_and_reads_only_those_that_are_ready(self):
        """It closes them, and leaves its caller's dictionary as it was. No read waits."""
        one, first = self.socket_pair()
        two, second = self.socket_pair()
        sockets = {one: (1, ("host", 1)), two: (2, ("host", 2))}
        given = dict(sockets)

        def nothing():
            pass

        poems, lines = self.get_poetry(sockets, [
            lambda: first.sendall(b"one"), lambda: second.sendall(b"two"),
            first.close, nothing,
            lambda: second.sendall(b"more"), nothing,
            second.close, nothing])
        self.assertEqual(poems, {1: b"one", 2: b"twomore"})
        self.assertEqual(lines, [
            "select 1 2",
            "Task 1: got 3 bytes of poetry from host:1",  # "two" came after select()
            "select 1 2",
            "Task 1 finished",
            "Task 2: got 3 bytes of poetry from host:2",
            "select 2",
            "Task 2: got 4 bytes of poetry from host:2",
            "select 2",
            "Task 2 finished"])
        self.assertEqual(sockets, given)
        self.assertEqual([sock.fileno() for sock in sockets], [-1, -1])

    def test_bytes_and_the_end_in_one_turn(self):
        """The bytes are counted before the task is finished."""
        sock, server = self.socket_pair()

        def send_and_close():
            server.sendall(b"poem")
            server.close()

        poems, lines = self.get_poetry({sock: (1, ("host", 1))}, [send_and_close, lambda: None])
        self.assertEqual(poems, {1: b"poem"})
        self.assertEqual(lines, ["select 1", "Task 1: got 4 bytes of poetry from host:1",
                                 "Task 1 finished"])

    def test_nothing_to_read_is_not_the_end(self):
        """select() reports two sockets of one connection; the second finds nothing any more."""
        sock, server = self.socket_pair()
        same = self.stack.enter_context(sock.dup())
        poems, lines = self.get_poetry({sock: (1, ("host", 1)), same: (2, ("host", 2))}, [
            lambda: server.sendall(b"poem"), lambda: None,
            server.close, lambda: None])
        self.assertEqual(poems, {1: b"poem", 2: b""})
        self.assertEqual(lines, [
            "select 1 2",
            "Task 1: got 4 bytes of poetry from host:1",
            "select 1 2",
            "Task 1 finished",
            "Task 2 finished"])

    def test_a_fast_server_cannot_keep_the_others_from_being_read(self):
        """At most 16 reads in a turn; the rest is left for the next one."""
        class FastSocket:
            pieces = [b"x"] * 32  # twice as many as should be read; after that, pop() fails

            def recv(self, num_bytes):
                return self.pieces.pop() * num_bytes

        received, ended = load(ASYNC).read_available(FastSocket())
        self.assertEqual((len(received), ended), (16 * 65536, False))

    def test_a_connection_that_fails_in_another_way_than_by_a_reset(self):
        """A socket that is not connected is ready, and recv() says why it cannot be read."""
        sock = self.stack.enter_context(socket.socket())
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            poems, lines = self.get_poetry({sock: (1, ("host", 1))}, [lambda: None, lambda: None])
        self.assertEqual(poems, {})
        self.assertEqual(lines, ["select 1"])
        self.assertEqual(errors.getvalue(), "Task 1: no poetry from host:1: "
                                            f"{os.strerror(errno.ENOTCONN)}\n")

    def test_bytes_and_a_reset_in_one_turn(self):
        """It is an error, and not a short poem."""
        class ResetSocket:
            pieces = [b"half a poem"]

            def recv(self, num_bytes):
                if self.pieces:
                    return self.pieces.pop()
                raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))

        with self.assertRaises(ConnectionResetError):
            load(ASYNC).read_available(ResetSocket())

    def test_a_thousand_servers(self):
        """As many as it takes."""
        self.need_files(1010)
        listener, port = self.listen()
        client = self.start_script(ASYNC, *[port] * 1000)
        for _ in range(1000):
            self.send_short_poem(listener)
        self.assertEnded(client, 0)
        self.assertRegex(client.printed[-1], "^Got 1000 poems in ")

    def test_more_servers_than_select_can_watch(self):
        """One line says so, before any server is called."""
        client = self.start_script(ASYNC, *[1] * 1001)
        self.assertEnded(client, 1, r"get-poetry\.py: at most 1000 addresses, "
                                    r"since select\(\) cannot watch many more")
        self.assertEqual(client.printed, [])

    def test_more_servers_than_the_process_may_have_sockets(self):
        """Each task that gets no socket is reported, and the others go on."""
        server = self.start_server(self.write_poem(b"poem"), "--delay", "0")
        client = self.start_in_shell("ulimit -n 20", ASYNC, *[server.port] * 30)
        self.assertEqual(client.wait(), 1, client)
        came = [line for line in client.printed if line.endswith(": 4 bytes of poetry")]
        self.assertTrue(10 < len(came) < 20, client)
        self.assertEqual(came, [f"Task {num}: 4 bytes of poetry"
                                for num in range(1, len(came) + 1)])
        self.assertEqual(client.errors(), [
            f"Task {num}: no poetry from 127.0.0.1:{server.port}: {os.strerror(errno.EMFILE)}"
            for num in range(len(came) + 1, 31)])
        self.assertRegex(client.printed[-1], f"^Got {len(came)} poems in ")


class BothClients(Case):
    """What each of them does in its own way; these methods check it, and the tests name both."""

    def assertFails(self, script, address, reason, play_server=None):
        """Check that the second of three tasks fails and is reported, and that the others go on."""
        with self.subTest(script, address=address):
            listener, port = self.listen()
            client = self.start_script(script, port, address, port)
            self.send_short_poem(listener)
            if play_server:
                play_server()
            self.send_short_poem(listener)
            begin = re.escape(f"Task 2: no poetry from {address}: ")
            self.assertEnded(client, 1, begin + reason)
            printed = "\n".join(client.printed)
            for task_num in (1, 3):
                self.assertRegex(printed, f"Task {task_num}: (got )?4 bytes of poetry")
            self.assertNotRegex(printed, r"(?m)^Task 2( finished|: [0-9]+ bytes|: got .* in )")
            self.assertRegex(client.printed[-1], "^Got 2 poems in ")

    def test_a_server_that_is_not_there(self):
        """Nobody listens; nobody has this name, or can have it; this address is not IPv4."""
        _, port = self.hold_port("127.0.0.1")
        for script in (BLOCKING, ASYNC):
            self.assertFails(script, f"127.0.0.1:{port}", os.strerror(errno.ECONNREFUSED))
            for host in ("no-such-host.invalid", "a..b", "::1"):
                self.assertFails(script, f"{host}:{port}", "(?!None).+")

    def test_a_reset(self):
        """Before a byte has come, or halfway: what came before it does not count as a poem."""
        listener, port = self.listen()

        def reset_at_once():
            reset(self.accept(listener))

        def reset_halfway():
            sock = self.accept(listener)
            sock.sendall(b"half a poem")
            reset(sock)

        for script in (BLOCKING, ASYNC):
            for play_server in (reset_at_once, reset_halfway):
                self.assertFails(script, f"127.0.0.1:{port}", os.strerror(errno.ECONNRESET),
                                 play_server)

    def test_an_empty_poem_is_a_poem(self):
        """A server that closes without a byte has not failed."""
        listener, port = self.listen()
        for script, line in ((BLOCKING, "Task 1: got 0 bytes of poetry from .*"),
                             (ASYNC, "Task 1: 0 bytes of poetry")):
            with self.subTest(script):
                client = self.start_script(script, port)
                self.accept(listener).close()
                client.wait_for(line)
                client.expect("Got 1 poems in .*")
                self.assertEnded(client, 0)

    def test_they_wait_without_a_time_out(self):
        """None of their sockets gets one: settimeout() is never called."""
        server = self.start_server(self.write_poem(b"poem"), "--delay", "0")
        for script in (BLOCKING, ASYNC):
            with self.subTest(script), self.no_time_outs(), \
                    mock.patch("sys.argv", [script, str(server.port)]), \
                    contextlib.redirect_stdout(io.StringIO()):
                self.assertEqual(load(script).main(), 0)

    def test_from_parse_args_on_they_are_the_same_text(self):
        """So diff shows the lesson and nothing else."""
        texts = [read_text(script).partition("def parse_args")[2].splitlines()
                 for script in (BLOCKING, ASYNC)]
        diff = list(difflib.unified_diff(*texts, BLOCKING, ASYNC, n=0, lineterm=""))
        if diff:
            diff.append("From parse_args() on, both clients are the same text, so make the same "
                        "change in the other one. If parse_args() now returns something else, "
                        "change main() in both of them.")
            self.fail("\n".join(diff))

    def test_an_address_may_be_a_port_alone(self):
        """No hostname means 127.0.0.1; addresses are printed as they were asked for."""
        listener, port = self.listen()
        client = self.start_script(BLOCKING, port, f":{port}", f"127.0.0.1:{port}",
                                   f"localhost:{port}")
        for host in ("127.0.0.1", "127.0.0.1", "127.0.0.1", "localhost"):
            client.expect(f"Task .: get poetry from: {host}:{port}")
            self.send_short_poem(listener)
            client.expect(f"Task .: got 4 bytes of poetry from {host}:{port} in .*")
        self.assertEnded(client, 0)
