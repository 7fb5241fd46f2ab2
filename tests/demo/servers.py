"""Run the tutorial's three servers in one terminal until Ctrl-C.

    python3 -m tests.demo.servers --ports 10000 10001 10002

Each line they print has the port of its server in front.
"""

import argparse
import contextlib
import subprocess

from tests.support import SERVER, SESSION, Program, each_line, python, run, show


def main():
    """Start the servers and show their lines. If one ends, end them all, and return 1."""
    parser = argparse.ArgumentParser(description="Run the tutorial's servers until Ctrl-C.")
    parser.add_argument("--delay", type=float, default=0.1,
                        help="seconds between sends (default: %(default)s)")
    parser.add_argument("--ports", nargs=3, required=True, metavar="PORT", help="0 for a free one")
    args = parser.parse_args()
    ports = {}
    with contextlib.ExitStack() as stack:
        for port, settings in zip(args.ports, SESSION):
            command = python(SERVER, *settings, "--port", port, "--delay", args.delay, flags=())
            ports[stack.enter_context(Program(command, stderr=subprocess.STDOUT))] = port
        for server, line in each_line(*ports):
            if line is None:
                show(f"{ports[server]}: this server has ended, with status {server.wait()}; "
                     "the others are stopped")
                return 1
            show(f"{ports[server]}: {line}")


run(main)
