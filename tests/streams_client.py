#!/usr/bin/env python3
"""Get poems from slow poetry servers, all at once, with asyncio's streams.

As long as nothing goes wrong, it prints the lines of async-client/get-poetry.py; the benchmark
compares the two. It takes only ports.

    python3 tests/streams_client.py 10000 10001 10002
"""

import argparse
import asyncio
import sys
import time
from datetime import timedelta


async def get_poetry(task_num, port, limit):
    """Return the poem, as bytes, that the server on a port of 127.0.0.1 sends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=limit)
    poem = bytearray()
    while True:
        chunk = await reader.read(limit)
        if not chunk:
            break
        poem += chunk
        print(f"Task {task_num}: got {len(chunk)} bytes of poetry from 127.0.0.1:{port}")
    print(f"Task {task_num} finished")
    writer.close()
    await writer.wait_closed()
    return poem


async def main():
    """Get the poems from the ports on the command line, all at once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("ports", type=int, nargs="+")
    parser.add_argument("--limit", type=int, default=65536,
                        help="of a stream's buffer and of a read, in bytes")
    args = parser.parse_args()
    start = time.monotonic()
    poems = await asyncio.gather(*(get_poetry(*task, args.limit)
                                   for task in enumerate(args.ports, 1)))
    elapsed = timedelta(seconds=time.monotonic() - start)
    for task_num, poem in enumerate(poems, 1):
        print(f"Task {task_num}: {len(poem)} bytes of poetry")
    print(f"Got {len(poems)} poems in {elapsed}")


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    asyncio.run(main())
