#!/usr/bin/env python3
"""Get poems from slow poetry servers, all at once, in one thread.

    python3 async-client/get-poetry.py 10000 10001 10002

This is the client of Part 2, section "The Asynchronous Client". The loop in get_poetry() is like
that of Figure 5. One line in it is marked "blocks": there it waits for all the servers together.
"""

import argparse
import datetime
import os
import select
import signal
import socket
import sys
import time


def get_poetry(sockets):
    """Return {task number: poem in bytes} from {socket: (task number, address)}.

    A task that fails is reported, and has no poem. Each socket is closed when its task ends.
    """
    sockets = dict(sockets)  # a copy, because we remove each socket when its task ends
    poems = {task_num: bytearray() for task_num, _ in sockets.values()}
    while sockets:
        # 1. Wait until at least one socket has something for us: bytes, the end of its poem, or an
        # error. We give select() the sockets (a dictionary's keys) to read from, none to write to,
        # and those to watch for exceptional events (on Windows, a failed connect is one).
        readable, _, exceptional = select.select(sockets, [], sockets)  # blocks
        # 2. Read from each of these what it has now.
        for sock in dict.fromkeys(readable + exceptional):  # each of them once
            task_num, address = sockets[sock]
            poem = poems[task_num]
            size_before = len(poem)
            try:
                done = read_available(sock, poem)
            except OSError as error:
                done = True
                del poems[task_num]
                report_failure(task_num, address, error)
            else:
                if len(poem) > size_before:
                    print(f"Task {task_num}: got {len(poem) - size_before} bytes of poetry "
                          f"from {format_address(address)}")
                if done:
                    print(f"Task {task_num} finished")
            if done:
                del sockets[sock]
                sock.close()
        # 3. Repeat until all the sockets are closed.
    return poems


def read_available(sock, poem):
    """Add to the poem what the socket has now, 1 MiB at most; return True at the poem's end.

    Raise OSError if the server could not be reached or has broken off.
    """
    try:
        for _ in range(16):  # not for ever: a fast server must not keep us from the others
            chunk = sock.recv(65536)  # up to so many bytes
            if not chunk:  # the end: the server has closed the connection
                return True
            poem += chunk
    except BlockingIOError:  # the error EWOULDBLOCK: nothing more for now, but not the end
        pass
    return False


def connect(address):
    """Return a non-blocking socket that has begun to connect to a (host, port) address.

    Raise OSError if that fails at once, UnicodeError for a name that no host can have.
    """
    host, port = address
    # sock.connect() looks names up, too, but does not say what is wrong with a bad one.
    ip_address = socket.gethostbyname(host)  # blocks while a name is looked up
    sock = socket.socket()  # of the usual kind: TCP over IPv4
    sock.setblocking(False)
    try:
        sock.connect((ip_address, port))
    except BlockingIOError:  # still connecting; if that fails, our first recv() raises the error
        pass
    except OSError:  # comes second, because a BlockingIOError is an OSError, too
        sock.close()
        raise
    return sock


def main():
    """Connect to all the servers, get their poems, and return the exit status."""
    addresses = parse_args()
    start = time.monotonic()
    sockets = {}
    for task_num, address in enumerate(addresses, 1):
        try:
            sockets[connect(address)] = task_num, address
        except (OSError, UnicodeError) as error:
            report_failure(task_num, address, error)
    try:
        poems = get_poetry(sockets)
    except ValueError:  # at the first select(): on Linux it takes only sockets numbered below 1024
        raise OSError("more sockets than select() can watch")  # the main block prints it
    elapsed = datetime.timedelta(seconds=time.monotonic() - start)
    for task_num, poem in poems.items():
        print(f"Task {task_num}: {len(poem)} bytes of poetry")
    print(f"Got {len(poems)} poems in {elapsed}")
    return 0 if len(poems) == len(addresses) else 1


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
    host, _, port = text.rpartition(":")  # without a colon host is empty
    try:
        if 1 <= int(port) <= 65535:
            return host or "127.0.0.1", int(port)
    except ValueError:
        pass  # not a number; refused below, like one out of range
    raise argparse.ArgumentTypeError(f"{text!r} is not [hostname]:port with a port from 1 to 65535")


def format_address(address):
    """Return a (host, port) address as 'host:port'."""
    host, port = address
    return f"{host}:{port}"


def report_failure(task_num, address, error):
    """Say on stderr why a task has failed. The other tasks go on."""
    reason = getattr(error, "strerror", None) or error  # a UnicodeError has no strerror
    print(f"Task {task_num}: no poetry from {format_address(address)}: {reason}", file=sys.stderr)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it at once, without a traceback
    # Show each line at once, in a pipe too, and escape letters that the terminal does not know.
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        sys.exit(main())
    except OSError as error:  # such as: nobody reads our output any more, or its disk is full
        print(f"get-poetry.py: {error.strerror or error}", file=sys.stderr)
        os._exit(1)  # sys.exit() would try once more to print what is left
