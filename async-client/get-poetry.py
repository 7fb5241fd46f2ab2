#!/usr/bin/env python3
"""Get poems from slow poetry servers, all at once.

    python3 async-client/get-poetry.py 10000 10001 10002

This is the client of Part 2, section "The Asynchronous Client". The loop in get_poetry() is the
one in Figure 5. It waits until any of the servers has sent something, and reads that. The tutorial
calls such a loop a reactor, an event loop or a select loop. (A reactor in the strict sense is
separate from the code that handles the poems.)

Two lines are marked "blocks": select() in this loop, and sock.connect() before it. The tutorial's
"connects to all the servers at once" means: to one after the other, usually within a moment, before
any poem is read. print() can block, too, if nobody takes what is printed.

The blocking client's get_poetry() has become get_poetry(), read_available() and connect(). From
parse_args() on, the two files are the same.
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
    """Return {task number: poem} when all tasks have ended; a poem is a bytearray.

    sockets is {socket: (task number, address)}. Each socket is closed when its task ends. A failed
    task has no poem; the reason is printed.
    """
    sockets = dict(sockets)  # a copy, so that the caller's is not changed
    poems = {task_num: bytearray() for task_num, _ in sockets.values()}
    while sockets:
        # 1. Wait until something has come from at least one server: bytes, or the news that it has
        # closed. select() takes three lists of sockets, and returns three lists of those that are
        # ready: to be read, to be written to, and (rarely used) for exceptional conditions.
        readable, _, _ = select.select(list(sockets), [], [])  # blocks
        # 2. Read what each of these has now, but don't wait for more. What other servers send
        # meanwhile is not lost: the operating system keeps it until we read it.
        for sock in readable:
            task_num, address = sockets[sock]
            try:
                data, ended = read_available(sock)
            except OSError as error:
                report_failure(task_num, address, error)
                del sockets[sock], poems[task_num]
                sock.close()
                continue
            if data:  # empty, for example, if the server has only closed
                poems[task_num] += data
                print(f"Task {task_num}: got {len(data)} bytes of poetry "
                      f"from {format_address(address)}")
            if ended:
                print(f"Task {task_num} finished")
                del sockets[sock]
                sock.close()
        # 3. Repeat until all the sockets are closed.
    return poems


def read_available(sock):
    """Return (data, ended): the bytes the socket has now, and whether the connection has ended.

    Raise OSError if the connection has broken.
    """
    received = []
    try:
        # At most 16 times, because the other servers want their turn. If there is more to read, the
        # next select() returns this socket again.
        for _ in range(16):
            data = sock.recv(65536)
            if not data:  # b"": the server has closed the connection, no more will come
                return b"".join(received), True
            received.append(data)
    except BlockingIOError:  # EWOULDBLOCK, the usual way out: no more bytes now, not the end
        pass
    return b"".join(received), False


def connect(address):
    """Return a non-blocking socket that is connected to the server at a (host, port) address.

    Raise OSError if the connection cannot be made.
    """
    # AF_INET stands for IPv4, SOCK_STREAM for TCP. "with" would close the socket even after
    # success.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # A name is looked up first. Then the server's machine is asked for a connection. The
        # operating system there usually makes it, even while the server is busy. If no answer
        # comes, the whole client waits here, perhaps for minutes.
        sock.connect(address)  # blocks
    except OSError:
        sock.close()
        raise
    # With this line, recv() raises BlockingIOError if there is nothing to read. Without it, recv()
    # would wait for the next bytes from this server, while nobody reads from the others.
    sock.setblocking(False)  # in the tutorial: setblocking(0)
    return sock


def main():
    """Connect to all servers, then get the poems. Return the exit status: 1 if a task failed."""
    addresses = parse_args()
    if len(addresses) > 1000:  # a round number near select()'s limit
        sys.exit("get-poetry.py: more sockets than select() can watch")
    start = time.monotonic()
    sockets = {}  # {socket: (task number, address)}
    for task_num, address in enumerate(addresses, 1):
        try:
            sock = connect(address)
            sockets[sock] = (task_num, address)
        except OSError as error:
            report_failure(task_num, address, error)
    poems = get_poetry(sockets)
    elapsed = datetime.timedelta(seconds=time.monotonic() - start)
    for task_num, poem in poems.items():
        print(f"Task {task_num}: {len(poem)} bytes of poetry")
    print(f"Got {len(poems)} poems in {elapsed}")
    return 0 if len(poems) == len(addresses) else 1


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
