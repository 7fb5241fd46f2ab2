#!/usr/bin/env python3
"""Serve a poem slowly: a few bytes at a time, to one client at a time.

    python3 blocking-server/slowpoetry.py --port 10000 poetry/ecstasy.txt

This is the server of Part 2, section "Slow Poetry". On the lines marked "blocks" it waits for
a client, the network or the clock, and does nothing else.

A socket is one end of a connection: what a program sends into it can be received at the other end.
The listening socket is the exception. It only waits for clients, and for each of them accept()
makes a new socket: the server's end of the connection to this client.
"""

import argparse
import os
import signal
import socket
import sys
import time


def serve(listen_socket, poetry_file, num_bytes, delay):
    """Serve one client after the other, for ever."""
    while True:
        # The operating system connects the clients, and keeps them in a queue. accept() takes the
        # first one. It returns a new socket, and the (host, port) of the client's end.
        sock, address = listen_socket.accept()  # blocks while the queue is empty
        print(f"Somebody at {address} wants poetry!")
        try:
            send_poetry(sock, poetry_file, num_bytes, delay)
        except OSError as error:  # for example, the client has gone away
            print(f"No more poetry for {address}: {error.strerror}")


def send_poetry(sock, poetry_file, num_bytes, delay):
    """Send the file in chunks of num_bytes; after each, sleep for delay seconds. Close sock.

    Raise OSError if the file cannot be read, or if the bytes cannot be sent.
    """
    # At the end, "with" closes the file and the socket. So the client learns that no more comes.
    with sock, open(poetry_file, "rb") as poem:  # bytes: a chunk may end inside a character
        while chunk := poem.read(num_bytes):  # b"", at the end of the file, counts as false
            print(f"Sending {len(chunk)} bytes")
            # sendall() puts the chunk into a buffer, from which the operating system sends it. The
            # buffer can be full if the network is slow, or if the client does not read.
            sock.sendall(chunk)  # blocks while the buffer is full
            time.sleep(delay)  # blocks


def main():
    """Listen where the command line says, and serve until Ctrl-C."""
    args = parse_args()
    # Make the listening socket. A name in args.iface is looked up first. The queue (backlog) is for
    # 1000 clients; the operating system may shorten it. Except on Windows, create_server() sets
    # SO_REUSEADDR. Without that, the port could stay in use for a minute when the server has ended.
    with socket.create_server((args.iface, args.port), backlog=1000) as listen_socket:
        # getsockname() returns (host, port). With --port 0 the operating system chose the port.
        print(f"Serving {args.poetry_file} on port {listen_socket.getsockname()[1]}.")
        serve(listen_socket, args.poetry_file, args.num_bytes, args.delay)


def parse_args():
    """Return the options and the poetry_file. If one is wrong, exit with status 2."""
    parser = argparse.ArgumentParser(description="Serve a poem slowly, to one client at a time.",
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 for any free one")
    parser.add_argument("--iface", metavar="HOST", default="localhost", help="address to listen on")
    parser.add_argument("--num-bytes", metavar="N", type=int, default=10, help="bytes in each send")
    parser.add_argument("--delay", metavar="SECONDS", type=float, default=0.1,
                        help="seconds to sleep after each send")
    parser.add_argument("poetry_file", metavar="poetry-file", help="file to serve")
    args = parser.parse_args()
    if not 0 <= args.port <= 65535:
        parser.error("argument --port: must be from 0 to 65535")
    if not args.iface or not args.iface.isascii():  # "" would mean every interface
        parser.error("argument --iface: must be an ASCII name or an address of this machine")
    if not 1 <= args.num_bytes <= 1048576:
        parser.error("argument --num-bytes: must be from 1 to 1048576")
    if not 0 <= args.delay <= 1e9:
        parser.error("argument --delay: must be from 0 to 1e9 seconds")
    if not os.path.isfile(args.poetry_file):
        parser.error(f"argument poetry-file: {args.poetry_file!r} must be an existing regular file")
    return args


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the program, without a traceback
    # Without line_buffering, lines for a pipe or a file would be written late, many together.
    # Without errors=..., a file name that cannot be printed could cause a UnicodeEncodeError.
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        main()
    except OSError as error:  # for example, the port is in use, or nobody reads our output any more
        print(f"slowpoetry.py: {error.strerror}", file=sys.stderr)
        os._exit(1)  # sys.exit() would flush our output again, and might fail again
