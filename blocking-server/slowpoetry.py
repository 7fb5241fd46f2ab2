#!/usr/bin/env python3
"""Serve a poem slowly: a few bytes at a time, to one client at a time.

    python3 blocking-server/slowpoetry.py --port 10000 poetry/ecstasy.txt

This is the server of Part 2, section "Slow Poetry". On each line marked "blocks" the whole program
waits, and all its clients with it.
"""

import argparse
import os
import signal
import socket
import sys
import time


def serve(listen_socket, poetry_file, num_bytes, delay):
    """Serve one client after the other, for ever. The system keeps the others in a queue."""
    while True:
        # accept() takes the next client from the queue, and returns a new socket connected to it.
        sock, address = listen_socket.accept()  # blocks until a client connects
        with sock:  # closes it at the end: to the client that is the end of the poem
            print(f"Somebody at {address} wants poetry!")
            try:
                send_poetry(sock, poetry_file, num_bytes, delay)
            except OSError as error:  # such as: the client has hung up, or the file is gone
                sys.stdout.flush()  # fails again, and ends us, if it was print() that failed
                print(f"No more poetry for {address}: {error.strerror}", file=sys.stderr)


def send_poetry(sock, poetry_file, num_bytes, delay):
    """Send the file's bytes, num_bytes at a time, and sleep delay seconds after each send.

    Raise OSError if the file cannot be read or the client takes no more.
    """
    with open(poetry_file, "rb") as poem:  # bytes: a chunk may end inside a character
        while chunk := poem.read(num_bytes):  # empty, and so false, at the end of the file
            print(f"Sending {len(chunk)} bytes")
            # sendall() repeats send() until all the bytes are in the system's buffer. The system
            # sends them, even after the close. So this waits only if the client reads too slowly.
            sock.sendall(chunk)  # blocks
            time.sleep(delay)  # blocks


def main():
    """Listen where the command line says, and serve until Ctrl-C."""
    args = parse_args()
    try:
        # create_server() could look names up, too. On a line of its own one sees that it blocks.
        ip_address = socket.gethostbyname(args.iface)  # blocks while a name is looked up
        # A new socket() with this address, by bind(), and with a queue of clients, by listen().
        listen_socket = socket.create_server((ip_address, args.port))
    except (OSError, UnicodeError) as error:  # UnicodeError: no host can have such a name
        reason = getattr(error, "strerror", None) or error  # a UnicodeError has no strerror
        sys.exit(f"slowpoetry.py: cannot listen on {args.iface}:{args.port}: {reason}")
    with listen_socket:
        # Port 0 asks for a free port; getsockname() returns the (host, port) we have got.
        print(f"Serving {args.poetry_file} on port {listen_socket.getsockname()[1]}.")
        serve(listen_socket, args.poetry_file, args.num_bytes, args.delay)


def parse_args():
    """Return the options and the poetry_file; argparse exits with status 2 if one is wrong."""
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
    if not args.iface:  # this would mean every interface; 0.0.0.0 says so openly
        parser.error("argument --iface: must be a name or an address of this machine")
    if not 1 <= args.num_bytes <= 1048576:
        parser.error("argument --num-bytes: must be from 1 to 1048576")
    if not 0 <= args.delay <= 1e9:
        parser.error("argument --delay: must be from 0 to 1e9 seconds")
    if os.path.exists(args.poetry_file) and not os.path.isfile(args.poetry_file):
        # Such as a named pipe: opening it would block.
        parser.error(f"argument poetry-file: {args.poetry_file!r}: not a regular file")
    try:
        open(args.poetry_file, "rb").close()
    except OSError as error:
        parser.error(f"argument poetry-file: {args.poetry_file!r}: {error.strerror}")
    return args


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it at once, without a traceback
    # Show each line at once, in a pipe too, and escape characters that cannot be shown.
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        main()
    except OSError as error:  # such as: nobody reads our output any more, or the disk is full
        print(f"slowpoetry.py: {error.strerror}", file=sys.stderr)
        os._exit(1)  # sys.exit() would retry the output that failed
