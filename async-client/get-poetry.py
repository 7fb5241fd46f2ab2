#!/usr/bin/env python3
"""Get poems from slow poetry servers, switching back and forth between them.

    python3 async-client/get-poetry.py 10000 10001 10002

This is the client of Part 2, section "The Asynchronous Client". A task means getting one poem from
one server. All the servers send at the same time, and the tasks take turns: the client waits until
any of the servers has sent something, reads that, and waits again. So the tasks overlap, and the
total time is about that of the longest task and not the sum of all: about 10 seconds for the
tutorial's servers instead of 23.

The loop in get_poetry() is the one in Figure 5. The tutorial calls it a reactor, an event loop or a
select loop, but adds that strictly speaking it is not a reactor, because it is mixed with the code
that handles the poems.

On the two lines marked "blocks" the client waits for the network: in connect(), before the loop,
and in select(), inside the loop. print() can block, too, if nobody takes what it prints. Like the
tutorial, we accept that.

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
    """Read from the sockets until all tasks have ended. Return {task number: poem}.

    sockets is {socket: (task number, address)}. Each socket is closed when its task ends. The poems
    are bytearrays. A task that fails has no entry, and the reason is printed. This function can
    return the poems because it waits for all of them; exercise 2 is about one that returns a single
    poem.
    """
    sockets = dict(sockets)  # a copy, because the caller's dictionary should not change
    poems = {task_num: bytearray() for task_num, _ in sockets.values()}
    while sockets:
        # 1. Wait until at least one socket has something to read: bytes, or the news that the
        # connection has ended. We give select() three lists: sockets to read from, sockets to write
        # to, and sockets to watch for exceptional conditions. It returns those that are ready,
        # again in three lists. We only read, so the other lists are empty.
        readable, _, _ = select.select(list(sockets), [], [])  # blocks
        # 2. From each of these sockets, read what has arrived, up to a limit, but do not wait for
        # more. What the servers send meanwhile is not lost: the operating system keeps it for us.
        for sock in readable:
            task_num, address = sockets[sock]
            try:
                received, ended = read_available(sock)
            except OSError as error:
                report_failure(task_num, address, error)
                del sockets[sock]
                del poems[task_num]
                sock.close()
                continue
            if received:  # empty if the server has closed the connection and sent nothing more
                poems[task_num] += received
                print(f"Task {task_num}: got {len(received)} bytes of poetry "
                      f"from {format_address(address)}")
            if ended:
                print(f"Task {task_num} finished")
                del sockets[sock]
                sock.close()
        # 3. Repeat until all the sockets are closed.
    return poems


def read_available(sock):
    """Return (received, ended): bytes that have arrived, and whether the connection has ended.

    Raise OSError if the connection has ended with an error.
    """
    received = bytearray()
    try:
        # Read at most 16 times, because a server that sends without a pause could keep us here
        # while the others wait (the tutorial's author recommends a limit in his reply to comment
        # 9). If there is more to read, the next select() returns this socket again.
        for _ in range(16):
            # recv() returns what has arrived, but at most 65536 bytes. TCP does not mark where one
            # of the server's chunks ends, so data can be part of a chunk, or several together.
            data = sock.recv(65536)
            if not data:  # b"" means that the server has closed the connection: no more will come
                return received, True
            received += data
    except BlockingIOError:
        # This is EWOULDBLOCK, the operating system's error for "there is nothing to read now". It
        # is not the end of the poem: most calls to this function end like this.
        pass
    return received, False


def connect(address):
    """Return a non-blocking socket that is connected to the server at a (host, port) address.

    Raise OSError if the connection cannot be made.
    """
    # AF_INET means IPv4, with addresses like 127.0.0.1 (this machine). SOCK_STREAM means TCP, which
    # delivers every byte exactly once and in order, unless the connection breaks.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:  # not "with", which would close the socket even if all goes well
        # If the host is a name, connect() first looks up its IP address. Then it asks the server's
        # machine for a connection, and the operating system there usually makes it, even while the
        # server program is busy. If no answer comes, the client waits here, perhaps for minutes.
        sock.connect(address)  # blocks
    except OSError:
        sock.close()
        raise
    # After setblocking(False), recv() raises BlockingIOError if there is nothing to read. Without
    # it, recv() would wait for this server's next bytes, and meanwhile the client would read
    # nothing from the others. If it came first, sock.connect() would not wait either. (The reply to
    # comment 14 of the tutorial says that it makes no difference on Linux. That was true of an
    # older client, which called recv() on a socket only once after each select().)
    sock.setblocking(False)  # the tutorial writes setblocking(0)
    return sock


def main():
    """Connect to all servers, then get the poems. Return 1 if a task failed, else 0."""
    addresses = parse_args()
    if len(addresses) > 1000:  # select() takes no file descriptor above 1023 on most systems
        sys.exit("get-poetry.py: at most 1000 addresses, since select() cannot watch many more")
    start = time.monotonic()
    sockets = {}  # {socket: (task number, address)}
    # The tutorial says that the client connects to all the servers at once. That does not mean at
    # the same moment: it tries one server after another, and reads nothing until it has tried them
    # all. So if one of them does not answer, all the poems have to wait.
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
