#!/usr/bin/env python3
"""Run the tutorial's three servers in one terminal, on its ports, until Ctrl-C.

    python3 tests/servers.py

Each line they print has the port of its server in front.
"""

import argparse
import contextlib
import queue

from support import SERVER, SESSION, Program, next_line, python, run, show


def main():
    """Start the servers, show their lines, and return 1: none of them should end before Ctrl-C."""
    parser = argparse.ArgumentParser(description="Run the tutorial's servers until Ctrl-C.")
    parser.add_argument("--delay", type=float, default=0.1,
                        help="seconds between sends (default: %(default)s)")
    parser.add_argument("--ports", nargs=3, default=["10000", "10001", "10002"], metavar="PORT")
    args = parser.parse_args()
    lines, ports = queue.Queue(), {}
    with contextlib.ExitStack() as stack:
        for port, settings in zip(args.ports, SESSION):
            command = python(SERVER, *settings, "--port", port, "--delay", args.delay, flags=())
            ports[stack.enter_context(Program(command, lines))] = port
        while True:
            server, line = next_line(lines)
            if line is None:
                return 1
            show(f"{ports[server]}: {line}")


if __name__ == "__main__":
    run(main)
