#!/usr/bin/env python3
"""Get poems from slow poetry servers, one after the other.

    python3 blocking-client/get-poetry.py 10000 10001 10002

This is the client of Part 2, section "The Blocking Client"; what it prints is Figure 1 (of
Part 1) in text. On each line marked "blocks" the whole program waits; it goes to the next server
only when it is done with this one.
"""

import argparse
import datetime
import os
import signal
import socket
import sys
import time


def get_poetry(address):
    """Return the poem (a bytearray) that the server at a (host, port) address sends.

    Raise OSError if the connection cannot be made or breaks, UnicodeError for a name that no host
    can have.
    """
    host, port = address
    # sock.connect() could look names up, too. On a line of its own one sees that it blocks.
    ip_address = socket.gethostbyname(host)  # blocks while a name is looked up
    poem = bytearray()
    with socket.socket() as sock:  # of the usual kind: TCP over IPv4
        sock.connect((ip_address, port))  # blocks until the server's system answers, or refuses
        # recv() returns what has come, 65536 bytes at most. An empty result, which ends the loop,
        # means that the server has closed the connection: nothing else marks the end of a poem.
        while chunk := sock.recv(65536):  # blocks until bytes or the end have come
            poem += chunk
    return poem


def main():
    """Get the poems in turn, time each of them, and return the exit status."""
    addresses = parse_args()
    num_poems = 0
    total = datetime.timedelta()
    for task_num, address in enumerate(addresses, 1):
        print(f"Task {task_num}: get poetry from: {format_address(address)}")
        start = time.monotonic()
        poem = None
        try:
            poem = get_poetry(address)
        except (OSError, UnicodeError) as error:
            report_failure(task_num, address, error)
        elapsed = datetime.timedelta(seconds=time.monotonic() - start)
        total += elapsed
        if poem is not None:  # an empty poem counts, too
            num_poems += 1
            print(f"Task {task_num}: got {len(poem)} bytes of poetry "
                  f"from {format_address(address)} in {elapsed}")
    print(f"Got {num_poems} poems in {total}")
    return 0 if num_poems == len(addresses) else 1


def parse_args():
    """Return the addresses on the command line; argparse exits with status 2 if one is wrong."""
    parser = argparse.ArgumentParser(
        description="Get a poem from each of these addresses. Without a hostname it is 127.0.0.1, "
                    "this machine: 10000, :10000 and localhost:10000 all work.")
    parser.add_argument("addresses", metavar="[hostname]:port", type=parse_address, nargs="+",
                        help="where a slow poetry server listens")
    return parser.parse_args().addresses


def parse_address(text):
    """Return the (host, port) in a text like 'localhost:10000', ':10000' or '10000'."""
    host, _, port = text.rpartition(":")  # no colon: host is empty
    try:
        if 1 <= int(port) <= 65535:
            return host or "127.0.0.1", int(port)
    except ValueError:
        pass  # not a number: refused below
    raise argparse.ArgumentTypeError(f"{text!r} is not [hostname]:port with a port from 1 to 65535")


def format_address(address):
    """Return a (host, port) address as 'host:port'."""
    return "%s:%s" % address


def report_failure(task_num, address, error):
    """Say on stderr why a task has failed. The other tasks go on."""
    reason = getattr(error, "strerror", None) or error  # a UnicodeError has no strerror
    print(f"Task {task_num}: no poetry from {format_address(address)}: {reason}", file=sys.stderr)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it at once, without a traceback
    # Show each line at once, in a pipe too, and escape characters that cannot be shown.
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        sys.exit(main())
    except OSError as error:  # such as: nobody reads our output any more, or the disk is full
        print(f"get-poetry.py: {error.strerror}", file=sys.stderr)
        os._exit(1)  # sys.exit() would retry the output that failed
