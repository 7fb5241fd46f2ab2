"""Serve a small poem on ten ports, slowly, to however many callers at once; for the benchmark.

    python3 tests/bench/paced_servers.py CHUNKS DELAY

The first line has the ports. The pauses count from the moment of the call: so delays do not add up.
"""

import asyncio
import contextlib
import sys

NUM_PORTS = 10  # so that no more than 100 of a thousand callers queue up at one


async def main(num_chunks, delay):
    """Send each caller num_chunks chunks of 10 bytes, with delay seconds after each."""
    async def speak(_, writer):
        with contextlib.suppress(ConnectionError):
            start = loop.time()
            for number in range(num_chunks):
                writer.write(b"10 bytes.\n")
                await asyncio.sleep(start + (number + 1) * delay - loop.time())
        writer.close()

    loop = asyncio.get_running_loop()
    servers = [await asyncio.start_server(speak, "127.0.0.1", 0, backlog=1000)
               for _ in range(NUM_PORTS)]
    print("Serving on ports", *(server.sockets[0].getsockname()[1] for server in servers),
          flush=True)
    await asyncio.Event().wait()


asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
