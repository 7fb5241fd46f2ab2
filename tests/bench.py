"""Measure both clients: exercise 1 as a table, and last servers that do not sleep."""

import argparse
import contextlib
import os
import platform
import tempfile

from tests import support
from tests.support import FASCINATION, SESSION, Program

# {label: [(poem, bytes in each send, seconds after each send) for each server]}
SETTINGS = {
    "one server: 10 bytes, 0.05 s": [(FASCINATION, 10, 0.05)],
    "the tutorial's three": [(poem, num_bytes, 0.1) for poem, num_bytes in SESSION],
    "ten servers: 10 bytes, 0.01 s": [(FASCINATION, 10, 0.01)] * 10,
    "nine with 0.005 s, one with 0.05 s": ([(FASCINATION, 10, 0.005)] * 9
                                           + [(FASCINATION, 10, 0.05)]),
}


def show_row(label, servers):
    """Print the row of these servers, as it is measured."""
    times = [support.predict(*server) for server in servers]
    took = []
    with contextlib.ExitStack() as stack:
        ports = []
        for server in servers:
            ports.append(stack.enter_context(Program(support.slow_poetry(*server))).wait_for_port())
        print(f"{label:36}", end="", flush=True)
        for script, expected in ((support.BLOCKING, sum(times)), (support.ASYNC, max(times))):
            client = stack.enter_context(Program(support.python(script, *ports)))
            if client.wait():
                raise AssertionError(f"not all poems came: {client}")
            took.append(support.parse_duration(client.printed[-1]))
            print(f"{took[-1]:8.2f}{expected:10.2f}", end="", flush=True)
        print(f"{took[0] / took[1]:9.2f}")


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure the two clients.")
    parser.add_argument("--quick", action="store_true", help="with pauses of a hundredth")
    quick = parser.parse_args().quick
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, {platform.system()}")
    print("seconds                                blocking client      async client    times")
    print("                                        took  expected    took  expected  as fast")
    for label, servers in SETTINGS.items():
        show_row(label, [(*server, delay / 100 if quick else delay) for *server, delay in servers])
    with tempfile.NamedTemporaryFile() as poem:
        poem.truncate(64 << 20)
        show_row("three poems of 64 MiB without sleep", [(poem.name, 1 << 20, 0)] * 3)


if __name__ == "__main__":
    support.run(main)
