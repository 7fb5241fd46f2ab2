"""The three tables of the benchmark.

A client's seconds are those it prints. Its peak memory and its CPU seconds are those of the whole
process, the interpreter's start included.
"""

import collections
import contextlib
import os
import re
import resource
import statistics
import tempfile

from tests import support
from tests.support import ASYNC, BLOCKING, Program, Server, python, show

BARE_LOOP, PACED_SERVERS, STREAMS_CLIENT = (
    os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    for name in ("bare_loop.py", "paced_servers.py", "streams_client.py"))
MIB = 1 << 20
FLAGS = ("-S",)  # installed packages are not even looked for

YEATS = "poetry/fascination.txt"
# {name: [(number of servers, poem, bytes in each send, seconds after each send), ...]}
EXERCISE = {
    "one server": [(1, YEATS, 10, 0.05)],
    "the tutorial's three": [(1, "poetry/ecstasy.txt", 30, 0.1), (1, YEATS, 10, 0.1),
                             (1, "poetry/science.txt", 10, 0.1)],
    "ten alike": [(10, YEATS, 10, 0.01)],
    "nine fast, one slow": [(9, YEATS, 10, 0.005), (1, YEATS, 10, 0.05)],
}

Result = collections.namedtuple("Result", "seconds cpu peak")  # peak is in MiB
# Of a full or a quick run. pace: what exercise 1's delays are multiplied by; size: of an unpaced
# poem, in bytes; chunks and delay: of each of the many connections.
Plan = collections.namedtuple("Plan", "pace size rounds connections chunks delay")
FULL = Plan(1, 64 * MIB, 7, (10, 100, 1000), 12, 0.25)
QUICK = Plan(0.01, 4 * MIB, 2, (10, 100), 2, 0.025)


def start_servers(stack, servers):
    """Start slow poetry servers with these arguments; return their ports."""
    return [stack.enter_context(Server(*args, flags=FLAGS)).port for args in servers]


def measure(client, ports, seconds=0):
    """Run a client that should take about these seconds; return its Result when all poems came."""
    with Program(python(client, *ports, flags=FLAGS)) as program:
        program.wait(support.DEADLINE + 3 * seconds)
        got = re.fullmatch(f"Got {len(ports)} poems in (.+)", "".join(program.stdout[-1:]))
        if not got:
            raise AssertionError(f"not all poems came: {program}")
        usage = program.usage
        return Result(support.parse_duration(got[1]), usage.ru_utime + usage.ru_stime,
                      usage.ru_maxrss * 1024 / MIB)


def exercise(plan):
    """Print exercise 1's table: both clients in several settings, measured and predicted."""
    show("Exercise 1. 10 B/0.05 s: a server sends 10 bytes, then sleeps for 0.05 s.\n"
         "Poems of 623 bytes; the tutorial's have 3003, 623 and 653.\n",
         " " * 22, f"{'blocking client':>21}{'async client':>21}{'times':>12}\n",
         " " * 22, f"{'took, s':>10}{'expected':>11}{'took, s':>10}{'expected':>11}{'as fast':>12}")
    for name, groups in EXERCISE.items():
        show(name, ": ", ", ".join(
            f"{f'{number} x ' if number > 1 else ''}{size} B/{delay * plan.pace:g} s"
            for number, _, size, delay in groups))
        servers = [(poem, "--num-bytes", str(size), "--delay", str(delay * plan.pace))
                   for number, poem, size, delay in groups for _ in range(number)]
        times = [support.predict(*args) for args in servers]
        took = []
        with contextlib.ExitStack() as stack:
            ports = start_servers(stack, servers)
            show(" " * 22, end="")
            for client, predicted in ((BLOCKING, sum(times)), (ASYNC, max(times))):
                took.append(measure(client, ports, predicted).seconds)
                show(f"{took[-1]:10.2f}{predicted:11.2f}", end="")
            show(f"{took[0] / took[1]:12.2f}")


def unpaced(plan):
    """Print the table of speeds, with a column for each peer."""
    peers = {"blocking": BLOCKING, "async": ASYNC, "bare loop": BARE_LOOP,
             "streams": STREAMS_CLIENT}
    show(f"Unpaced: three poems of {plan.size // MIB} MiB, from servers that do not sleep; "
         f"{plan.rounds} rounds.\n"
         "bare loop is only select(), recv() and +=; streams is asyncio.\n",
         " " * 18, *(f"{name:>10}" for name in peers))
    results = {name: [] for name in peers}
    with tempfile.NamedTemporaryFile() as poem, contextlib.ExitStack() as stack:
        poem.truncate(plan.size)  # all zeros: it takes no room on the disk
        ports = start_servers(stack, [(poem.name, "--num-bytes", "262144", "--delay", "0")] * 3)
        for _ in range(plan.rounds):
            for name, client in peers.items():
                results[name].append(measure(client, ports))
    speeds = {name: [3e-6 * plan.size / took.seconds for took in rounds]
              for name, rounds in results.items()}
    rows = {
        "median, MB/s": [f"{statistics.median(each):.0f}" for each in speeds.values()],
        "slowest-fastest": [f"{min(each):.0f}-{max(each):.0f}" for each in speeds.values()],
        "peak memory, MiB": [f"{max(took.peak for took in rounds):.0f}"
                             for rounds in results.values()],
    }
    for label, cells in rows.items():
        show(f"{label:18}", *(f"{cell:>10}" for cell in cells))


def many(plan):
    """Print the table of many paced connections: the async client's time and CPU, and streams'."""
    least = plan.chunks * plan.delay
    show(f"Many connections, all to one process: {plan.chunks} chunks, "
         f"each with a pause of {plan.delay} s.\n"
         f"This takes at least {least:.2f} s.\n"
         "             ------ async -----  ----- streams ----\n"
         "connections  took, s     CPU, s  took, s     CPU, s")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with contextlib.suppress(ValueError):  # less than 1024 are allowed, and may be enough
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    with contextlib.ExitStack() as stack:
        command = python(PACED_SERVERS, plan.chunks, plan.delay, flags=FLAGS)
        server = stack.enter_context(Program(command))
        ports = server.wait_for("^Serving on ports (.+)")[1].split()
        for number in plan.connections:
            show(f"{number:11}", end="")
            callers = [ports[task % len(ports)] for task in range(number)]
            for client in (ASYNC, STREAMS_CLIENT):
                took = measure(client, callers, least)
                show(f"{took.seconds:9.2f}{took.cpu:11.2f}", end="")
            show()
