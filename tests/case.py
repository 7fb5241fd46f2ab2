"""The base of the suite: programs that are stopped after the test, callers, and peers that misbehave."""

import contextlib
import os
import re
import select
import signal
import socket
import struct
import tempfile
import threading
import time
import unittest

from support import ASYNC_CLIENT, BLOCKING_CLIENT, DEADLINE, ROOT, Program, Server

# A suite run in the background is started with Ctrl-C ignored, and would hand that down to the programs.
signal.signal(signal.SIGINT, signal.default_int_handler)

CLIENTS = {"blocking": BLOCKING_CLIENT, "async": ASYNC_CLIENT}


def poem_bytes(name):
    """Return the bytes of one of our poems."""
    with open(os.path.join(ROOT, "poetry", name), "rb") as file:
        return file.read()


def read_all(sock):
    """Return all that comes from a socket until its end."""
    return b"".join(iter(lambda: sock.recv(65536), b""))


def reset(sock):
    """Close a connection with a reset instead of an end."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Terminal(Program):
    """A program that is killed together with all it has started."""

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        super().stop()


class Case(unittest.TestCase):
    """A test that starts programs and sockets and need not stop them."""

    def enter(self, context):
        """Enter a context that is left when the test ends."""
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        return stack.enter_context(context)

    def program(self, script, *args, **options):
        """Start a script of ours."""
        return self.enter(Program(script, *map(str, args), **options))

    def server(self, poem, *args, **options):
        """Start a slow poetry server and wait until it listens."""
        return self.enter(Server(poem, *args, **options))

    def client(self, kind, *addresses, **options):
        """Start the blocking or the async client."""
        return self.program(CLIENTS[kind], *addresses, **options)

    def in_terminal(self, script, *args, **options):
        """Start a script in a session of its own."""
        return self.enter(Terminal(script, *args, start_new_session=True, **options))

    def assertNothingLeft(self, program):
        """Check that all processes of the program's session have ended, or do so now."""
        deadline = time.monotonic() + DEADLINE
        with self.assertRaises(ProcessLookupError):
            while time.monotonic() < deadline:
                os.killpg(program.process.pid, 0)

    def poem(self, content, name="poem.txt"):
        """Write a poem of our own and return its path."""
        path = os.path.join(self.enter(tempfile.TemporaryDirectory()), name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def call(self, port, host="127.0.0.1"):
        """Call a server, as netcat does, and return the socket."""
        return self.enter(socket.create_connection((host, port), DEADLINE))

    def peer(self, backlog=None):
        """Return (socket, port) of a server that the test plays itself."""
        sock = self.enter(socket.create_server(("127.0.0.1", 0), backlog=backlog))
        sock.settimeout(DEADLINE)
        return sock, sock.getsockname()[1]

    def accept(self, peer):
        """Return the connection of the next client that calls the peer."""
        sock = self.enter(peer.accept()[0])
        sock.settimeout(DEADLINE)
        return sock

    def poet(self, poem=b"poem"):
        """Return the port of a server that sends every caller the poem at once."""
        peer, port = self.peer(backlog=2048)

        def serve():
            with contextlib.suppress(OSError):  # the test is over
                while True:
                    with peer.accept()[0] as sock:
                        sock.sendall(poem)

        threading.Thread(target=serve, daemon=True).start()
        return port

    def full_peer(self):
        """Return the port of a server whose listen queue is full, so that no connect is answered."""
        _, port = self.peer(backlog=0)
        while True:
            sock = self.enter(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
            if not select.select([], [sock], [], 0.3)[1]:
                sock.close()
                return port

    def wait_until_connecting(self, port):
        """Wait until somebody has asked for a connection to a port of 127.0.0.1 and has no answer."""
        asked = re.compile(f":{port:04X} 02 ")  # SYN_SENT
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            with open("/proc/net/tcp") as table:
                if asked.search(table.read()):
                    return
        self.fail(f"nobody connects to port {port}")

    def assertEnded(self, program, status, *stderr):
        """Check how a program ended, and that its lines on stderr match the patterns."""
        self.assertEqual(program.wait(), status, program)
        self.assertEqual(len(program.stderr), len(stderr), program)
        for line, pattern in zip(program.stderr, stderr):
            self.assertRegex(line, f"^{pattern}$")
