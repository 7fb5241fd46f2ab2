#!/usr/bin/env python3
"""Serve a poem slowly, in small chunks, to one client after another.

    python3 blocking-server/slowpoetry.py --port 10000 poetry/ecstasy.txt

This is the server of Part 2, section "Slow Poetry". On the lines marked "blocks" it waits for a
client, for the network or for the clock, and it does nothing else until the wait is over.

A socket is one end of a connection: what a program sends through it can be received at the other
end. A listening socket is different, because nothing is sent or received through it. It only waits
for clients on a port, a number that tells the programs on one machine apart. For each client,
accept() returns a new socket: the server's end of the connection to that client.
"""

import argparse
import os
import signal
import socket
import sys
import time


def serve(listen_socket, poetry_file, num_bytes, delay):
    """Serve one client after another, forever."""
    while True:
        # The operating system makes the connections, even while we are busy, and keeps them in a
        # queue. accept() takes the first of them. It returns a new socket and the address of the
        # client's end, a (host, port) pair. This port is not the one that we listen on: the
        # operating system of the client's machine has chosen it.
        sock, address = listen_socket.accept()  # blocks while the queue is empty
        print(f"Somebody at {address} wants poetry!")
        try:
            send_poetry(sock, poetry_file, num_bytes, delay)
        except OSError as error:  # a lost client or an unreadable file must not stop it
            print(f"No more poetry for {address}: {error.strerror}")


def send_poetry(sock, poetry_file, num_bytes, delay):
    """Send the file in chunks of num_bytes, sleep for delay seconds after each, and close sock.

    Raise OSError if the file cannot be read, or if the bytes cannot be sent.
    """
    # The file is opened in binary mode ("rb"), because a socket sends bytes and not text. At the
    # end, or after an error, "with" closes the file and the socket. The client takes this as the
    # end of the poem, because nothing else tells it where the poem ends.
    with sock, open(poetry_file, "rb") as file:
        while chunk := file.read(num_bytes):  # at the end of the file this is b"", which is false
            print(f"Sending {len(chunk)} bytes")
            # sendall() puts the chunk into a buffer of the operating system, which sends it from
            # there. If the network is slow, or if the client does not read, the buffer fills up and
            # sendall() has to wait.
            sock.sendall(chunk)  # blocks while the buffer is full
            time.sleep(delay)  # blocks


def main():
    """Listen where the command line says, and serve until Ctrl-C."""
    args = parse_args()
    # create_server() makes the listening socket. If args.iface is a name, it first looks up the IP
    # address. backlog is how many connections the queue can hold: 1000, unless the operating system
    # allows fewer. Except on Windows, create_server() also sets the option SO_REUSEADDR. Without
    # it, starting the server again on the same port could fail for about a minute.
    with socket.create_server((args.iface, args.port), backlog=1000) as listen_socket:
        # With --port 0 the operating system has chosen the port. getsockname() returns the
        # (host, port) that the socket really has.
        print(f"Serving {args.poetry_file} on port {listen_socket.getsockname()[1]}.")
        serve(listen_socket, args.poetry_file, args.num_bytes, args.delay)


def parse_args():
    """Return the options and the poetry_file. If one of them is wrong, exit with status 2."""
    parser = argparse.ArgumentParser(description="Serve a poem slowly, to one client at a time.",
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--port", type=int, default=0,
                        help="port to listen on; 0 means any free port")
    parser.add_argument("--iface", metavar="HOST", default="localhost",
                        help="hostname or IPv4 address to listen on")
    parser.add_argument("--num-bytes", metavar="N", type=int, default=10,
                        help="bytes in each chunk")
    parser.add_argument("--delay", metavar="SECONDS", type=float, default=0.1,
                        help="seconds to sleep after each chunk")
    parser.add_argument("poetry_file", metavar="poetry-file", help="file to serve")
    args = parser.parse_args()
    # argparse has checked that the numbers are numbers, but not how large they are.
    if not 0 <= args.port <= 65535:  # create_server() would raise an OverflowError
        parser.error("argument --port: must be from 0 to 65535")
    # The empty string would mean every network interface, so other machines could connect, too.
    # --iface "$HOST" passes it by accident when HOST is not set. A name that is not ASCII could
    # make create_server() raise a TypeError, and nothing here would catch that.
    if not args.iface or not args.iface.isascii():
        parser.error("argument --iface: must be an ASCII name or an address of this machine")
    if not 1 <= args.num_bytes <= 1048576:  # a chunk is kept in memory, and 0 would send nothing
        parser.error("argument --num-bytes: must be from 1 to 1048576")
    if not 0 <= args.delay <= 1e9:  # sleep() refuses negative and enormous numbers
        parser.error("argument --delay: must be from 0 to 1e9 seconds")
    if not os.path.isfile(args.poetry_file):  # better to fail now than when a client connects
        parser.error(f"argument poetry-file: {args.poetry_file!r} must be an existing regular file")
    return args


# What follows is not about sockets. It lets the program end without a traceback when somebody
# presses Ctrl-C, when the port is in use, or when the output goes into a pipe that nobody reads any
# more.
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the program at once
    # line_buffering writes each line immediately, even into a pipe or a file, where Python would
    # otherwise collect many lines first. errors="backslashreplace" prints an escape in place of a
    # character that the output's encoding lacks, since a file name can contain any character.
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        main()
    except OSError as error:
        print(f"slowpoetry.py: {error.strerror}", file=sys.stderr)
        os._exit(1)  # sys.exit() would flush the output again, and could fail again
