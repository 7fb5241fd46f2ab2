"""Show the tutorial's session: its three servers, then the blocking client, then the async one.

    python3 -m tests.demo --delay 0.01

While a client runs, a row of digits grows: Figure 1 and Figure 3 of the tutorial's Part 1, drawn
from what happens. At the end there is a picture of the waits.
"""

import argparse
import re
import resource
import subprocess
import sys
import time

from tests import support
from tests.support import ASYNC, BLOCKING, DELAY, SESSION, Program, ToolError

WIDTH = 76  # of a row of digits
BARS = 50  # columns for the bars of the slower client
DIGITS = 30  # of each client are repeated in the picture


class Run:
    """What one client has done: all times are in seconds since its first line."""

    def __init__(self, title):
        self.title = title
        self.digits = ""  # the number of a task for each chunk, in the order they came
        self.begins = {}  # {number of the task: when the client turned to it}
        self.ends = {}
        self.total = 0
        self.computed = 0  # the processor time


def command_line(command):
    """Return a command as a person types it, in two lines if it is longer than the screen."""
    line = " ".join(["$ python3", *command[1:]])
    if len(line) > 80:
        options = line.index(" --")
        line = f"{line[:options]} \\\n     {line[options:]}"
    return line


def watch(client, servers):
    """Yield (task number, line) for what the servers print, and (None, line) for the client.

    The client says that it begins a task before it connects, so this line has to come before those
    of the server: the client is the first in read_lines(). It says that it has a poem after the
    server has printed and sent all of it, so then what is left of the server's lines comes first.
    """
    tasks = {server: task_num for task_num, server in enumerate(servers, 1)}
    for program, line in support.read_lines([client, *servers]):
        if program is not client:
            if line is None:
                raise ToolError(f"the server on port {program.port} has ended")
            yield tasks[program], line
        elif line is None:
            return
        else:
            if done := re.match("Task ([0-9]+): got .* in ", line):
                server = servers[int(done[1]) - 1]
                for _, earlier in support.read_lines([server], timeout=0):
                    yield tasks[server], earlier
            yield None, line


def show(lines, run, script):
    """Print a client's lines, and in place of each chunk a digit. Note in run what happens.

    lines is what watch() yields. The blocking client says nothing while it waits, so its digits
    are the chunks that the servers send. Those of the async client are its own lines "got".
    """
    start = None
    width = 0  # of the row of digits that has begun
    for server, line in lines:
        if start is None:
            start = time.monotonic()
        now = time.monotonic() - start
        digit = None
        task = re.match("Task ([0-9]+)", line)
        if script == BLOCKING and server and line.startswith("Sending "):
            digit = str(server)
        elif script == ASYNC and not server and re.match("Task [0-9]+: got ", line):
            digit = task[1]
        if digit:
            run.digits += digit
            run.begins.setdefault(digit, 0)
            width += 1
            # At a terminal each digit is seen at once; elsewhere the rows come whole.
            print(digit, end="\n" if width == WIDTH else "", flush=sys.stdout.isatty())
            width %= WIDTH
        elif not server:
            if width:
                print()
                width = 0
            print(line)
            if "get poetry from" in line:
                run.begins[task[1]] = now
            elif task and ("finished" in line or "got" in line):
                run.ends[task[1]] = now
            elif line.startswith("Got "):
                run.total = support.parse_duration(line)


def run_client(title, script, servers):
    """Run a client, show what happens, and return its Run."""
    command = support.client_command(script, servers)
    print(f"\n{command_line(command)}")
    run = Run(title)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    client = Program(command, stderr=subprocess.STDOUT)
    show(watch(client, servers), run, script)
    if client.wait() != 0:
        raise ToolError("not all poems came, so there is nothing to compare")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    run.computed = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return run


def draw(blocking_run, async_run):
    """Return the lines of the picture of two Runs."""
    columns_per_second = BARS / max(blocking_run.total, *blocking_run.ends.values(),
                                    async_run.total, *async_run.ends.values())
    lines = []
    for run in (blocking_run, async_run):
        lines.append(f"{run.title}: {run.total:.1f} s")
        for task, begin in sorted(run.begins.items()):
            end = run.ends[task]
            left = round(begin * columns_per_second)
            right = round(end * columns_per_second)
            bar = " " * left + "░" * (right - left)
            lines.append(f"  Task {task} {bar} {begin:.1f} to {end:.1f} s")
        waited = max(0.0, run.total - run.computed)
        lines.append(f"  first digits: {run.digits[:DIGITS]}")
        lines.append(f"  computed for {run.computed:.2f} s, waited for {waited:.1f} s")
        lines.append("")
    lines.append(f"{blocking_run.total:.1f} s / {async_run.total:.1f} s: "
                 f"the async client was {blocking_run.total / async_run.total:.1f} times as fast.")
    return lines


def main():
    """Run the session."""
    parser = argparse.ArgumentParser(description="Run the tutorial's servers and both clients.")
    parser.add_argument("--delay", type=float, default=DELAY,
                        help="seconds that the servers sleep after each chunk")
    delay = parser.parse_args().delay
    servers = []
    for poem, num_bytes in SESSION:
        print(command_line(support.server_command(poem, num_bytes, delay)))
        servers.append(support.start_server(poem, num_bytes, delay))
        print(servers[-1].printed[0])
    times = [support.predict(poem, num_bytes, delay) for poem, num_bytes in SESSION]
    print(f"\nThis takes about {sum(times) + max(times):.1f} s: the blocking client "
          f"{sum(times):.1f} s, the async one {max(times):.1f} s.")
    print("Each digit below is the number of a task. The blocking client says nothing while\n"
          "it waits, so its digits stand for the chunks that the servers send. Those of the\n"
          "async client stand for what it reads.")
    blocking_run = run_client("blocking client, one task after another", BLOCKING, servers)
    async_run = run_client("async client, tasks taking turns", ASYNC, servers)
    print("\nA bar is the time for which a client waits for the poem of this task.\n")
    print(*draw(blocking_run, async_run), sep="\n")


if __name__ == "__main__":
    support.run(main)
