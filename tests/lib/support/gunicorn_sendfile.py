"""A configuration of gunicorn: workers write down in $SENDFILE_FILE how many bytes each ``os.sendfile`` has sent."""

import os
from pathlib import Path
from typing import Any


def post_worker_init(worker: object) -> None:
    """Put the counting in place of what ``socket.sendfile`` calls."""
    os_sendfile = os.sendfile

    def sendfile(*arguments: Any) -> int:
        sent = os_sendfile(*arguments)
        with Path(os.environ["SENDFILE_FILE"]).open("a", encoding="ascii") as file:
            file.write(f"{sent}\n")
        return sent

    os.sendfile = sendfile
