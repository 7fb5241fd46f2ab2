"""Get poems with nothing but select(), recv() and +=: the limit for any client of this shape.

The benchmark runs it. It takes ports of 127.0.0.1 and prints the last of a client's lines.
"""

import datetime
import select
import socket
import sys
import time

start = time.monotonic()
poems = {socket.create_connection(("127.0.0.1", port)): bytearray() for port in sys.argv[1:]}
sockets = list(poems)
while sockets:
    for sock in select.select(sockets, [], [])[0]:
        chunk = sock.recv(65536)
        poems[sock] += chunk
        if not chunk:
            sockets.remove(sock)
            sock.close()
print(f"Got {len(poems)} poems in {datetime.timedelta(seconds=time.monotonic() - start)}")
