#!/usr/bin/env python3
"""Get poems from slow poetry servers, one after another.

    python3 blocking-client/get-poetry.py 10000 10001 10002

This is the client of Part 2, section "The Blocking Client", and what it prints is Figure 1 of
Part 1 as text. A task means getting one poem from one server. On the lines marked "blocks" the
client waits for one server, and it does nothing else until the wait is over. So the total time is
the sum of all the waits: about 23 seconds for the tutorial's servers.

From parse_args() on, this file is the same as the async client's.
"""

import argparse
import datetime
import os
import signal
import socket
import sys
import time


def get_poetry(address):
    """Connect to a (host, port) address and return, as a bytearray, all that the server sends.

    Raise OSError if the connection cannot be made, or if it ends with an error.
    """
    poem = bytearray()
    # AF_INET means IPv4, with addresses like 127.0.0.1 (this machine). SOCK_STREAM means TCP, which
    # delivers every byte exactly once and in order, unless the connection breaks.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        # If the host is a name, connect() first looks up its IP address. Then it asks the server's
        # machine for a connection, and the operating system there usually makes it, even while the
        # server program is busy. If no answer comes, the client waits here, perhaps for minutes.
        sock.connect(address)  # blocks
        while True:
            # recv() returns what has arrived, but at most 65536 bytes. TCP does not mark where one
            # of the server's chunks ends, so data can be part of a chunk, or several together.
            data = sock.recv(65536)  # blocks until bytes arrive or the connection ends
            if not data:  # b"" means that the server has closed the connection: no more will come
                return poem
            poem += data


def main():
    """Get the poems, and time each of them. Return 1 if a task failed, else 0."""
    addresses = parse_args()
    num_poems = 0
    total = datetime.timedelta()
    for task_num, address in enumerate(addresses, 1):
        print(f"Task {task_num}: get poetry from: {format_address(address)}")
        start = time.monotonic()
        poem = None
        try:
            poem = get_poetry(address)
        except OSError as error:
            report_failure(task_num, address, error)
        elapsed = datetime.timedelta(seconds=time.monotonic() - start)
        total += elapsed  # the tasks do not overlap, so their times add up, even if a task fails
        if poem is not None:
            num_poems += 1
            print(f"Task {task_num}: got {len(poem)} bytes of poetry "
                  f"from {format_address(address)} in {elapsed}")
    print(f"Got {num_poems} poems in {total}")
    return 0 if num_poems == len(addresses) else 1


def parse_args():
    """Return the addresses on the command line. If one of them is wrong, exit with status 2."""
    parser = argparse.ArgumentParser(
        description="Get a poem from each address. Without a hostname, 127.0.0.1 is used.")
    parser.add_argument("addresses", metavar="[hostname]:port", type=parse_address, nargs="+",
                        help="where a slow poetry server listens; 10000 means 127.0.0.1:10000")
    return parser.parse_args().addresses


def parse_address(text):
    """Turn a string like 'localhost:10000', ':10000' or '10000' into a (host, port) address."""
    host, _, port = text.rpartition(":")  # without a colon, host is empty
    # A hostname that is not ASCII could make connect() raise a TypeError, and nothing here would
    # catch that.
    try:
        if host.isascii() and 1 <= int(port) <= 65535:
            return host or "127.0.0.1", int(port)
    except ValueError:
        pass  # port is not a number, so the text is refused below
    raise argparse.ArgumentTypeError(
        f"{text!r} is not [hostname]:port with an ASCII hostname and a port from 1 to 65535")


def format_address(address):
    """Return a (host, port) address as 'host:port'."""
    return f"{address[0]}:{address[1]}"


def report_failure(task_num, address, error):
    """Print to stderr why a task has failed. strerror is the error's text without its number."""
    print(f"Task {task_num}: no poetry from {format_address(address)}: {error.strerror}",
          file=sys.stderr)


# What follows is not about sockets. It lets the program end without a traceback when somebody
# presses Ctrl-C, or when its output goes into a pipe that nobody reads any more.
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the program at once
    # line_buffering writes each line immediately, even into a pipe or a file, where Python would
    # otherwise collect many lines first.
    sys.stdout.reconfigure(line_buffering=True)
    try:
        sys.exit(main())
    except OSError as error:
        print(f"get-poetry.py: {error.strerror}", file=sys.stderr)
        os._exit(1)  # sys.exit() would flush the output again, and could fail again
