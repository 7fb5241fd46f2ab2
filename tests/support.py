"""What the suite and the tools share: programs that run, and a base class for tests."""

import atexit
import contextlib
import errno
import importlib.util
import math
import os
import re
import resource
import select
import shlex
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # where all commands are run

SERVER = "blocking-server/slowpoetry.py"
BLOCKING = "blocking-client/get-poetry.py"
ASYNC = "async-client/get-poetry.py"

ECSTASY = "poetry/ecstasy.txt"
FASCINATION = "poetry/fascination.txt"
SCIENCE = "poetry/science.txt"

NUM_BYTES = 10  # the default of the server; a test compares the two
DELAY = 0.1  # the default of the server and of the tools, in seconds
PORT = 10000  # the first of the three ports of the tutorial, and of make servers

SESSION = [(ECSTASY, 30), (FASCINATION, 10), (SCIENCE, 10)]  # the tutorial's servers

DEADLINE = 15  # the seconds that a test may take; the slowest needs 3 on a machine that is not busy
# A socket or a file that is left open shows on stderr; installed packages are not looked for.
STRICT = ["-X", "dev", "-W", "error", "-S"]


def serving(poem=".*"):
    """Return a pattern for the server's first line. Its group is the port."""
    return rf"Serving {poem} on port ([0-9]+)\."


def server_command(poem, num_bytes, delay, port=0):
    """Return the command that starts a slow poetry server, without options that are defaults."""
    command = [sys.executable, SERVER]
    if port:
        command += ["--port", str(port)]
    command.append(poem)
    if num_bytes != NUM_BYTES:
        command += ["--num-bytes", str(num_bytes)]
    if delay != DELAY:
        command += ["--delay", str(delay)]
    return command


def client_command(script, servers):
    """Return the command that gets a poem from each of these servers."""
    return [sys.executable, script, *[str(server.port) for server in servers]]


def predict(poem, num_bytes, delay):
    """Return the seconds for which this server sleeps while it sends its poem."""
    size = os.path.getsize(os.path.join(ROOT, poem))
    return math.ceil(size / num_bytes) * delay


def parse_duration(line):
    """Return the seconds in a line like 'Got 3 poems in 0:00:10.126361'."""
    hours, minutes, seconds = line.rpartition(" in ")[2].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


class Program:
    """A command that runs as a process.

    printed has the lines of its output that have been read so far. errors() returns those of its
    stderr, unless that goes the same way as the output.
    """

    running = []  # all programs that have been started and not ended
    starting = False  # whether a process is being started at this moment
    stopped_by = None  # the number of the signal that has come to a tool; see stop()

    def __init__(self, command, **options):
        self.command = command
        scripts = [part for part in command if part.endswith(".py")]
        self.name = scripts[0] if scripts else " ".join(command)
        self.printed = []
        self.awaited = None  # what we wait for just now, in words
        self.error_file = None
        # No buffer, because read_lines() could not see with select() what is in a buffer of ours.
        settings = {"cwd": ROOT, "bufsize": 0, "stdout": subprocess.PIPE, "env": environment()}
        settings.update(options)
        if "stderr" not in settings:
            self.error_file = tempfile.TemporaryFile()
            settings["stderr"] = self.error_file
        Program.starting = True
        try:
            self.process = subprocess.Popen(command, **settings)
            Program.running.append(self)
        finally:
            Program.starting = False
        if Program.stopped_by:
            stop(Program.stopped_by)

    def end(self):
        """Kill the process if it still runs, and let go of its files."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        if self.error_file:
            self.error_file.close()
        if self in Program.running:
            Program.running.remove(self)

    def lines(self):
        """Yield the lines of its output as they come, until the output ends."""
        for _, line in read_lines([self]):
            if line is not None:
                yield line

    def next_line(self):
        """Wait for the next line of its output, and return it, or None if there is no more."""
        return next(self.lines(), None)

    def expect(self, pattern):
        """Wait for the next line, which has to match the whole pattern, and return the match."""
        self.awaited = f"the line {pattern!r}"
        line = self.next_line()
        self.awaited = None
        match = re.fullmatch(pattern, line or "")
        if not match:
            came = "its output ended" if line is None else f"it printed {line!r}"
            raise AssertionError(f"{self}\n{came}, but the line {pattern!r} was awaited")
        return match

    def wait_for(self, pattern):
        """Read on until a line matches the whole pattern, and return the match."""
        self.awaited = f"a line {pattern!r}"
        for line in self.lines():
            if match := re.fullmatch(pattern, line):
                self.awaited = None
                return match
        self.awaited = None
        raise AssertionError(f"{self}\nits output ended, but a line {pattern!r} was awaited")

    def wait(self):
        """Read the rest, wait for the end, and return the exit status (-2: died of signal 2)."""
        self.awaited = "its end"
        for _ in self.lines():
            pass
        status = self.process.wait()
        self.awaited = None
        return status

    def errors(self):
        """Return the lines of its stderr so far."""
        if not self.error_file or self.error_file.closed:
            return []
        text = os.pread(self.error_file.fileno(), 1 << 20, 0)
        return text.decode("utf-8", "backslashreplace").splitlines()

    def __str__(self):
        command = " ".join(self.command[:8])
        if len(self.command) > 8:
            command += f" ... ({len(self.command) - 8} arguments more)"
        lines = [f"{command}: status {self.process.poll()}"]
        lines += [f"  printed: {line}" for line in self.printed[-30:]]
        lines += [f"  stderr: {line}" for line in self.errors()[-30:]]
        return "\n".join(lines)


def environment():
    """Return the environment for a program, without what would change how it behaves."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(("PYTHON", "COLUMNS", "MAKE"))}
    env["NO_COLOR"] = "1"  # argparse has colours since Python 3.14
    env["RES_OPTIONS"] = "timeout:1 attempts:1"  # for a name server that does not answer
    return env


def read_lines(programs, timeout=None):
    """Yield (program, line) for the lines that the programs print, as they come.

    If several have printed something, the first of these programs comes first. When a program's
    output ends, (program, None) comes once. The iteration ends when the output of all of them has
    ended, or when nothing has come for timeout seconds.
    """
    pipes = {program.process.stdout: program for program in programs
             if program.process.stdout and not program.process.stdout.closed}
    while pipes:
        readable, _, _ = select.select(list(pipes), [], [], timeout)
        if not readable:
            return
        pipe = readable[0]
        program = pipes[pipe]
        line = pipe.readline()
        if line:
            program.printed.append(line.decode("utf-8", "backslashreplace").rstrip("\r\n"))
            yield program, program.printed[-1]
        else:
            del pipes[pipe]
            yield program, None


def end_all():
    """Kill all programs that still run, and all processes in the groups that they lead."""
    for program in list(Program.running):
        signal_group(program, signal.SIGKILL)
        program.end()


class ToolError(Exception):
    """What keeps a tool from its work, in one line for the person at the terminal."""


def start_server(poem, num_bytes, delay, port=0):
    """Start a slow poetry server for a tool, wait until it listens, and return it with its port."""
    server = Program(server_command(poem, num_bytes, delay, port), stderr=subprocess.STDOUT)
    line = server.next_line() or "nothing"
    if match := re.fullmatch(serving(), line):
        server.port = int(match[1])
        return server
    if line.startswith("usage: "):  # this is several lines, of which the last is the error
        server.wait()
        raise ToolError(server.printed[-1])
    if line.startswith("slowpoetry.py: "):
        raise ToolError(line)
    raise ToolError(f"a server has printed this in place of its first line: {line}")


def stop(number, frame=None):
    """Handle SIGINT and SIGTERM in a tool: leave main() by an exception, so that run() can tidy up.

    While a process is being started, an exception could lose it before it is in Program.running.
    So the signal is only noted then, and Program calls this function again a moment later.
    """
    Program.stopped_by = number
    if not Program.starting:
        sys.exit(128 + number)


def run(main):
    """Run a tool's main(), end what it has started, whatever has ended it, and exit."""
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    # Python handles a signal when the call that waits is interrupted. A signal that comes just
    # before the call begins to wait would be noticed only afterwards, so another one comes each
    # second and interrupts the call.
    signal.signal(signal.SIGALRM, lambda number, frame: None)
    signal.setitimer(signal.ITIMER_REAL, 1, 1)
    sys.stdout.reconfigure(line_buffering=True, errors="replace")
    status = 0
    try:
        main()
    except SystemExit as leaving:  # raised by stop() or by argparse
        status = leaving.code
    except (ToolError, OSError) as error:
        print(error, file=sys.stderr)
        status = 1
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0)
        end_all()
    # All lines have been written. sys.exit() would flush the output again, which waits for ever if
    # stop() has interrupted a print() whose output nobody reads.
    os._exit(status)


def load(script):
    """Return a script as a module. It cannot be imported, because its name has a hyphen."""
    spec = importlib.util.spec_from_file_location("script", os.path.join(ROOT, script))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_text(path):
    """Return the text of a file of ours."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def receive_all(sock):
    """Return all that comes from a socket until the connection ends."""
    received = bytearray()
    while True:
        data = sock.recv(65536)
        if not data:
            return bytes(received)
        received += data


def reset(sock):
    """Close a connection with a reset, which is an error for the other end."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def signal_group(program, number):
    """Send a signal to a program and to all that it has started, as a terminal does at Ctrl-C."""
    with contextlib.suppress(ProcessLookupError):  # they have ended already
        os.killpg(program.process.pid, number)


atexit.register(end_all)  # after Ctrl-C, unittest does not clean up what a test has started


class Case(unittest.TestCase):
    """The base class of all tests.

    What a test has started is ended after it. A test that waits in vain fails.
    """

    seconds = DEADLINE  # that a test may take

    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.addCleanup(end_all)
        self.programs = []
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the suite as Ctrl-C does
        self.late = False
        self.awaited = None  # what the test waits for just now, if it is not a program
        signal.signal(signal.SIGALRM, self.give_up)
        self.start_deadline()
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)

    def start_deadline(self):
        """Give the test its seconds from now on, unless it has been late before."""
        if not self.late:
            signal.setitimer(signal.ITIMER_REAL, Case.seconds, 1)

    def give_up(self, number, frame):
        """Fail because the deadline has passed. The timer gives each later subtest a second.

        What has made one test late makes many others late, too. So the next tests have only half
        as long, and the suite has run in two minutes even if half of its tests wait in vain.
        """
        if Program.starting:
            return  # an exception would lose this process, and the timer comes again in a second
        awaited = [program for program in self.programs if program.awaited]
        lines = [str(program) for program in awaited or self.programs[-1:]]
        lines.append(f"The test has taken more than {Case.seconds} s.")
        if Case.seconds < DEADLINE:
            lines[-1] += " (It had less time than usual, because other tests have been late.)"
        for program in awaited:
            lines.append(f"It was waiting for {program.awaited} from {program.name}.")
        if self.awaited:
            lines.append(f"It was waiting for {self.awaited}.")
        if not self.late:
            Case.seconds = max(2, Case.seconds / 2)
        self.late = True
        self.fail("\n".join(lines))

    def need_files(self, count):
        """Skip the test where a process may not have so many files open."""
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if limit < count:
            self.skipTest(f"a process may have only {limit} files open here (ulimit -n)")

    @contextlib.contextmanager
    def no_time_outs(self):
        """Fail if a time-out is set for any socket of this process."""
        with mock.patch.object(socket.socket, "settimeout", side_effect=AssertionError), \
                mock.patch("socket.setdefaulttimeout", side_effect=AssertionError):
            yield

    # What a test starts:

    def start(self, command, **options):
        """Start a command in a process group of its own, which is killed after the test."""
        program = Program(command, start_new_session=True, **options)
        self.programs.append(program)
        return program

    def start_script(self, script, *args, **options):
        """Start one of the three scripts."""
        return self.start([sys.executable, *STRICT, script, *map(str, args)], **options)

    def start_server(self, poem, *args, **options):
        """Start a slow poetry server, and wait until it listens; then it has a port."""
        server = self.start_script(SERVER, poem, *args, **options)
        server.port = int(server.expect(serving())[1])
        return server

    def start_in_shell(self, setup, script, *args, **options):
        """Start a script in a shell that has run a setup command before it becomes the script."""
        command = [sys.executable, *STRICT, script, *map(str, args)]
        return self.start(["sh", "-c", f"{setup}; exec {shlex.join(command)}"], **options)

    def write_poem(self, content, name="poem.txt"):
        """Write a poem of our own, and return its path."""
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    # The test as a client:

    def call(self, port, host="127.0.0.1"):
        """Connect to a server, as netcat does, and return the socket."""
        return self.stack.enter_context(socket.create_connection((host, port)))

    # The test as a server:

    def listen(self):
        """Return the (listening socket, port) of a server that the test plays itself."""
        listener = self.stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1000))
        return listener, listener.getsockname()[1]

    def accept(self, listener):
        """Return the connection to the next client that calls."""
        self.awaited = "a client that connects"
        sock, _ = listener.accept()
        self.awaited = None
        return self.stack.enter_context(sock)

    def send_short_poem(self, listener):
        """Send four bytes to the next client that calls."""
        with self.accept(listener) as sock:
            sock.sendall(b"poem")

    def hold_port(self, *hosts):
        """Return (sockets, port): a port that is ours on each of these hosts. Nobody listens there.

        A server that sets SO_REUSEADDR, as ours does, can nevertheless listen on it. The operating
        system chooses the port on the first host. If it is in use on another one, try again.
        """
        while True:
            sockets = []
            port = 0
            try:
                for host in hosts:
                    sock = self.stack.enter_context(socket.socket())
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    sock.bind((host, port))
                    port = sock.getsockname()[1]
                    sockets.append(sock)
                return sockets, port
            except OSError as error:
                if port == 0 or error.errno != errno.EADDRINUSE:
                    raise

    # What a test says of a program:

    def assertEnded(self, program, status, *errors):
        """Wait for a program's end. Compare its status, and its lines on stderr with patterns."""
        self.assertEqual(program.wait(), status, f"{program}\nthis status is not as expected")
        lines = program.errors()
        if len(lines) != len(errors) or not all(map(re.fullmatch, errors, lines)):
            self.fail(f"{program}\nexpected on stderr: {list(errors)}")
