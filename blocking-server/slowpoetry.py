#!/usr/bin/env python3
"""Serve one poem, slowly: a few bytes at a time, to one caller at a time.

    python3 blocking-server/slowpoetry.py --port 10000 poetry/ecstasy.txt

Listen to it with `netcat localhost 10000` or a get-poetry.py client. It goes
with Part 2, section "Slow Poetry". On each line marked "blocks" the whole
program waits, and everybody else who has called waits with it.
"""

import argparse
import contextlib
import os
import re
import socket
import stat
import sys
import time

SEND_TIMEOUT = 10  # seconds to wait for a caller who does not read


def parse_args():
    """Return the command line's options and file, or exit with status 2."""
    parser = argparse.ArgumentParser(
        usage="%(prog)s [--port PORT] [--iface HOST] [--num-bytes N] [--delay SECONDS] poetry-file",
        description="Serve a poem slowly, to one caller at a time, until Ctrl-C.",
    )
    parser.add_argument("--port", type=whole_number(0, 65535), default=0,
                        help="port to listen on (default: a random free one)")
    parser.add_argument("--iface", metavar="HOST", type=host, default="localhost",
                        help="interface to listen on (default: %(default)s)")
    parser.add_argument("--num-bytes", metavar="N", type=whole_number(1, sys.maxsize), default=10,
                        help="bytes in each send (default: %(default)s)")
    parser.add_argument("--delay", metavar="SECONDS", type=seconds, default=0.1,
                        help="seconds to sleep after each send (default: %(default)s)")
    parser.add_argument("poetry_file", metavar="poetry-file", type=poem_path,
                        help="file to serve; its bytes are sent as they are")
    return parser.parse_args()


def whole_number(low, high):
    """Return the argparse type for whole numbers from low to high, in plain digits."""
    def parse(text):
        if not re.fullmatch("[0-9]{1,19}", text) or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)
    return parse


def host(text):
    """Return the text; an empty one is refused, for it would mean every interface."""
    if not text:
        raise argparse.ArgumentTypeError("'' is not a host name or address of this machine")
    return text


def seconds(text):
    """Return the seconds in a text like 5, 0.1 or 1e-3; time.sleep() takes little more than 9e9."""
    if not re.fullmatch(r"([0-9]+\.?[0-9]*|\.[0-9]+)(e-?[0-9]+)?", text) or float(text) > 9e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 9e9")
    return float(text)


def poem_path(text):
    """Return the text if it is the path of a file that can be served."""
    try:
        read_poem(text)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"not a readable regular file: {error}")
    return text


def read_poem(poetry_file):
    """Return the file's bytes; raise OSError unless it is a readable regular file."""
    if not stat.S_ISREG(os.stat(poetry_file).st_mode):  # to open a named pipe could wait for ever
        raise OSError(f"{poetry_file!r} is a directory, a pipe or a device")
    with open(poetry_file, "rb") as file:
        return file.read()


def send_poetry(sock, addr, poem, num_bytes, delay):
    """Send the poem down the socket, num_bytes bytes at a time, with delay seconds after each."""
    for start in range(0, len(poem), num_bytes):
        chunk = poem[start:start + num_bytes]
        print(f"Sending {len(chunk)} bytes")
        try:
            while chunk:
                sent = sock.send(chunk)  # blocks; it may take a part only
                chunk = chunk[sent:]
        except OSError as error:
            print(f"Somebody at {addr} takes no more poetry: {error}")
            return
        time.sleep(delay)  # blocks


def serve(listen_socket, poetry_file, num_bytes, delay):
    """Serve one caller after another, for ever; whoever calls meanwhile waits in the listen queue."""
    while True:
        sock, addr = listen_socket.accept()  # blocks
        with sock:
            print(f"Somebody at {addr} wants poetry!")
            sock.settimeout(SEND_TIMEOUT)
            try:
                poem = read_poem(poetry_file)
            except OSError as error:
                print(f"No poetry for {addr}: {error}", file=sys.stderr, flush=True)
                continue
            send_poetry(sock, addr, poem, num_bytes, delay)
            # Had the caller sent something that is still unread, close() would
            # be a reset, and the poetry that is still on its way would be lost.
            sock.setblocking(False)
            with contextlib.suppress(OSError):
                sock.recv(1 << 20)


def main():
    """Listen where the command line says, and serve until Ctrl-C."""
    args = parse_args()
    try:
        address = socket.gethostbyname(args.iface), args.port  # blocks if it has to look it up
        listen_socket = socket.create_server(address)
    except (OSError, UnicodeError) as error:  # UnicodeError: no host can have that name
        reason = getattr(error, "strerror", None) or error
        sys.exit(f"slowpoetry.py: cannot listen on {args.iface}:{args.port}: {reason}")
    with listen_socket:
        print(f"Serving {args.poetry_file} on port {listen_socket.getsockname()[1]}.")
        serve(listen_socket, args.poetry_file, args.num_bytes, args.delay)


if __name__ == "__main__":
    if sys.stdout:  # show each line at once, in a pipe too, and escape what cannot be shown
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        main()
    except KeyboardInterrupt:
        os._exit(130)  # at once, with nothing left to tidy up
    except OSError as error:  # nobody reads our output any more, or its disk is full
        print(f"slowpoetry.py: {error}", file=sys.stderr, flush=True)
        os._exit(1)  # sys.exit() would try the output again
