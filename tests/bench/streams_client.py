"""Get poems from slow poetry servers, all at once, with asyncio's streams.

As long as nothing goes wrong, it prints the lines of async-client/get-poetry.py; the benchmark
compares the two. It takes only ports.

    python3 tests/bench/streams_client.py 10000 10001 10002
"""

import asyncio
import sys
import time
from datetime import timedelta


async def get_poetry(task_num, port):
    """Return the poem, a bytearray, that the server on a port of 127.0.0.1 sends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    poem = bytearray()
    while chunk := await reader.read(65536):
        poem += chunk
        print(f"Task {task_num}: got {len(chunk)} bytes of poetry from 127.0.0.1:{port}")
    print(f"Task {task_num} finished")
    writer.close()
    await writer.wait_closed()
    return poem


async def main():
    """Get the poems from the ports on the command line, all at once."""
    start = time.monotonic()
    tasks = enumerate(map(int, sys.argv[1:]), 1)
    poems = await asyncio.gather(*(get_poetry(*task) for task in tasks))
    elapsed = timedelta(seconds=time.monotonic() - start)
    for task_num, poem in enumerate(poems, 1):
        print(f"Task {task_num}: {len(poem)} bytes of poetry")
    print(f"Got {len(poems)} poems in {elapsed}")


sys.stdout.reconfigure(line_buffering=True)
asyncio.run(main())
