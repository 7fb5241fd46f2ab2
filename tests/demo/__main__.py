"""Show the tutorial's session: its three servers, then the blocking client, then the async one.

It ends with a figure of what the two clients did, on one time axis.

    python3 -m tests.demo --delay 0.01

The servers listen on free ports, and end with the demo.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys

from tests import support
from tests.demo.figure import draw, format_seconds
from tests.support import Program, Server, python, show


def show_client(script, ports):
    """Run a client, show its lines as they come, and return its Program when it has ended."""
    show("\n$ python3 ", " ".join([os.path.relpath(script, support.ROOT), *ports]))
    with Program(python(script, *ports, flags=()), stderr=subprocess.STDOUT) as client:
        for _, line in support.each_line(client):
            if line is not None:
                show(line)
        client.wait()
    return client


def main():
    """Run the session and return the exit status: 1 if a client did not end with 0."""
    parser = argparse.ArgumentParser(description="Run the tutorial's servers and both clients.")
    parser.add_argument("--delay", type=float, default=0.1,
                        help="the servers' seconds between sends (default: %(default)s)")
    delay = str(parser.parse_args().delay)
    servers = [(*settings, "--delay", delay) for settings in support.SESSION]
    with contextlib.ExitStack() as stack:
        ports = []
        for args in servers:
            server = stack.enter_context(Server(*args, flags=()))
            show("$ python3 blocking-server/slowpoetry.py ", " ".join(args))
            show(server.stdout[0])
            ports.append(str(server.port))
        times = [support.predict(*args) for args in servers]
        show(f"\nThis takes about {format_seconds(sum(times) + max(times))}: the blocking client "
             f"{format_seconds(sum(times))}, the async one {format_seconds(max(times))}.")
        clients = {
            "blocking client, one task after the other": show_client(support.BLOCKING, ports),
            "async client, all tasks at once": show_client(support.ASYNC, ports)}
    width = shutil.get_terminal_size().columns
    show("\n" + "\n".join(draw(clients, len(ports), width, sys.stdout.encoding)))
    return 1 if any(client.status for client in clients.values()) else 0


support.run(main)
