#!/usr/bin/env python3
"""Show the tutorial's session: its three servers, then the blocking client, then the async one.

It ends with a figure of what the two clients did, on one time axis.

    python3 tests/demo.py --delay 0.01

The servers listen on free ports, and end with the demo.
"""

import argparse
import contextlib
import os
import queue
import shutil
import sys

from figures import draw, format_seconds, predict
from support import ASYNC_CLIENT, BLOCKING_CLIENT, ROOT, SESSION, Program, Server, run


def show(script, ports):
    """Run a client, print its lines as they come, and return the program when it has ended."""
    args = [str(port) for port in ports]
    print("\n$ python3", os.path.relpath(script, ROOT), *args)
    lines = queue.Queue()
    with Program(script, *args, flags=(), on_line=lines.put) as client:
        for line in iter(lines.get, None):
            print(line)
        client.wait()
    return client


def announce(delay):
    """Say how long the two clients will take, if the servers' pauses are all they wait for."""
    times = [predict(*settings, "--delay", delay) for settings in SESSION]
    print(f"\nThis takes about {format_seconds(sum(times) + max(times))}: the blocking client "
          f"{format_seconds(sum(times))}, the async one {format_seconds(max(times))}.")


def main():
    """Run the session and return the exit status."""
    parser = argparse.ArgumentParser(description="Run the tutorial's three servers and both clients.")
    parser.add_argument("--delay", type=float, default=0.1, help="the servers' seconds between sends (default: 0.1)")
    delay = str(parser.parse_args().delay)
    with contextlib.ExitStack() as stack:
        ports = []
        for settings in SESSION:
            args = (*settings, "--delay", delay)
            server = stack.enter_context(Server(*args, flags=()))
            print("$ python3 blocking-server/slowpoetry.py", *args)
            print(server.stdout[0])
            ports.append(server.port)
        announce(delay)
        clients = [show(script, ports) for script in (BLOCKING_CLIENT, ASYNC_CLIENT)]
    printed = [(client.stdout, client.moments) for client in clients]
    names = "blocking client, one task after the other", "async client, all tasks at once"
    figure = draw(dict(zip(names, printed)), shutil.get_terminal_size().columns, sys.stdout.encoding)
    print("", *figure, sep="\n")
    return max(client.process.returncode for client in clients)


if __name__ == "__main__":
    run(main)
