#!/usr/bin/env python3
"""Get poems from slow poetry servers, one after the other.

    python3 blocking-client/get-poetry.py 10000 10001 10002

It goes with Part 2, section "The Blocking Client", and with Figure 1: a task
starts when the one before it has ended. On each line marked "blocks" the whole
program waits for one server, whatever the others have to say.
"""

import argparse
import datetime
import os
import re
import socket
import sys
import time

RECV_SIZE = 65536  # the most bytes one recv() returns


def parse_args():
    """Return the addresses on the command line as (host, port) pairs, or exit with status 2."""
    parser = argparse.ArgumentParser(
        usage="%(prog)s [hostname]:port ...",
        description="Get one poem from each address. No hostname means 127.0.0.1, and the colon "
                    "may go with it: 10000, :10000 and localhost:10000 all work.",
    )
    parser.add_argument("addresses", metavar="[hostname]:port", type=parse_address, nargs="+",
                        help="where a slow poetry server listens")
    return parser.parse_args().addresses


def parse_address(text):
    """Return the (host, port) in a text like 'localhost:10000', ':10000' or '10000'."""
    match = re.fullmatch(r"(?:([^\s:]*):)?([0-9]{1,5})", text)
    if not match or not 1 <= int(match[2]) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not [hostname]:port with a port from 1 to 65535")
    return match[1] or "127.0.0.1", int(match[2])


def format_address(address):
    """Return the (host, port) pair as 'host:port'."""
    return "%s:%d" % address


def report_failure(task_num, address, error):
    """Say on stderr why a task brings no poem; the other tasks go on."""
    reason = getattr(error, "strerror", None) or error
    print(f"Task {task_num}: no poetry from {format_address(address)}: {reason}",
          file=sys.stderr, flush=True)


def get_poetry(address):
    """Return the poem, in bytes, from the server at a (host, port) address.

    Raise OSError, or ValueError for a name that no host can have.
    """
    host, port = address
    ip_address = socket.gethostbyname(host)  # blocks while a name is looked up
    poem = bytearray()
    with socket.socket() as sock:
        sock.connect((ip_address, port))  # blocks
        try:
            while chunk := sock.recv(RECV_SIZE):  # blocks
                poem += chunk
        except OSError as error:
            if poem:
                error.strerror += f" after {len(poem)} bytes"
            raise
    return poem


def main():
    """Do the tasks in turn, time each of them, and return the exit status."""
    addresses = parse_args()
    num_poems = 0
    total = datetime.timedelta()
    for task_num, address in enumerate(addresses, 1):
        print(f"Task {task_num}: get poetry from: {format_address(address)}")
        start = time.monotonic()
        try:
            poem = get_poetry(address)
        except (OSError, ValueError) as error:
            poem = None
            report_failure(task_num, address, error)
        elapsed = datetime.timedelta(seconds=time.monotonic() - start)
        total += elapsed
        if poem is not None:
            num_poems += 1
            print(f"Task {task_num}: got {len(poem)} bytes of poetry "
                  f"from {format_address(address)} in {elapsed}")
    print(f"Got {num_poems} poems in {total}")
    return 0 if num_poems == len(addresses) else 1


if __name__ == "__main__":
    if sys.stdout:  # show each line at once, in a pipe too, and escape what cannot be shown
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        os._exit(130)  # at once, with nothing left to tidy up
    except OSError as error:  # nobody reads our output any more, or its disk is full
        print(f"get-poetry.py: {error}", file=sys.stderr, flush=True)
        os._exit(1)  # sys.exit() would try the output again
