#!/usr/bin/env python3
"""Run the tutorial's three servers in one terminal, on its ports, until Ctrl-C.

    python3 tests/servers.py

Each line they print has the port of its server in front.
"""

import argparse
import contextlib
import queue

from support import SESSION, Server, run


def main():
    """Start the servers, show their lines, and return 1: none of them should end before Ctrl-C."""
    parser = argparse.ArgumentParser(description="Run the tutorial's three servers until Ctrl-C.")
    parser.add_argument("--delay", type=float, default=0.1, help="seconds between sends (default: 0.1)")
    parser.add_argument("--ports", nargs=3, default=["10000", "10001", "10002"], metavar="PORT")
    args = parser.parse_args()
    lines = queue.Queue()
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(AssertionError):  # its line says why one of them does not listen
            for port, settings in zip(args.ports, SESSION):
                options = (*settings, "--port", port, "--delay", str(args.delay))
                stack.enter_context(
                    Server(*options, flags=(), on_line=lambda text, port=port: lines.put((port, text))))
        while True:
            port, text = lines.get()
            if text is None:
                return 1
            print(f"{port}: {text}")


if __name__ == "__main__":
    run(main)
