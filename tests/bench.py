#!/usr/bin/env python3
"""Measure the two clients: exercise 1 as a table, then unpaced poems, then many servers.

    python3 tests/bench.py
    python3 tests/bench.py --quick     a few seconds, too short to tell much
    python3 tests/bench.py --only many

A client's seconds are those it prints. Its peak memory and its CPU seconds are those of the whole
process, the interpreter's start included.
"""

import argparse
import asyncio
import collections
import contextlib
import math
import os
import platform
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from figures import parse_duration, predict
from support import ASYNC_CLIENT, BLOCKING_CLIENT, DEADLINE, ROOT, SERVER, SESSION, Program, run

STREAMS_CLIENT = os.path.join(ROOT, "tests", "streams_client.py")
NETCAT = shutil.which("netcat") or shutil.which("nc")
MIB = 1 << 20
FLAGS = ("-S",)  # nothing installed is found, and nothing is slow for it
CHUNK = b"10 bytes.\n"
PORTS = 10  # of the server for many connections, so that no more than 100 callers queue up at one
SPARE_FILES = 50  # what a process may have open beside its connections

Result = collections.namedtuple("Result", "seconds cpu peak")  # peak is in MiB
# Of a full or a quick run. pace: what exercise 1's delays are multiplied by; size: of an unpaced poem, in bytes
Plan = collections.namedtuple("Plan", "pace size rounds connections chunks delay")
FULL = Plan(1, 64 * MIB, 7, (10, 100, 1000), 12, 0.25)
QUICK = Plan(0.01, 4 * MIB, 1, (10, 100), 4, 0.025)


def show(*cells, end="\n"):
    """Print cells of a row at once, before the next of them is known."""
    print(*cells, sep="", end=end, flush=True)


def settings(pace):
    """Return {name: the arguments of each of its servers} of exercise 1, with all delays times the pace."""
    def server(delay, *options, poem="poetry/fascination.txt"):
        return (poem, *options, "--delay", str(delay * pace))
    return {
        "one server": [server(0.05)],
        "the tutorial's three": [server(0.1, *options, poem=poem) for poem, *options in SESSION],
        "three alike": [server(0.03)] * 3,
        "ten alike": [server(0.01)] * 10,
        "nine fast, one slow": [server(0.005)] * 9 + [server(0.05)],
        "chunks of 10, 20, 40": [server(size / 400, "--num-bytes", str(size)) for size in (10, 20, 40)],
    }


@contextlib.contextmanager
def signals_held():
    """Let the signals that end us come after the block, where a process just started is known and can be ended."""
    held = []
    handlers = {number: signal.signal(number, lambda number, frame: held.append(number))
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in held:
            signal.raise_signal(number)


def start(stack, script, *args, **options):
    """Start a script that ends with the stack; return its Program."""
    with signals_held():
        return stack.enter_context(Program(script, *args, flags=FLAGS, **options))


def start_servers(stack, servers):
    """Start slow poetry servers with these arguments, all at once; return their ports when all listen."""
    programs = [start(stack, SERVER, *args) for args in servers]
    return [program.wait_for(r"^Serving .* on port ([0-9]+)\.$")[1] for program in programs]


def wait(process, deadline):
    """Wait for a process's end, and kill it after deadline seconds; return what it used, as in os.wait4()."""
    timer = threading.Timer(deadline, process.kill)
    timer.daemon = True
    timer.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status  # 0 is what counts; and Popen need not wait for it once more
    finally:
        timer.cancel()
        process.poll()  # should a signal have come between those two lines, Popen learns here that it has ended
    return usage


def result(seconds, usages):
    """Return the Result of processes that took these seconds together, from what each of them used."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes of one ru_maxrss
    return Result(seconds, sum(usage.ru_utime + usage.ru_stime for usage in usages),
                  max(usage.ru_maxrss for usage in usages) * unit / MIB)


def measure(client, ports, seconds=0, options=()):
    """Run a client that should take about these seconds; return its Result once all poems have come."""
    with tempfile.TemporaryFile() as output, contextlib.ExitStack() as stack:
        program = start(stack, client, *options, *ports, stdout=output)
        usage = wait(program.process, DEADLINE + 3 * seconds)
        program.wait()
        output.seek(0)
        lines = output.read().decode().splitlines() or ["nothing"]
    got = re.fullmatch(f"Got {len(ports)} poems in (.+)", lines[-1])
    if not got:
        said = "\n".join([lines[-1], *program.stderr[-1:]])
        raise AssertionError(f"\n{os.path.relpath(client, ROOT)} did not get its poems. The last it said:\n{said}")
    return result(parse_duration(got[1]), [usage])


def measure_netcat(ports):
    """Run one netcat after the other; return their Result, which has their starts in its seconds."""
    usages = []
    start = time.monotonic()
    for port in ports:
        command = [NETCAT, "127.0.0.1", port]
        with contextlib.ExitStack() as stack:
            with signals_held():
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
                stack.callback(process.wait)
                stack.callback(process.kill)
            usages.append(wait(process, DEADLINE))
        if process.returncode:
            raise AssertionError(f"\n{' '.join(command)} failed")
    return result(time.monotonic() - start, usages)


def exercise(plan):
    """Print exercise 1's table: both clients, predicted and measured, in several settings of the servers."""
    show("Exercise 1. A server needs the pause for each of its chunks: the blocking client\n"
         "should take the sum of the servers' seconds, the async one those of the slowest.\n\n"
         "                        ------ blocking ------  ------- async --------   times\n"
         "servers                 sum, s  took, s  ratio  slowest  took, s  ratio  as fast")
    for name, servers in settings(plan.pace).items():
        times = [predict(*args) for args in servers]
        with contextlib.ExitStack() as stack:
            ports = start_servers(stack, servers)
            show(f"{name:21}", end="")
            took = []
            for client, predicted in ((BLOCKING_CLIENT, sum(times)), (ASYNC_CLIENT, max(times))):
                show(f"{predicted:9.2f}", end="")
                took.append(measure(client, ports, predicted).seconds)
                show(f"{took[-1]:9.2f}{took[-1] / predicted:7.2f}", end="")
            show(f"{took[0] / took[1]:9.2f}")


def unpaced(plan):
    """Print the table of speeds: the peers are its columns, so that each round can be shown when it ends."""
    peers = {"blocking": [BLOCKING_CLIENT], "async": [ASYNC_CLIENT], "streams": [STREAMS_CLIENT],
             "streams 1M": [STREAMS_CLIENT, "--limit", str(MIB)], "netcat": [NETCAT]}
    show(f"Unpaced: three poems of {plan.size // MIB} MiB, from three servers with no pauses. streams is\n"
         "tests/streams_client.py with asyncio's own buffers of 64 KiB, and with 1 MiB;\n"
         "netcat is three of them, one after the other.\n\n",
         " " * 20, *(f"{name:>11}" for name in peers))
    results = {name: [] for name in peers}
    with tempfile.NamedTemporaryFile() as poem, contextlib.ExitStack() as stack:
        poem.truncate(plan.size)  # all zeros: it takes no room on the disk
        ports = start_servers(stack, [(poem.name, "--num-bytes", "262144", "--delay", "0")] * 3)
        for number in range(1, plan.rounds + 1):
            show(f"{f'round {number}, MB/s':20}", end="")
            for name, (client, *options) in peers.items():
                if client:
                    results[name].append(measure_netcat(ports) if name == "netcat" else
                                         measure(client, ports, options=options))
                show(f"{3e-6 * plan.size / results[name][-1].seconds:11.0f}" if client else "    missing", end="")
            show()
    show_medians(plan, results)


def show_medians(plan, results):
    """Print the speed table's last rows: medians of {peer: Results}, an empty list where a peer is missing."""
    own = result(0, [resource.getrusage(resource.RUSAGE_SELF)]).peak
    medians = {name: Result(*map(statistics.median, zip(*rounds))) for name, rounds in results.items() if rounds}
    rows = {
        "median, MB/s": lambda median: f"{3e-6 * plan.size / median.seconds:.0f}",
        "times streams": lambda median: f"{medians['streams'].seconds / median.seconds:.2f}",
        # A process starts as a copy of ours, and the system counts that in: a smaller peak cannot be seen.
        "peak memory, MiB": lambda median: f"{median.peak:.0f}" if median.peak > own + 1 else f"< {own + 1:.0f}",
    }
    for label, cell in rows.items():
        show(f"{label:20}", *(f"{cell(medians[name]) if name in medians else 'missing':>11}" for name in results))


def many(plan):
    """Print the table of many paced connections: the async client's time and CPU against the streams client's."""
    limit = plan.chunks * plan.delay
    show(f"Many servers, all played by one process: {plan.chunks} chunks, each with a pause of {plan.delay} s.\n"
         f"The limit is {limit:.2f} s; ratio is the time taken to that.\n\n"
         "             -------- async ---------  ------- streams --------\n"
         "connections  took, s  ratio    CPU, s  took, s  ratio    CPU, s")
    allowed = allow_files(max(plan.connections) + SPARE_FILES)
    with contextlib.ExitStack() as stack:
        server = start(stack, __file__, "--serve", str(plan.chunks), str(plan.delay))
        ports = server.wait_for("^Serving on ports (.+)")[1].split()
        for number in plan.connections:
            show(f"{number:11}", end="")
            if number + SPARE_FILES > allowed:
                show(f"  not run: a process may have no more than {allowed} files here (ulimit -n)")
                continue
            callers = [ports[task % PORTS] for task in range(number)]
            for client in (ASYNC_CLIENT, STREAMS_CLIENT):
                took = measure(client, callers, limit)
                show(f"{took.seconds:9.2f}{took.seconds / limit:7.2f}{took.cpu:10.2f}", end="")
            show()


def allow_files(number):
    """Let us and the programs we start open this many files and sockets if we may; return how many they can."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return number
    if soft < number:
        soft = number if hard == resource.RLIM_INFINITY else min(number, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


async def serve(chunks, delay):
    """Send each caller its chunks, however many call at once: a call begins on time and each pause ends on time."""
    async def speak(_, writer):
        with contextlib.suppress(ConnectionError):
            start = loop.time()
            for number in range(chunks):
                writer.write(CHUNK)
                await asyncio.sleep(start + (number + 1) * delay - loop.time())
        writer.close()

    loop = asyncio.get_running_loop()
    servers = [await asyncio.start_server(speak, "127.0.0.1", 0, backlog=1000) for _ in range(PORTS)]
    show("Serving on ports ", " ".join(str(server.sockets[0].getsockname()[1]) for server in servers))
    await asyncio.Event().wait()


def estimate(plan, table):
    """Return about how many seconds a table takes; a process is taken to start in 0.05 s."""
    if table is exercise:
        times = [[predict(*args) for args in servers] for servers in settings(plan.pace).values()]
        return sum(sum(row) + max(row) + 0.05 * (len(row) + 2) for row in times)
    if table is unpaced:
        return plan.rounds * 5 * (3 * plan.size / 500e6 + 0.05)
    return len(plan.connections) * 2 * (plan.chunks * plan.delay + 0.1)


def main():
    """Print the tables, and return the exit status."""
    parser = argparse.ArgumentParser(description="Measure the two clients.")
    parser.add_argument("--quick", action="store_true", help="a short form, to see that it works")
    parser.add_argument("--only", choices=["exercise", "unpaced", "many"], help="one of the three tables")
    parser.add_argument("--serve", nargs=2, type=float, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return asyncio.run(serve(int(args.serve[0]), args.serve[1]))
    plan = QUICK if args.quick else FULL
    tables = [table for table in (exercise, unpaced, many) if args.only in (None, table.__name__)]
    show(f"Python {platform.python_version()}, {os.cpu_count()} processors, {platform.system()} {platform.release()} "
         f"{platform.machine()}")
    show(f"This takes about {math.ceil(sum(estimate(plan, table) for table in tables))} s.")
    if args.quick:
        show("With pauses this short all else counts too: expect ratios far from 1.")
    for table in tables:
        show()
        table(plan)
    return 0


if __name__ == "__main__":
    run(main)
