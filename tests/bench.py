"""Measure both clients: exercise 1 as a table, and last servers that do not sleep.

    python3 -m tests.bench
"""

import argparse
import os
import platform
import tempfile

from tests import support
from tests.support import ASYNC, BLOCKING, DELAY, FASCINATION, SESSION, Program, ToolError

# {label: [(poem, bytes in each chunk, seconds after each chunk) for each server]}
SETTINGS = {
    "one server: 10 bytes, 0.05 s": [(FASCINATION, 10, 0.05)],
    "the tutorial's three": [(poem, num_bytes, DELAY) for poem, num_bytes in SESSION],
    "ten servers: 10 bytes, 0.01 s": [(FASCINATION, 10, 0.01)] * 10,
    "nine with 0.005 s, one with 0.05 s": (
        [(FASCINATION, 10, 0.005)] * 9 + [(FASCINATION, 10, 0.05)]),
}
WITHOUT_SLEEP = "three poems of 64 MiB without sleep"


def measure(script, servers):
    """Run a client with these servers, and return the seconds that it says it took."""
    client = Program(support.client_command(script, servers))
    if client.wait() != 0:
        raise ToolError(" ".join(["not all poems came.", *client.errors()[-1:]]))
    seconds = support.parse_duration(client.printed[-1])
    client.end()
    return seconds


def show_row(label, settings):
    """Start these servers, measure both clients, and print the row as it is measured."""
    times = [support.predict(*server) for server in settings]
    servers = [support.start_server(*server) for server in settings]
    print(f"{label:35}", end="", flush=True)
    blocking_time = measure(BLOCKING, servers)
    print(f"{blocking_time:8.2f}{sum(times):10.2f}", end="", flush=True)
    async_time = measure(ASYNC, servers)
    print(f"{async_time:8.2f}{max(times):10.2f}", end="", flush=True)
    # Without sleep the times vary, and a second decimal would promise too much.
    decimals = 1 if label == WITHOUT_SLEEP else 2
    print(f"{blocking_time / async_time:9.{decimals}f}")
    for server in servers:
        server.end()


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure the two clients.")
    parser.add_argument("--quick", action="store_true",
                        help="make every sleep a hundred times shorter than the table says")
    quick = parser.parse_args().quick
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, {platform.system()}")
    if quick:
        print("Every sleep is a hundred times shorter than the table says.")
    print("seconds                               blocking client      async client    times")
    print("                                       took  expected    took  expected  as fast")
    for label, servers in SETTINGS.items():
        if quick:
            servers = [(poem, num_bytes, delay / 100) for poem, num_bytes, delay in servers]
        show_row(label, servers)
    with tempfile.NamedTemporaryFile() as poem:
        poem.truncate(64 << 20)
        show_row(WITHOUT_SLEEP, [(poem.name, 1 << 20, 0)] * 3)


if __name__ == "__main__":
    support.run(main)
