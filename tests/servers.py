"""Run the tutorial's three servers in one terminal, with the port in front of each line.

    python3 -m tests.servers --port 20000      on the ports 20000, 20001 and 20002
"""

import argparse

from tests import support
from tests.support import DELAY, PORT, SESSION, ToolError


def main():
    """Start the servers, and print what they print until Ctrl-C. If one ends, the others end."""
    parser = argparse.ArgumentParser(description="Run the tutorial's servers until Ctrl-C.")
    parser.add_argument("--delay", type=float, default=DELAY,
                        help="seconds that the servers sleep after each chunk")
    parser.add_argument("--port", type=int, default=PORT,
                        help="port of the first server; 0 means any free ports")
    args = parser.parse_args()
    last = 65536 - len(SESSION)
    if not 0 <= args.port <= last:
        parser.error(f"argument --port: must be from 0 to {last}")
    servers = []
    for number, (poem, num_bytes) in enumerate(SESSION):
        port = args.port + number if args.port else 0
        server = support.start_server(poem, num_bytes, args.delay, port)
        print(f"{server.port}: {server.printed[0]}")
        servers.append(server)
    for server, line in support.read_lines(servers):
        if line is None:
            raise ToolError(f"{server.port}: this server has ended, with status "
                            f"{server.wait()}; the others are stopped")
        print(f"{server.port}: {line}")


if __name__ == "__main__":
    support.run(main)
