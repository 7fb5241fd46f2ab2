"""Start the scripts as processes, read what they print as they print it, and stop them.

The suite, the demo and the benchmark all stand on this. Every wait has a deadline.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SERVER = os.path.join(ROOT, "blocking-server", "slowpoetry.py")
BLOCKING_CLIENT = os.path.join(ROOT, "blocking-client", "get-poetry.py")
ASYNC_CLIENT = os.path.join(ROOT, "async-client", "get-poetry.py")

# The tutorial's three servers: the poem, and the options beside the port.
SESSION = [
    ("poetry/ecstasy.txt", "--num-bytes", "30"),
    ("poetry/fascination.txt",),
    ("poetry/science.txt",),
]

# A socket or a file left open shows on stderr; nothing installed is found, and nothing is slow for it.
STRICT = ("-X", "dev", "-W", "error", "-S")
DEADLINE = 30  # seconds until a wait is given up; far more than any of them should take


def environment(**changes):
    """Return our environment without the variables that change how Python prints, then with the changes."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env.update(changes)
    return env


class Program:
    """A Python script running as a process; a context manager that kills it at the end.

    stdout and stderr are the lines printed so far, without their line ends, and
    moments the times on the monotonic clock at which those of stdout came.
    on_line, if given, is called in a thread with each line of either as it comes,
    and with None when there are no more.
    """

    def __init__(self, script, *args, flags=STRICT, prefix=(), on_line=lambda text: None, **options):
        command = [*prefix, sys.executable, *flags, script, *args]
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                   "cwd": ROOT, "env": environment(), **options}
        self.stdout, self.stderr, self.moments = [], [], []
        self.news = threading.Condition()
        self.process = subprocess.Popen(command, **options)
        self.pipes = [pipe for pipe in (self.process.stdout, self.process.stderr) if pipe]
        for pipe in list(self.pipes):
            threading.Thread(target=self.read, args=(pipe, on_line), daemon=True).start()

    def read(self, pipe, on_line):
        """Collect the lines of one pipe until it ends."""
        is_stdout = pipe is self.process.stdout
        with pipe:
            for line in pipe:
                text = line.decode("utf-8", "backslashreplace").rstrip("\n")
                with self.news:
                    if is_stdout:
                        self.moments.append(time.monotonic())
                    (self.stdout if is_stdout else self.stderr).append(text)
                    self.news.notify_all()
                on_line(text)
        with self.news:
            self.pipes.remove(pipe)
            self.news.notify_all()
            if not self.pipes:
                on_line(None)

    def wait_for(self, pattern, count=1, stream="stdout"):
        """Wait until count lines of a stream match the pattern; return the match of the last of them."""
        lines = getattr(self, stream)

        def found():
            matches = [match for match in map(re.compile(pattern).search, lines) if match]
            return matches[count - 1] if len(matches) >= count else None

        with self.news:
            self.news.wait_for(lambda: found() or not self.pipes, DEADLINE)
            if not found():
                raise AssertionError(f"{count} x {pattern!r} did not come in {stream}; {self}")
            return found()

    def wait(self):
        """Wait for the end of the process and of its output; return its exit status."""
        try:
            status = self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end in {DEADLINE} seconds; {self}")
        with self.news:
            self.news.wait_for(lambda: not self.pipes, DEADLINE)
        return status

    def interrupt(self):
        """Press Ctrl-C on it, and return its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    def stop(self):
        """Kill the process if it still runs."""
        self.process.kill()
        self.wait()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.stop()

    def __str__(self):
        printed = "\n  ".join(["stdout:", *self.stdout[-20:], "stderr:", *self.stderr[-20:]])
        return f"{self.process.args} (status {self.process.poll()}) printed\n  {printed}"


class Server(Program):
    """A slow poetry server that is listening by the time it is here, on a free port unless told otherwise."""

    def __init__(self, poem, *args, **options):
        super().__init__(SERVER, os.fspath(poem), *args, **options)
        try:
            self.port = int(self.wait_for(r"^Serving .* on port ([0-9]+)\.$")[1])
        except BaseException:
            self.stop()
            raise


def run(main):
    """Run a main() and exit with its status; the programs it has started end with it, whatever ends it."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    sys.stdout.reconfigure(line_buffering=True)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except AssertionError as error:
        sys.exit(str(error))
    except BrokenPipeError:
        os._exit(1)
