"""Run the tutorial's three servers in one terminal, with the port in front of each line.

    python3 -m tests.servers --port 20000      on the ports 20000, 20001 and 20002
"""

import argparse
import contextlib
import select
import subprocess

from tests import support


def main():
    """Start the servers, and print what they print until Ctrl-C. If one ends, the others end."""
    parser = argparse.ArgumentParser(description="Run the tutorial's servers until Ctrl-C.")
    parser.add_argument("--delay", type=float, default=0.1, help="the servers' pauses, in s")
    parser.add_argument("--port", type=int, default=10000, help="the first of three; 0: any")
    args = parser.parse_args()
    if not 0 <= args.port <= 65533:
        parser.error("argument --port: must be from 0 to 65533")
    with contextlib.ExitStack() as stack:
        servers = {}  # {pipe: (server, port)}
        for number, settings in enumerate(support.SESSION):
            command = support.slow_poetry(*settings, args.delay, args.port and args.port + number)
            # Unbuffered, because select() does not see lines that are in a buffer of ours.
            server = support.Program(command, stderr=subprocess.STDOUT, bufsize=0)
            port = stack.enter_context(server).wait_for_port()
            print(f"{port}: {server.printed[0]}")
            servers[server.process.stdout] = server, port
        while True:
            for pipe in select.select(list(servers), [], [])[0]:
                server, port = servers[pipe]
                if line := pipe.readline():
                    print(f"{port}: {line.decode(errors='backslashreplace')}", end="")
                else:
                    raise AssertionError(f"{port}: this server has ended, with status "
                                         f"{server.wait()}; the others are stopped")


if __name__ == "__main__":
    support.run(main)
