"""The base class of all tests: programs, sockets and files that end with the test, and a deadline.

What a test plays itself: a caller calls a server, as netcat does; a listener is a server's socket
on which the test accepts by hand, step by step; a quick server answers every caller in a thread.
"""

import contextlib
import fcntl
import importlib.util
import os
import pty
import signal
import socket
import struct
import tempfile
import termios
import threading
import time
import unittest

from tests.support import DEADLINE, ROOT, STRICT, Program, Server, python, wait_until

QUICK_RESOLVER = ("env", "RES_OPTIONS=timeout:1 attempts:1")  # where no name server answers
TEST_DEADLINE = 60  # seconds that any test may take
NOHUP = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN  # programs must not inherit that


def read(*path):
    """Return the text of a file of ours."""
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def our_poem(name):
    """Return the bytes of one of the three poems."""
    with open(os.path.join(ROOT, "poetry", name), "rb") as file:
        return file.read()


def load(script):
    """Return one of the scripts as a module: import cannot, because of the hyphen in the name."""
    spec = importlib.util.spec_from_file_location("script", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_all(sock):
    """Return all that comes from a socket until its end."""
    return b"".join(iter(lambda: sock.recv(65536), b""))


def reset(sock):
    """Close a connection with a reset instead of an end."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def limited(limit):
    """Return the beginning of a command that runs the rest of it under a limit of sh's ulimit."""
    return ["sh", "-c", f'ulimit {limit} && exec "$@"', "sh"]


class Terminal(Program):
    """A command at a terminal of its own, as a person has it; all that it shows is in stdout."""

    def __init__(self, command, **options):
        self.keyboard, screen = pty.openpty()
        fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        super().__init__(["setsid", "--ctty", *command],
                         stdin=screen, stdout=screen, stderr=screen, **options)
        os.close(screen)
        self.follow([os.fdopen(os.dup(self.keyboard), "rb")])

    def press(self, keys):
        """Type these bytes."""
        os.write(self.keyboard, keys)

    def stop(self):
        """Kill it together with all that it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        super().stop()
        os.close(self.keyboard)


class Case(unittest.TestCase):
    """A test that starts programs and sockets, need not stop them, and ends within a minute."""

    def run(self, result=None):
        """Run the test; after TEST_DEADLINE seconds it fails, wherever it is.

        Not in setUp(), which a test may override. A test that fails so late is the last one: then
        a change of a script that makes every test hang costs one deadline.
        """
        def give_up(number, frame):  # the test has failed: where the exception lands does no harm
            result.failfast = True  # else subTest() would catch it, and the test go on
            raise AssertionError(f"the test did not end in {TEST_DEADLINE} seconds")

        def end(number, frame):  # and with the suite what it has started
            if number != signal.SIGHUP or not NOHUP:
                self.doCleanups()
                os._exit(128 + number)

        result = self.defaultTestResult() if result is None else result
        before, start = len(result.failures + result.errors), time.monotonic()
        signal.signal(signal.SIGALRM, give_up)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, end)
        signal.setitimer(signal.ITIMER_REAL, TEST_DEADLINE, 5)
        try:
            return super().run(result)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            failed = len(result.failures + result.errors) > before
            if failed and time.monotonic() - start > DEADLINE:
                print(f"\n{self.id()} has failed so late that no more tests are run", flush=True)
                result.stop()

    def enter(self, context):
        """Enter a context that is left when the test ends."""
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        return stack.enter_context(context)

    def program(self, script, *args, prefix=(), flags=STRICT, **options):
        """Start a script of ours, as the last part of a command."""
        return self.enter(Program([*prefix, *python(script, *args, flags=flags)], **options))

    def server(self, poem, *args, **options):
        """Start a slow poetry server and wait until it listens."""
        return self.enter(Server(poem, *args, **options))

    def terminal(self, *command, **options):
        """Start a command at a terminal."""
        return self.enter(Terminal(command, **options))

    def poem_file(self, content, name="poem.txt"):
        """Write a poem of our own and return its path; a number stands for that many zero bytes."""
        path = os.path.join(self.enter(tempfile.TemporaryDirectory()), name)
        with open(path, "wb") as file:
            if isinstance(content, int):
                file.truncate(content)  # takes no room on the disk
            else:
                file.write(content)
        return path

    def call(self, port, host="127.0.0.1"):
        """Call a server, as netcat does, and return the socket."""
        return self.enter(socket.create_connection((host, port), DEADLINE))

    def listener(self, backlog=None):
        """Return the (listening socket, port) of a server that the test plays step by step."""
        sock = self.enter(socket.create_server(("127.0.0.1", 0), backlog=backlog))
        sock.settimeout(DEADLINE)
        return sock, sock.getsockname()[1]

    def accept(self, listener):
        """Return the connection of the next client that calls the listener."""
        sock = self.enter(listener.accept()[0])
        sock.settimeout(DEADLINE)
        return sock

    def closed_port(self):
        """Return the (socket, port) of a port where nobody listens, and nobody else can either."""
        sock = self.enter(socket.socket())
        sock.settimeout(DEADLINE)
        sock.bind(("127.0.0.1", 0))
        return sock, sock.getsockname()[1]

    def quick_server(self, poem=b"poem"):
        """Return the port of a server that sends every caller the poem at once."""
        listener, port = self.listener(backlog=2048)
        self.addCleanup(listener.shutdown, socket.SHUT_RDWR)  # ends an accept() that is under way

        def serve():
            with contextlib.suppress(OSError):  # the test is over
                while True:
                    with listener.accept()[0] as sock:
                        sock.sendall(poem)

        threading.Thread(target=serve, daemon=True).start()
        return port

    def assertEnded(self, program, status, *stderr):
        """Check how a program ended, and that its lines on stderr match the patterns."""
        self.assertEqual(program.wait(), status, program)
        self.assertEqual(len(program.stderr), len(stderr), program)
        for line, pattern in zip(program.stderr, stderr):
            self.assertRegex(line, f"^{pattern}$")

    def assertInterrupted(self, program):
        """Send it the signal of Ctrl-C: it dies of that, without a word."""
        program.send_signal(signal.SIGINT)
        self.assertEqual(program.wait(), -signal.SIGINT, program)
        self.assertEqual(program.stderr, [])

    def assertNothingLeft(self, terminal):
        """Wait until all processes of a terminal have ended."""
        def gone():
            try:
                os.killpg(terminal.process.pid, 0)
            except ProcessLookupError:
                return True

        wait_until(gone, lambda: f"something is left of {terminal}")

    def assertEndedBy(self, number, terminal):
        """Send a terminal's program a signal, Ctrl-C by its key: all that it started ends, too."""
        if number == signal.SIGINT:
            terminal.press(b"\x03")
        else:
            terminal.send_signal(number)
        self.assertEqual(terminal.wait(), 128 + number, terminal)
        self.assertNothingLeft(terminal)
        self.assertNotIn("Traceback", "\n".join(terminal.stdout))
