"""Start programs, read what they print, and end them. The suite and the tools stand on this."""

import contextlib
import importlib.util
import math
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # where all commands are run
SCRIPTS = SERVER, BLOCKING, ASYNC = [
    "blocking-server/slowpoetry.py", "blocking-client/get-poetry.py", "async-client/get-poetry.py"]
POEMS = ECSTASY, FASCINATION, SCIENCE = [
    "poetry/ecstasy.txt", "poetry/fascination.txt", "poetry/science.txt"]
SESSION = [(ECSTASY, 30), (FASCINATION, 10), (SCIENCE, 10)]  # of the tutorial's servers

# A socket or a file that is left open shows on stderr; installed packages are not looked for.
STRICT = ("-X", "dev", "-W", "error", "-S")
DEADLINE = 60  # seconds that a test may take


def python(*args, flags=STRICT):
    """Return the command that runs a script with this Python."""
    return [sys.executable, *flags, *map(str, args)]


def slow_poetry(poem, num_bytes, delay, port=0):
    """Return the command that starts a slow poetry server, as a person does."""
    options = ["--port", port, "--num-bytes", num_bytes, "--delay", delay]
    return python(SERVER, *options, poem, flags=())


def predict(poem, num_bytes, delay):
    """Return the seconds that this server sleeps while it sends its poem."""
    return math.ceil(os.path.getsize(os.path.join(ROOT, poem)) / num_bytes) * delay


def parse_duration(line):
    """Return the seconds in a line like 'Got 3 poems in 0:00:10.126361'."""
    hours, minutes, seconds = line.split(" in ")[1].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


class Program(contextlib.ExitStack):
    """A command running as a process; a context manager, which kills it at the end.

    Reading waits until something is printed. printed has the lines of stdout that have been read.
    """

    starting, ended_by = False, None  # see leave()

    def __init__(self, command, **options):
        env = {name: value for name, value in os.environ.items()
               if not name.startswith(("PYTHON", "COLUMNS", "MAKE"))}
        # argparse has colours since Python 3.14; a name server that does not answer costs a second.
        env.update(NO_COLOR="1", RES_OPTIONS="timeout:1 attempts:1")
        super().__init__()
        self.printed, self.pattern = [], None
        self.error_file, path = tempfile.mkstemp()
        self.callback(os.close, self.error_file)
        os.unlink(path)
        options = {"stdout": subprocess.PIPE, "stderr": self.error_file, **options}
        Program.starting = True
        self.process = self.enter_context(subprocess.Popen(command, cwd=ROOT, env=env, **options))
        self.callback(self.process.kill)
        Program.starting = False
        if Program.ended_by:
            self.close()
            leave(Program.ended_by, None)

    def lines(self):
        """Yield the lines of stdout as they come, without their line ends."""
        pipe = self.process.stdout
        for line in pipe if pipe and not pipe.closed else ():
            self.printed.append(line.decode("utf-8", "backslashreplace").rstrip("\r\n"))
            yield self.printed[-1]

    def wait_for(self, pattern):
        """Read on to the next line that matches the pattern, and return the match."""
        self.pattern = pattern
        for line in self.lines():
            if match := re.search(pattern, line):
                return match
        raise AssertionError(f"it ended without this line: {self}")

    def wait_for_port(self):
        """Read on until a slow poetry server listens, and return its port."""
        return int(self.wait_for(r"^Serving .* on port ([0-9]+)\.$")[1])

    def wait(self):
        """Read the rest, wait for the end, and return the exit status (-2: died of signal 2)."""
        for _ in self.lines():
            pass
        return self.process.wait()

    def errors(self):
        """Return the lines of stderr so far."""
        text = os.pread(self.error_file, 1 << 20, 0)  # read() would move where the program writes
        return text.decode("utf-8", "backslashreplace").splitlines()

    def __str__(self):
        about = f"status {self.process.poll()}, awaited {self.pattern!r}, printed:"
        lines = [*self.printed[-30:], *self.errors()[-30:]]
        return "\n  ".join([str(self.process.args), about, *lines])


def leave(number, frame):
    """Exit because of a signal; but not within Popen(), where nobody would end the new process."""
    Program.ended_by = number
    if not Program.starting:
        sys.exit(128 + number)


def run(main):
    """Run a tool's main(). Whatever ends it leaves its "with" blocks, which end what it started."""
    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    # If a signal comes just before read() or select() waits, it is noticed when the next one comes.
    signal.signal(signal.SIGALRM, lambda number, frame: None)
    signal.setitimer(signal.ITIMER_REAL, 1, 1)
    sys.stdout.reconfigure(line_buffering=True, errors="replace")
    try:
        main()
    except (AssertionError, OSError) as error:
        print(str(error).splitlines()[-1].strip(), file=sys.stderr)
        os._exit(1)  # sys.exit() would flush our output again, and might fail again
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def load(script):
    """Return a script as a module: import cannot, because of the hyphen in the name."""
    spec = importlib.util.spec_from_file_location("script", os.path.join(ROOT, script))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(path):
    """Return the text of a file of ours."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def read_all(sock):
    """Return all that comes from a socket until its end."""
    return b"".join(iter(lambda: sock.recv(65536), b""))


def send_group(program, number):
    """Send a signal to a program and to all that it has started, as a terminal does at Ctrl-C."""
    with contextlib.suppress(ProcessLookupError):  # they have ended
        os.killpg(program.process.pid, number)


class Case(unittest.TestCase):
    """A test that need not end what it starts, and that ends within a minute itself."""

    def run(self, result=None):
        """Run the test. If it waits in vain, it fails, and is the last: others would wait, too."""
        def give_up(number, frame):
            result.failfast = True
            self.fail("\n".join([f"it took more than {DEADLINE} s", *map(str, self.programs)]))

        signal.signal(signal.SIGALRM, give_up)
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the suite as Ctrl-C does
        self.programs = []
        with contextlib.ExitStack() as self.stack:
            self.stack.callback(signal.alarm, 0)
            signal.alarm(DEADLINE)
            return super().run(result)

    def program(self, command, **options):
        """Start a command in a process group of its own, which ends with the test."""
        program = self.stack.enter_context(Program(command, start_new_session=True, **options))
        self.programs.append(program)
        self.stack.callback(send_group, program, signal.SIGKILL)
        return program

    def script(self, script, *args, prefix=(), **options):
        """Start a script. If there is a prefix, this is a command which then runs the script."""
        return self.program([*prefix, *python(script, *args)], **options)

    def server(self, poem, *args, **options):
        """Start a slow poetry server, and wait until it listens; then it has a port."""
        server = self.script(SERVER, poem, *args, **options)
        server.port = server.wait_for_port()
        return server

    def poem_file(self, content, name="poem.txt"):
        """Write a poem of our own, and return its path."""
        path = os.path.join(self.stack.enter_context(tempfile.TemporaryDirectory()), name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def call(self, port, host="127.0.0.1"):
        """Connect to a server, as netcat does, and return the socket."""
        return self.stack.enter_context(socket.create_connection((host, port)))

    def listener(self, backlog=None):
        """Return the (listening socket, port) of a server that the test plays itself."""
        sock = self.stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=backlog))
        return sock, sock.getsockname()[1]

    def served(self, server):
        """Return the lines about a server's callers, complete, as it takes another one first."""
        server.wait_for(re.escape(str(self.call(server.port).getsockname())))
        return server.printed[1:-1]

    def closed_port(self):
        """Return the (socket, port) of a port on which nobody listens, and nobody else can."""
        sock = self.stack.enter_context(socket.socket())
        sock.bind(("127.0.0.1", 0))
        return sock, sock.getsockname()[1]

    def accept(self, listener):
        """Return the connection to the next client that calls a listener."""
        return self.stack.enter_context(listener.accept()[0])

    def serve(self, listener):
        """Send the next client that calls a listener a poem of four bytes."""
        with listener.accept()[0] as sock:
            sock.sendall(b"poem")

    def reset(self, sock):
        """Close a connection with a reset instead of an end."""
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    def assertEnded(self, program, status, *errors):
        """Wait for a program's end, and check its status and its lines on stderr, by patterns."""
        self.assertEqual(program.wait(), status, program)
        self.assertTrue(re.fullmatch("\n".join(errors), "\n".join(program.errors())), program)
