"""A worker of the log's soak, serving until it is killed: ``python -m support.soak_worker LOG ACKS NAME THREADS``.

Each thread asks the app, reads the answer and closes it, over and over. After each close it appends the number of the
request to its file ``ACKS/NAME-THREAD``: so what is written there has ended, whatever happens next. On SIGTERM the
threads end after the request that they are in.
"""

import os
import random
import signal
import sys
import threading
from pathlib import Path

from support.apps import ok
from support.wsgi import make_environ

from overcoat.middleware import RequestID, RequestLog, Stack

#: Bytes of one number in a file of acks.
ACK = 8

#: Lines of all sizes, some beyond a page of memory, most as they are in life.
SIZES = [0] * 60 + [100] * 30 + [1000] * 8 + [5000] * 2


def main(log: str, acks: str, name: str, threads: int) -> None:
    """Serve until SIGTERM."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    app = Stack(ok, [RequestID(), RequestLog(to=log)])

    def serve(thread: int) -> None:
        chance = random.Random(f"{name}-{thread}")
        fd = os.open(Path(acks) / f"{name}-{thread}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        number = 0
        while not ended.is_set():
            padding = "x" * chance.choice(SIZES)
            environ = make_environ(
                HTTP_X_REQUEST_ID=f"{name}-{thread}-{number}", HTTP_USER_AGENT=padding, PATH_INFO="/caf\xc3\xa9"
            )
            body = app(environ, lambda *_: None)
            for _ in body:
                pass
            body.close()
            os.write(fd, b"%7d\n" % number)
            number += 1

    running = [threading.Thread(target=serve, args=(thread,)) for thread in range(threads)]
    for thread in running:
        thread.start()
    ended.wait()
    for thread in running:
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:4], threads=int(sys.argv[4]))
