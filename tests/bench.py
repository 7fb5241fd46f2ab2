#!/usr/bin/env python3
"""Measure the two clients: exercise 1 as a table, then unpaced poems, then many servers.

    python3 tests/bench.py
    python3 tests/bench.py --quick     a few seconds, too short to tell much
    python3 tests/bench.py --only many

A client's seconds are those it prints. Its peak memory and its CPU seconds are those of the whole
process, the interpreter's start included.
"""

import argparse
import collections
import contextlib
import math
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

from figures import parse_duration, predict
from support import (ASYNC_CLIENT, BLOCKING_CLIENT, DEADLINE, ROOT, SERVER, Program, python, run,
                     show)

BARE_LOOP, PACED_SERVERS, STREAMS_CLIENT = (
    os.path.join(ROOT, "tests", name)
    for name in ("bare_loop.py", "paced_servers.py", "streams_client.py"))
NETCAT = shutil.which("netcat") or shutil.which("nc")
MIB = 1 << 20
FLAGS = ("-S",)  # installed packages are not even looked for
SPARE_FILES = 50  # what a process may have open beside its connections

YEATS = "poetry/fascination.txt"
# {name: [(number of servers, poem, bytes in each send, seconds after each send), ...]}
EXERCISE = {
    "one server": [(1, YEATS, 10, 0.05)],
    "the tutorial's three": [(1, "poetry/ecstasy.txt", 30, 0.1), (1, YEATS, 10, 0.1),
                             (1, "poetry/science.txt", 10, 0.1)],
    "three alike": [(3, YEATS, 10, 0.03)],
    "ten alike": [(10, YEATS, 10, 0.01)],
    "nine fast, one slow": [(9, YEATS, 10, 0.005), (1, YEATS, 10, 0.05)],
    "chunks of 10, 20, 40": [(1, YEATS, 10, 0.025), (1, YEATS, 20, 0.05), (1, YEATS, 40, 0.1)],
}

Result = collections.namedtuple("Result", "seconds cpu peak")  # peak is in MiB
# Of a full or a quick run. pace: what exercise 1's delays are multiplied by; size: of an unpaced
# poem, in bytes; chunks and delay: of each of the many servers.
Plan = collections.namedtuple("Plan", "pace size rounds connections chunks delay")
FULL = Plan(1, 64 * MIB, 7, (10, 100, 1000), 12, 0.25)
QUICK = Plan(0.01, 4 * MIB, 2, (10, 100), 2, 0.025)


def start_servers(stack, servers):
    """Start slow poetry servers with these arguments, all at once; return their ports."""
    programs = [stack.enter_context(Program(python(SERVER, *args, flags=FLAGS)))
                for args in servers]
    return [program.wait_for(r"^Serving .* on port ([0-9]+)\.$")[1] for program in programs]


def measure(client, ports, seconds=0, options=()):
    """Run a client that should take about these seconds; return its Result when all poems came."""
    with Program(python(client, *options, *ports, flags=FLAGS)) as program:
        program.wait(DEADLINE + 3 * seconds)
        got = re.fullmatch(f"Got {len(ports)} poems in (.+)", "".join(program.stdout[-1:]))
        if not got:
            raise AssertionError(f"not all poems came: {program}")
        return result(parse_duration(got[1]), program.usage)


def measure_netcat(ports):
    """Run one netcat after the other; return their Result, with their starts in its seconds."""
    seconds = 0
    for port in ports:
        with Program([NETCAT, "127.0.0.1", port], stdout=subprocess.DEVNULL) as program:
            if program.wait():
                raise AssertionError(f"netcat failed: {program}")
            seconds += program.elapsed
    return result(seconds, program.usage)


def result(seconds, usage):
    """Return the Result of a process that took these seconds and used these resources."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes of one ru_maxrss
    return Result(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / MIB)


def exercise(plan):
    """Print exercise 1's table: both clients, predicted and measured, in several settings."""
    show("Exercise 1. Expected seconds: blocking, the sum of all servers; async, the\n"
         "slowest server; ratio = took / expected. 10 B / 0.05 s: a server sends 10 bytes,\n"
         "sleeps 0.05 s, and so on. Poems of 623 bytes; the tutorial's: 3003, 623 and 653.\n",
         " " * 22, "------ blocking ------  ------- async --------   times\n",
         " " * 22, "sum, s  took, s  ratio  slowest  took, s  ratio  as fast")
    for name, groups in EXERCISE.items():
        show(name, ": ", ", ".join(
            f"{f'{number} x ' if number > 1 else ''}{size} B / {delay * plan.pace:g} s"
            for number, _, size, delay in groups))
        servers = [(poem, "--num-bytes", str(size), "--delay", str(delay * plan.pace))
                   for number, poem, size, delay in groups for _ in range(number)]
        times = [predict(*args) for args in servers]
        took = []
        with contextlib.ExitStack() as stack:
            ports = start_servers(stack, servers)
            show(" " * 19, end="")
            for client, predicted in ((BLOCKING_CLIENT, sum(times)), (ASYNC_CLIENT, max(times))):
                show(f"{predicted:9.2f}", end="")
                took.append(measure(client, ports, predicted).seconds)
                show(f"{took[-1]:9.2f}{took[-1] / predicted:7.2f}", end="")
            show(f"{took[0] / took[1]:9.2f}")


def unpaced(plan):
    """Print the table of speeds, with a column for each peer."""
    peers = {"blocking": [BLOCKING_CLIENT], "async": [ASYNC_CLIENT], "bare loop": [BARE_LOOP],
             "streams": [STREAMS_CLIENT], "streams1M": [STREAMS_CLIENT, "--limit", str(MIB)],
             "netcat": [NETCAT]}
    show(f"Unpaced: three poems of {plan.size // MIB} MiB, from servers that do not sleep; "
         f"{plan.rounds} rounds.\n"
         "bare loop is only select(), recv() and +=; streams is asyncio with its own\n"
         "buffers of 64 KiB, streams1M with 1 MiB; netcat is three of them, one by one.\n",
         " " * 18, *(f"{name:>10}" for name in peers))
    results = {name: [] for name in peers}
    with tempfile.NamedTemporaryFile() as poem, contextlib.ExitStack() as stack:
        poem.truncate(plan.size)  # all zeros: it takes no room on the disk
        ports = start_servers(stack, [(poem.name, "--num-bytes", "262144", "--delay", "0")] * 3)
        for _ in range(plan.rounds):
            for name, (client, *options) in peers.items():
                if name != "netcat":
                    results[name].append(measure(client, ports, options=options))
                elif NETCAT:
                    results[name].append(measure_netcat(ports))
    show_speeds(plan, results)


def show_speeds(plan, results):
    """Print the rows of the table of speeds from {peer: its Results}."""
    speeds = {name: [3e-6 * plan.size / took.seconds for took in rounds]
              for name, rounds in results.items() if rounds}
    medians = {name: statistics.median(rounds) for name, rounds in speeds.items()}
    rows = {
        "median, MB/s": {name: f"{median:.0f}" for name, median in medians.items()},
        "slowest-fastest": {name: f"{min(each):.0f}-{max(each):.0f}"
                            for name, each in speeds.items()},
        "speed / streams": {name: f"{median / medians['streams']:.2f}"
                            for name, median in medians.items()},
        "peak memory, MiB": {name: f"{max(took.peak for took in results[name]):.0f}"
                             for name in medians if name != "netcat"},  # it keeps nothing
    }
    for label, cells in rows.items():
        show(f"{label:18}", *(f"{cells.get(name, '-'):>10}" for name in results))


def many(plan):
    """Print the table of many paced connections: the async client's time and CPU, and streams'."""
    least = plan.chunks * plan.delay
    show(f"Many servers, all played by one process: {plan.chunks} chunks, "
         f"each with a pause of {plan.delay} s.\n"
         f"This takes at least {least:.2f} s; ratio is took / {least:.2f}.\n"
         "             -------- async ---------  ------- streams --------\n"
         "connections  took, s  ratio    CPU, s  took, s  ratio    CPU, s")
    allowed = allow_files(max(plan.connections) + SPARE_FILES)
    with contextlib.ExitStack() as stack:
        command = python(PACED_SERVERS, plan.chunks, plan.delay, flags=FLAGS)
        server = stack.enter_context(Program(command))
        ports = server.wait_for("^Serving on ports (.+)")[1].split()
        for number in plan.connections:
            show(f"{number:11}", end="")
            if number + SPARE_FILES > allowed:
                show(f"  not run: only {allowed} files may be open here (ulimit -n)")
                continue
            callers = [ports[task % len(ports)] for task in range(number)]
            for client in (ASYNC_CLIENT, STREAMS_CLIENT):
                took = measure(client, callers, least)
                show(f"{took.seconds:9.2f}{took.seconds / least:7.2f}{took.cpu:10.2f}", end="")
            show()


def allow_files(number):
    """Let us and our programs open this many files and sockets; return how many they may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < number:
        soft = number if hard == resource.RLIM_INFINITY else min(number, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return math.inf if soft == resource.RLIM_INFINITY else soft


def main():
    """Print the tables, and return the exit status."""
    parser = argparse.ArgumentParser(description="Measure the two clients.")
    parser.add_argument("--quick", action="store_true", help="a short form, to see that it works")
    parser.add_argument("--only", choices=["exercise", "unpaced", "many"],
                        help="one of the three tables")
    args = parser.parse_args()
    plan = QUICK if args.quick else FULL
    show(f"Python {platform.python_version()}, {os.cpu_count()} processors, "
         f"{platform.system()} {platform.release()} {platform.machine()}")
    if args.quick:
        show("With pauses this short all else counts too: expect ratios far from 1.")
    for table in (exercise, unpaced, many):
        if args.only in (None, table.__name__):
            show()
            table(plan)
    return 0


if __name__ == "__main__":
    run(main)
