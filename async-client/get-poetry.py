#!/usr/bin/env python3
"""Get poems from slow poetry servers, all at once.

    python3 async-client/get-poetry.py 10000 10001 10002

This is the client of Part 2, section "The Asynchronous Client". The loop in get_poetry() is like
that of Figure 5. It waits on one line only, marked "blocks", for whichever server speaks next.
Before the loop, in connect(), looking up a name blocks, too.
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
    """Return {task number: poem} from {socket: (task number, address)}, once all tasks have ended.

    A poem is a bytearray. A task that fails is reported, and has no poem. Each socket is closed
    when its task ends.
    """
    sockets = dict(sockets)  # a copy, because our caller's dictionary is not ours to empty
    poems = {task_num: bytearray() for task_num, _ in sockets.values()}
    while sockets:
        # 1. Wait until at least one socket has something for us: bytes, the end of its poem, or an
        # error. select() takes the sockets to read from (of a dictionary, the keys), to write to
        # (none), and to watch for exceptional events (on Windows, a failed connect is one). It
        # returns three lists: those of them that are ready.
        readable, _, exceptional = select.select(sockets, [], sockets)  # blocks
        # 2. Read from each of these what it has now. Don't wait for more.
        for sock in dict.fromkeys(readable + exceptional):  # each once, even if it is in both
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
                if num_new := len(poem) - size_before:
                    print(f"Task {task_num}: got {num_new} bytes of poetry "
                          f"from {format_address(address)}")
                if done:
                    print(f"Task {task_num} finished")
            if done:
                del sockets[sock]
                sock.close()
        # 3. Repeat until all the sockets are closed.
    return poems


def read_available(sock, poem):
    """Add to the poem what the socket has now, 1 MiB at most; return True if that was its end.

    Raise OSError if the connection could not be made or has broken.
    """
    try:
        for _ in range(16):  # not for ever: a fast server must not keep us from the others
            chunk = sock.recv(65536)  # 65536 bytes at most
            if not chunk:  # the server has closed the connection: the end of the poem
                return True
            poem += chunk  # in place: get_poetry()'s bytearray grows
    except BlockingIOError:  # EWOULDBLOCK: nothing more for now, but not the end
        pass
    return False


def connect(address):
    """Return a non-blocking socket that has begun to connect to a (host, port) address.

    Raise OSError if that fails at once, UnicodeError for a name that no host can have.
    """
    host, port = address
    # sock.connect() could look names up, too. On a line of its own one sees that it blocks.
    ip_address = socket.gethostbyname(host)  # blocks while a name is looked up
    sock = socket.socket()  # of the usual kind: TCP over IPv4
    sock.setblocking(False)  # from now on a call that would wait raises BlockingIOError
    try:
        # This only begins. select() reports the socket once bytes or the end have come, or once
        # the connection has failed; recv() then raises the error.
        sock.connect((ip_address, port))
    except BlockingIOError:  # still connecting
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
            sock = connect(address)
            sockets[sock] = (task_num, address)
        except (OSError, UnicodeError) as error:
            report_failure(task_num, address, error)
    try:
        poems = get_poetry(sockets)
    except ValueError:  # from the first select(): on Linux it takes file descriptors 0 to 1023
        raise OSError(0, "more sockets than select() can watch")  # the last lines here print it
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
