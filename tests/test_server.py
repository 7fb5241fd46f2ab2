"""The slow poetry server: what the tutorial says of it, and what happens when things go wrong."""

import contextlib
import errno
import io
import os
import re
import socket
import threading
import time
from unittest import mock

from tests.support import DEADLINE, DELAY, ECSTASY, NUM_BYTES, SCIENCE, SERVER
from tests.support import Case, load, receive_all, reset

LARGE = bytes(1 << 25)  # a poem that does not fit into the buffers between a server and its client


class SlowPoetry(Case):
    """The server does what the tutorial says."""

    def assertServed(self, server, *callers, sizes):
        """Check all lines about these callers, each of whom was sent chunks of these sizes.

        The lines about a caller are complete when the server has taken another one.
        """
        expected = []
        for caller in callers:
            expected.append(f"Somebody at {caller.getsockname()} wants poetry!")
            expected += [f"Sending {size} bytes" for size in sizes]
        last = self.call(server.port)
        server.wait_for(re.escape(f"Somebody at {last.getsockname()} wants poetry!"))
        self.assertEqual(server.printed[1:-1], expected)

    def test_the_poem_comes_whole_and_then_the_connection_is_closed(self):
        """The caller sees its end, and the server's lines are those in the tutorial."""
        server = self.start_server(ECSTASY, "--num-bytes", "30", "--delay", "0")
        self.assertEqual(server.printed, [f"Serving {ECSTASY} on port {server.port}."])
        caller = self.call(server.port)
        self.assertEqual(len(receive_all(caller)), 3003)
        self.assertServed(server, caller, sizes=[30] * 100 + [3])

    def test_it_sleeps_after_each_chunk_and_after_the_last_one_too(self):
        """While it sleeps, all chunks so far have arrived, and the connection is still open.

        The test looks at this from within time.sleep(), so it needs no clock.
        """
        sock, caller = socket.socketpair()
        self.stack.enter_context(caller)
        caller.setblocking(False)
        sleeps = []

        def sleep(seconds):
            arrived = caller.recv(1000)
            with self.assertRaises(BlockingIOError, msg="the connection is closed too early"):
                caller.recv(1000)
            sleeps.append((seconds, arrived))

        with mock.patch("time.sleep", sleep), contextlib.redirect_stdout(io.StringIO()):
            load(SERVER).send_poetry(sock, self.write_poem(b"a short poem"), 5, 0.7)
        self.assertEqual(sleeps, [(0.7, b"a sho"), (0.7, b"rt po"), (0.7, b"em")])
        self.assertEqual(caller.recv(1000), b"", "the connection is still open")

    def test_a_chunk_that_does_not_fit_into_the_buffer_is_sent_whole(self):
        """On a socket with a time-out, send() would send a part of it, and sendall() sends all.

        So it is with a server that has been paused while it was sending.
        """
        sock, caller = socket.socketpair()
        self.stack.enter_context(caller)
        sock.settimeout(DEADLINE)
        received = []
        reader = threading.Thread(target=lambda: received.append(receive_all(caller)), daemon=True)
        reader.start()
        with contextlib.redirect_stdout(io.StringIO()):
            load(SERVER).send_poetry(sock, self.write_poem(LARGE), 1 << 20, 0)
        reader.join()
        self.assertTrue(received == [LARGE])

    def test_the_defaults_are_those_of_the_tutorial(self):
        """10 bytes every 0.1 seconds, on a free port, on loopback."""
        with mock.patch("sys.argv", [SERVER, SCIENCE]):
            args = load(SERVER).parse_args()
        self.assertEqual(vars(args), {"port": 0, "iface": "localhost", "num_bytes": NUM_BYTES,
                                      "delay": DELAY, "poetry_file": SCIENCE},
                         "The server and tests/support.py have different defaults.")

    def test_four_chunks_take_at_least_four_delays(self):
        """With the defaults, the server as a process really sleeps after each of four sends."""
        server = self.start_server(self.write_poem(b"x" * 39))
        start = time.monotonic()
        caller = self.call(server.port)
        receive_all(caller)
        self.assertGreaterEqual(time.monotonic() - start, 4 * DELAY)
        self.assertServed(server, caller, sizes=[10, 10, 10, 9])

    def test_options_may_stand_before_or_after_the_file(self):
        """The tutorial writes them in both places."""
        for args in (["--num-bytes", "400", SCIENCE], [SCIENCE, "--num-bytes", "400"]):
            with self.subTest(args):
                server = self.start_server("--delay", "0", *args)
                caller = self.call(server.port)
                receive_all(caller)
                self.assertServed(server, caller, sizes=[400, 253])

    def test_the_same_port_can_be_used_again_immediately(self):
        """A restart on the same port works, although the server was the side that closed."""
        first = self.start_server(SCIENCE, "--delay", "0")
        receive_all(self.call(first.port))
        first.end()
        second = self.start_server(SCIENCE, "--port", first.port)
        self.assertEqual(second.port, first.port)

    def test_it_listens_on_loopback_unless_another_interface_is_asked_for(self):
        """Whoever calls another address than the server's is refused."""
        for options, address, other in (([], "127.0.0.1", "127.0.0.2"),
                                        (["--iface", "127.0.0.2"], "127.0.0.2", "127.0.0.1")):
            with self.subTest(address):
                try:
                    _, port = self.hold_port(address, other)
                except OSError as error:
                    if error.errno == errno.EADDRNOTAVAIL:
                        self.skipTest("this system has no address 127.0.0.2")
                    raise
                server = self.start_server(SCIENCE, "--port", port, *options)
                self.call(server.port, address)
                with self.assertRaises(ConnectionRefusedError):
                    self.call(server.port, other)

    def test_while_it_serves_one_caller_all_others_wait(self):
        """The second caller does not get even the first line before the first one has it all."""
        server = self.start_server(self.write_poem(LARGE), "--num-bytes", "1000000", "--delay", "0")
        callers = [self.call(server.port) for _ in range(3)]
        server.expect("Somebody at .*")
        for caller in callers:
            self.assertTrue(receive_all(caller) == LARGE)
        self.assertServed(server, *callers, sizes=[1000000] * 33 + [554432])

    def test_two_hundred_callers_wait_in_the_queue(self):
        """Each is connected while somebody else is served. The usual queue has room for 128."""
        self.need_files(230)
        server = self.start_server(SCIENCE, "--delay", "100")
        for _ in range(200):
            self.call(server.port)
        server.expect("Somebody at .*")
        server.expect("Sending 10 bytes")

    def test_any_file_is_a_poem(self):
        """The bytes go out as they are: not text, none at all, or cut inside a character."""
        for content in (bytes(range(256)), b"", b"\r\n\x1a\xff\xfe", "’".encode() * 3):
            with self.subTest(content[:8]):
                path = self.write_poem(content)
                server = self.start_server(path, "--num-bytes", "1", "--delay", "0")
                caller = self.call(server.port)
                self.assertEqual(receive_all(caller), content)
                self.assertServed(server, caller, sizes=[1] * len(content))

    def test_it_waits_without_a_time_out(self):
        """None of its sockets gets one, neither for listening nor for sending.

        main() runs in the test until its first sleep. A client calls as soon as it listens.
        """
        class Slept(Exception):
            """Raised in place of the sleep, to leave main()."""

        server = load(SERVER)
        create_server = socket.create_server

        def create_and_call(*args, **options):
            listener = create_server(*args, **options)
            self.call(listener.getsockname()[1])
            return listener

        with mock.patch("sys.argv", [SERVER, SCIENCE]), \
                mock.patch("socket.create_server", create_and_call), \
                mock.patch("time.sleep", side_effect=Slept), \
                contextlib.redirect_stdout(io.StringIO()), \
                self.no_time_outs(), self.assertRaises(Slept):
            server.main()


class Faults(Case):
    """Callers, files and the machine do something else than they should."""

    def test_a_caller_who_hangs_up_or_resets(self):
        """A line names the caller and the reason, and the next caller is served."""
        server = self.start_server(self.write_poem(LARGE), "--num-bytes", "1000000", "--delay", "0")
        for hang_up in (socket.socket.close, reset):
            with self.subTest(hang_up.__name__):
                caller = self.call(server.port)
                name = re.escape(str(caller.getsockname()))
                caller.recv(1)
                hang_up(caller)
                reasons = f"{os.strerror(errno.EPIPE)}|{os.strerror(errno.ECONNRESET)}"
                server.wait_for(f"No more poetry for {name}: ({reasons})")
                self.assertTrue(receive_all(self.call(server.port)) == LARGE)

    def test_a_file_that_changes_or_is_gone(self):
        """It is opened anew for each caller. If it cannot be opened, a line says so."""
        path = self.write_poem(b"a poem")
        server = self.start_server(path, "--delay", "0")
        self.assertEqual(receive_all(self.call(server.port)), b"a poem")
        with open(path, "wb") as file:
            file.write(b"another poem")
        self.assertEqual(receive_all(self.call(server.port)), b"another poem")
        os.remove(path)
        caller = self.call(server.port)
        self.assertEqual(receive_all(caller), b"")
        name = re.escape(str(caller.getsockname()))
        server.wait_for(f"No more poetry for {name}: {os.strerror(errno.ENOENT)}")
        with open(path, "wb") as file:
            file.write(b"a third poem")
        self.assertEqual(receive_all(self.call(server.port)), b"a third poem")

    def assertCannotListen(self, iface, port, reason):
        """Check that one line names the address and the reason, and that the status is 1."""
        server = self.start_script(SERVER, "--iface", iface, "--port", port, SCIENCE)
        address = re.escape(str((iface, port)))
        self.assertEnded(server, 1, rf"slowpoetry\.py: {reason} \(.* {address}\)")
        self.assertEqual(server.printed, [])

    def test_a_port_that_is_in_use(self):
        """Somebody else listens there."""
        port = self.start_server(SCIENCE).port
        self.assertCannotListen("localhost", port, os.strerror(errno.EADDRINUSE))

    def test_an_address_of_another_machine(self):
        """The server can listen only at addresses of its own machine."""
        self.assertCannotListen("192.0.2.1", 65535, os.strerror(errno.EADDRNOTAVAIL))

    def test_an_interface_that_cannot_be_looked_up(self):
        """Nobody has this name; this address is not IPv4. The C library chooses the words."""
        for iface in ("no-such-host.invalid", "::1"):
            with self.subTest(iface):
                self.assertCannotListen(iface, 0, "(?!None).+")
