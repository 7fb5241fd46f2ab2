#!/usr/bin/env python3
"""Get poems from slow poetry servers, one after the other.

    python3 blocking-client/get-poetry.py 10000 10001 10002

This is the client of Part 2, section "The Blocking Client". What it prints is Figure 1 (of Part 1)
in text. On the lines marked "blocks" the client waits for one server, and does nothing else until
the wait is over.

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
    """Return the poem, a bytearray: all that the server at a (host, port) address sends.

    Raise OSError if the connection cannot be made, or breaks.
    """
    poem = bytearray()
    # AF_INET stands for IPv4, SOCK_STREAM for TCP.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        # A name is looked up first. Then the server's machine is asked for a connection. The
        # operating system there usually makes it, even while the server is busy. If no answer
        # comes, the whole client waits here, perhaps for minutes.
        sock.connect(address)  # blocks
        # recv() returns what has come, at most 65536 bytes. b"" means that the server has closed
        # the connection, and no more will come. It counts as false, so the loop ends.
        while data := sock.recv(65536):  # blocks until something comes
            poem += data
    return poem


def main():
    """Get the poems in turn, with the time of each. Return the exit status: 1 if a task failed."""
    addresses = parse_args()
    num_poems = 0
    total = datetime.timedelta()
    for task_num, address in enumerate(addresses, 1):
        print(f"Task {task_num}: get poetry from: {format_address(address)}")
        start = time.monotonic()
        try:
            poem = get_poetry(address)
        except OSError as error:
            report_failure(task_num, address, error)
            poem = None
        elapsed = datetime.timedelta(seconds=time.monotonic() - start)
        total += elapsed  # the time of a failed task counts, too
        if poem is not None:
            num_poems += 1
            print(f"Task {task_num}: got {len(poem)} bytes of poetry "
                  f"from {format_address(address)} in {elapsed}")
    print(f"Got {num_poems} poems in {total}")
    return 0 if num_poems == len(addresses) else 1


def parse_args():
    """Return the addresses on the command line. If one is wrong, exit with status 2."""
    parser = argparse.ArgumentParser(
        description="Get a poem from each address. No hostname means 127.0.0.1, this machine.")
    parser.add_argument("addresses", metavar="[hostname]:port", type=parse_address, nargs="+",
                        help="where a slow poetry server listens; 10000 is 127.0.0.1:10000")
    return parser.parse_args().addresses


def parse_address(text):
    """Return the (host, port) in a text like 'localhost:10000', ':10000' or '10000'."""
    host, _, port = text.rpartition(":")  # no colon: host is empty
    try:
        if host.isascii() and 1 <= int(port) <= 65535:
            return host or "127.0.0.1", int(port)
    except ValueError:
        pass  # port is not a number: refused below
    raise argparse.ArgumentTypeError(
        f"{text!r} is not [hostname]:port with an ASCII hostname and a port from 1 to 65535")


def format_address(address):
    """Return a (host, port) address as 'host:port'."""
    return f"{address[0]}:{address[1]}"


def report_failure(task_num, address, error):
    """Print to stderr why a task has failed. strerror is the error's text without its number."""
    print(f"Task {task_num}: no poetry from {format_address(address)}: {error.strerror}",
          file=sys.stderr)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the program, without a traceback
    # Without line_buffering, lines for a pipe or a file would be written late, many together.
    sys.stdout.reconfigure(line_buffering=True)
    try:
        sys.exit(main())
    except OSError as error:  # for example, nobody reads our output any more
        print(f"get-poetry.py: {error.strerror}", file=sys.stderr)
        os._exit(1)  # sys.exit() would flush our output again, and might fail again
