"""Show the tutorial's session: its three servers, then the blocking client, then the async one.

    python3 -m tests.demo --delay 0.01

It ends with a picture: a bar for each task, from its start to its end.
"""

import argparse
import contextlib
import re
import resource
import subprocess
import time

from tests import support
from tests.support import Program

COLUMNS = 60  # of the longest row of bars


def run_client(name, script, ports):
    """Run a client and print its lines as they come; return (name, total, bars, computed)."""
    command = support.python(script, *ports, flags=())
    print("\n$ python3", *command[1:])
    start, begin, bars = 0, 0, {}  # {task: (begin, end)}, in seconds, like all times here
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with Program(command, stderr=subprocess.STDOUT) as client:
        for line in client.lines():
            print(line)
            start = start or time.monotonic()
            total = time.monotonic() - start
            if re.match("Task [0-9]+: get poetry", line):
                begin = total
            elif task := re.match("Task ([0-9]+)(?: finished|: got .* in )", line):
                bars[task[1]] = begin, total
        if client.wait():
            raise AssertionError("not all poems came, so there is nothing to compare")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return name, total, bars, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def draw(blocking, other):
    """Return the lines of the picture of two clients, each (name, total, bars, computed)."""
    scale = COLUMNS / max(blocking[1], other[1])
    lines = []
    for name, total, bars, computed in (blocking, other):
        lines.append(f"{name}: {total:.1f} s")
        for task, (begin, end) in sorted(bars.items()):
            bar = " " * round(begin * scale) + "█" * (round(end * scale) - round(begin * scale))
            lines.append(f"  Task {task} {bar} {end - begin:.1f} s")
        lines += [f"  computed for {computed:.2f} s, waited for {total - computed:.1f} s", ""]
    lines.append(f"{blocking[1]:.1f} s / {other[1]:.1f} s: "
                 f"the async client was {blocking[1] / other[1]:.1f} times as fast.")
    return lines


def main():
    """Run the session."""
    parser = argparse.ArgumentParser(description="Run the tutorial's servers and both clients.")
    parser.add_argument("--delay", type=float, default=0.1, help="the servers' pauses, in s")
    delay = parser.parse_args().delay
    with contextlib.ExitStack() as stack:
        ports = []
        for poem, num_bytes in support.SESSION:
            command = support.slow_poetry(poem, num_bytes, delay)
            print("$ python3", *command[1:])
            server = stack.enter_context(Program(command))
            ports.append(server.wait_for_port())
            print(server.printed[0])
        times = [support.predict(*settings, delay) for settings in support.SESSION]
        print(f"\nThis takes about {sum(times) + max(times):.1f} s: the blocking client "
              f"{sum(times):.1f} s, the async one {max(times):.1f} s.")
        clients = [
            run_client("blocking client, one task after the other", support.BLOCKING, ports),
            run_client("async client, all tasks at once", support.ASYNC, ports)]
    print("", *draw(*clients), sep="\n")


if __name__ == "__main__":
    support.run(main)
