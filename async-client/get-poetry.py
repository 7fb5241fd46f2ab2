#!/usr/bin/env python3
"""Get poems from slow poetry servers, all at once, in one thread.

    python3 async-client/get-poetry.py 10000 10001 10002

It goes with Part 2, section "The Asynchronous Client", and with Figure 3. The
loop in get_poetry() is the one of Figure 5: it waits, in select(), for all the
servers together. Only the look-up of a name, in connect(), waits for one.
"""

import argparse
import datetime
import os
import re
import select
import socket
import sys
import time

RECV_SIZE = 65536  # the most bytes one recv() returns
MAX_RECVS = 16  # per socket and turn, so that a fast server cannot keep us from the others


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


def connect(address):
    """Start connecting to a (host, port) address and return the non-blocking socket.

    Raise OSError, or ValueError for a name that no host can have or a socket
    beyond the number that select() can watch.
    """
    host, port = address
    ip_address = socket.gethostbyname(host)  # blocks while a name is looked up
    sock = socket.socket()
    try:
        sock.setblocking(False)
        select.select([sock], [], [], 0)  # ValueError now if select() could not watch it later
        sock.connect((ip_address, port))
    except BlockingIOError:
        pass  # under way; select() will tell when something has come of it
    except (OSError, ValueError):
        sock.close()
        raise
    return sock


def read_available(sock, poem):
    """Add to the poem what has come from the socket by now, up to MAX_RECVS * RECV_SIZE bytes.

    Return the number of bytes, 0 at the end of the poem, None if nothing has
    come yet. Raise OSError if the server could not be reached or broke off.
    """
    start = len(poem)
    try:
        for _ in range(MAX_RECVS):
            chunk = sock.recv(RECV_SIZE)
            if not chunk:
                break
            poem += chunk
    except BlockingIOError:  # EWOULDBLOCK: no more for now
        if len(poem) == start:
            return None
    except OSError as error:
        if poem:
            error.strerror += f" after {len(poem)} bytes"
        raise
    return len(poem) - start


def report_progress(task_num, address, num_bytes):
    """Say what a turn has brought a task: the number of bytes, 0 for the end, None for nothing yet."""
    if num_bytes == 0:
        print(f"Task {task_num} finished")
    elif num_bytes is not None:
        print(f"Task {task_num}: got {num_bytes} bytes of poetry from {format_address(address)}")


def get_poetry(sockets):
    """Turn {socket: (task number, address)} into {task number: poem in bytes}; a failed task has none."""
    sockets = dict(sockets)  # a copy, for sockets leave it when they are closed
    poems = {task_num: bytearray() for task_num, _ in sockets.values()}
    while sockets:
        # 1. Wait until at least one socket has something for us. A connect that
        # failed makes it readable on Unix, and exceptional on Windows.
        readable, _, failed = select.select(sockets, [], sockets)  # blocks
        # 2. From each of those read what is there now.
        for sock in dict.fromkeys(readable + failed):  # each of them once
            task_num, address = sockets[sock]
            try:
                num_bytes = read_available(sock, poems[task_num])
            except OSError as error:
                num_bytes = 0
                del poems[task_num]
                report_failure(task_num, address, error)
            else:
                report_progress(task_num, address, num_bytes)
            if num_bytes == 0:
                del sockets[sock]
                sock.close()
        # 3. Repeat until all sockets are closed.
    return poems


def main():
    """Start all the tasks, wait for their poems, and return the exit status."""
    addresses = parse_args()
    start = time.monotonic()
    sockets = {}
    for task_num, address in enumerate(addresses, 1):
        try:
            sock = connect(address)
        except (OSError, ValueError) as error:
            report_failure(task_num, address, error)
        else:
            sockets[sock] = task_num, address
    poems = get_poetry(sockets)
    elapsed = datetime.timedelta(seconds=time.monotonic() - start)
    for task_num, poem in poems.items():
        print(f"Task {task_num}: {len(poem)} bytes of poetry")
    print(f"Got {len(poems)} poems in {elapsed}")
    return 0 if len(poems) == len(addresses) else 1


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
