"""Start programs as processes, read what they print as they print it, and stop them.

The suite, the demo and the benchmark stand on this; it imports nothing of ours.

Signals are polled: the handlers that run() sets only note the number, and wait_until(), each_line()
and show() look at it. A handler that raises an exception is shorter, but the exception can land
inside subprocess.Popen(), when the process has started and nobody holds it yet: then it is left
running. (Tried under random stalls: 3 of 12 runs of the suite failed.)
"""

import contextlib
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SERVER = os.path.join(ROOT, "blocking-server", "slowpoetry.py")
BLOCKING = os.path.join(ROOT, "blocking-client", "get-poetry.py")
ASYNC = os.path.join(ROOT, "async-client", "get-poetry.py")
SCRIPTS = [SERVER, BLOCKING, ASYNC]

# The tutorial's three servers: the poem, and the options beside the port.
SESSION = [("poetry/ecstasy.txt", "--num-bytes", "30"), ("poetry/fascination.txt",),
           ("poetry/science.txt",)]

# A socket or a file left open shows on stderr; installed packages are not even looked for.
STRICT = ("-X", "dev", "-W", "error", "-S")
DEADLINE = 30  # seconds until a wait is given up; far more than any of them should take

signals = []  # the numbers of the signals that have told us to end


def check_signals():
    """End the program, and with it all that it has started, if a signal has told us to."""
    if signals:
        sys.exit(128 + signals[0])


def wait_until(condition, failure, deadline=DEADLINE):
    """Return condition()'s first true value, or raise AssertionError(failure()) at the deadline."""
    end = time.monotonic() + deadline
    while True:
        if value := condition():
            return value
        check_signals()
        if time.monotonic() > end:
            raise AssertionError(failure())
        time.sleep(0.002)


def each_line(*programs):
    """Yield (program, line) as these programs print to stdout, and (program, None) at the end."""
    shown = dict.fromkeys(programs, 0)  # {program: how many of its lines have been yielded}
    while shown:
        check_signals()
        for program in list(shown):
            ended = not program.pipes  # asked first: after the end no more lines come
            for line in program.stdout[shown[program]:]:
                shown[program] += 1
                yield program, line
            if ended:
                del shown[program]
                yield program, None
        time.sleep(0.002)


def show(*cells, end="\n"):
    """Print the cells at once, unless a signal has told us to end."""
    check_signals()
    print(*cells, sep="", end=end, flush=True)


def predict(poem, *options):
    """Return the seconds that a slow poetry server with these options sleeps during a poem."""
    given = dict(zip(options[::2], options[1::2]))
    size = os.path.getsize(os.path.join(ROOT, poem))
    return math.ceil(size / int(given.get("--num-bytes", 10))) * float(given.get("--delay", 0.1))


def parse_duration(text):
    """Return the seconds in a printed timedelta like 0:00:10.126361."""
    hours, minutes, seconds = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def environment(**changes):
    """Return our environment, without what changes how programs print, and with the changes."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(("PYTHON", "COLUMNS"))}
    return {**env, "NO_COLOR": "1", **changes}  # argparse has colours since Python 3.14


def python(script, *args, flags=STRICT):
    """Return the command that runs a script, or after "-m" a module, in this Python."""
    return [sys.executable, *flags, script, *map(str, args)]


class Program:
    """A command running as a process; a context manager that kills it at the end.

    stdout and stderr are the lines printed so far, without their line ends, and moments the times
    on the monotonic clock at which those of stdout came. Once poll() has seen the end, status is
    the exit status (-2: died of signal 2), usage the resources it used, and elapsed the seconds it
    ran.
    """

    def __init__(self, command, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE, "cwd": ROOT, "env": environment(), **options}
        self.stdout, self.stderr, self.moments = [], [], []
        self.status = self.usage = self.elapsed = None
        self.start = time.monotonic()
        self.process = subprocess.Popen(command, **options)
        self.follow([pipe for pipe in (self.process.stdout, self.process.stderr) if pipe])

    def follow(self, pipes):
        """Collect the lines of these files, each in a thread of its own."""
        self.pipes = list(pipes)
        self.readers = [threading.Thread(target=self.read, args=(pipe,), daemon=True)
                        for pipe in pipes]
        for reader in self.readers:
            reader.start()

    def read(self, pipe):
        """Collect the lines of one file until its end; that of a terminal is an OSError."""
        with pipe, contextlib.suppress(OSError):
            for line in pipe:
                text = line.decode("utf-8", "backslashreplace").rstrip("\r\n")
                if pipe is self.process.stderr:
                    self.stderr.append(text)
                else:
                    self.moments.append(time.monotonic())
                    self.stdout.append(text)
        self.pipes.remove(pipe)

    def wait_for(self, pattern, count=1, stream="stdout"):
        """Wait until count lines of a stream match the pattern; return the last one's match."""
        def found():
            ended = not self.pipes
            matches = [*filter(None, map(re.compile(pattern).search, getattr(self, stream)))]
            if ended and len(matches) < count:
                raise AssertionError(failure())
            return matches[count - 1:]

        def failure():
            return f"{count} x {pattern!r} did not come in {stream}; {self}"

        return wait_until(found, failure)[0]

    def poll(self):
        """Return the exit status, or None while it runs."""
        if self.status is None:
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                self.usage, self.elapsed = usage, time.monotonic() - self.start
                self.status = self.process.returncode = os.waitstatus_to_exitcode(status)
        return self.status

    def wait(self, deadline=DEADLINE):
        """Wait for the end of the process and of its output; return its exit status."""
        wait_until(lambda: self.poll() is not None and not self.pipes,
                   lambda: f"it did not end in {deadline} seconds; {self}", deadline)
        return self.status

    def send_signal(self, number):
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.process.pid, number)

    def stop(self):
        """Kill the process if it still runs, and collect what it has printed."""
        self.send_signal(signal.SIGKILL)
        if self.status is None:
            self.status = self.process.wait()
        for reader in self.readers:
            reader.join(DEADLINE)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.stop()

    def __str__(self):
        printed = "\n  ".join(["stdout:", *self.stdout[-30:], "stderr:", *self.stderr[-30:]])
        return f"{self.process.args} (status {self.poll()}) printed\n  {printed}"


class Server(Program):
    """A slow poetry server, which listens once it is constructed, on the port it has printed."""

    def __init__(self, poem, *args, flags=STRICT, **options):
        super().__init__(python(SERVER, os.fspath(poem), *args, flags=flags), **options)
        try:
            self.port = int(self.wait_for(r"^Serving .* on port ([0-9]+)\.$")[1])
        except BaseException:
            self.stop()
            raise


def run(main):
    """Run a main() and exit with its status; what it has started ends with it, whatever ends it."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup has it ignored
        numbers.append(signal.SIGHUP)
    for number in numbers:
        signal.signal(number, lambda number, frame: signals.append(number))
    try:
        status = main()
    except (AssertionError, OSError) as error:
        status = 1
        if not signals:
            print(error, file=sys.stderr)
    finally:
        if signals:  # what our programs failed at then, they failed at because of the signal
            os._exit(128 + signals[0])
    os._exit(status)  # sys.exit() would try once more to print what a broken pipe did not take
