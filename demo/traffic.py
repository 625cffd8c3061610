"""Traffic for the demo: a mix of requests as a small service sees them, so that logs and charts have something to show.

>>> from random import Random
>>> from overcoat.demo.traffic import visit_of
>>> visit_of("read_item", Random(7), [3]).path
'/item/3'

Most of it reads, some of it writes; some is wrong, comes from scanners, is slow, raises an error, or leaves early. It
comes from a few addresses of the loopback network, where the machine has them, with the user agents of several clients.
"""

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from random import Random
from typing import Any, TextIO

CLIENTS = 6
TIMEOUT_S = 30

_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1",
    "curl/8.14.1",
    "python-requests/2.32",
    "shop-app/3.2 (Android 15)",
    "Mozilla/5.0 (compatible; scanner/1.0)",
)
_NAMES = ("kettle", "lamp", "compass", "map", "rope", "tent", "stove", "mug", "knife", "whistle")
_SCANNED = ("/wp-login.php", "/.env", "/admin", "/robots.txt", "/favicon.ico", "/.git/config")

# How often of a hundred: the kinds of visits.
_MIX = {
    "read_item": 37, "read_page": 14, "read_range": 8, "create": 9, "replace": 7, "remove": 5, "look": 6, "miss": 4,
    "mistake": 4, "scan": 3, "spoof": 1, "slow": 1, "fail": 0.5, "leave": 0.5,
}  # fmt: skip


@dataclass(frozen=True)
class Visit:
    """One request.

    Attributes:
        leaves: Whether the client goes away after the first bytes.
    """

    method: str
    path: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    leaves: bool = False


def next_kind(random: Random) -> str:
    """The kind of the next visit, as often as the mix has it."""
    return random.choices(list(_MIX), list(_MIX.values()))[0]


def visit_of(kind: str, random: Random, known_ids: Sequence[int]) -> Visit:
    """A request of a kind.

    Args:
        kind: The kind, from ``next_kind``.
        random: Where chance comes from.
        known_ids: Ids of items that there are, as far as is known; not empty.
    """
    item_id = random.choice(known_ids)
    item = {"name": random.choice(_NAMES), "value": round(random.uniform(1, 99), 2)}
    match kind:
        case "read_item":
            return Visit("GET", f"/item/{item_id}")
        case "read_page":
            return Visit("GET", f"/item?limit={random.choice((5, 10, 20))}&after={item_id - 1}")
        case "read_range":
            return Visit("GET", f"/items/range/{item_id}/{item_id + 9}")
        case "create":
            return _with_json("POST", "/item", item)
        case "replace":
            return _with_json("PUT", f"/item/{item_id}", item)
        case "remove":
            return Visit("DELETE", f"/item/{item_id}")
        case "look":
            return Visit("GET", random.choice(("/", "/style.css", "/tour.js", "/tour/large")))
        case "miss":
            return Visit("GET", f"/item/{random.randrange(10**6, 10**7)}")
        case "mistake":
            return _with_json("POST", "/item", {"value": "much"})
        case "scan":
            return Visit("GET", random.choice(_SCANNED))
        case "spoof":
            return Visit("GET", "/item/1", headers={"X-Forwarded-For": "203.0.113.7", "Host": "evil.example"})
        case "slow":
            return Visit("GET", "/tour/query")
        case "fail":
            return Visit("GET", "/tour/error")
        case _:
            return Visit("GET", "/tour/stream", leaves=True)


class Traffic:
    """Sends a number of requests to a server from a few threads.

    Args:
        host: Where it listens.
        port: Its port.
        count: How many requests.
        seed: Of chance: the same seed sends the same kinds of requests.
        tell: Called after each request with the number so far.
    """

    def __init__(
        self, host: str, port: int, count: int, *, seed: int = 5001, tell: Callable[[int], object] = int
    ) -> None:
        self._address = (host, port)
        self._count = count
        self._random = Random(seed)  # noqa: S311 - chance, not secrecy
        # Apart from the others, whose use depends on the answers: so a seed has its kinds in every run.
        self._kinds = Random(seed)  # noqa: S311
        self._tell = tell
        self._lock = threading.Lock()
        self._begun = 0
        self._ids = [1, 2, 3]
        self._stopped = threading.Event()
        #: How many requests were answered, by status; None counts those that got no answer.
        self.statuses: Counter[int | None] = Counter()

    def stop(self) -> None:
        """Send no further request."""
        self._stopped.set()

    def run(self) -> None:
        """Send them all, and wait for the answers."""
        threads = [threading.Thread(target=self._work, args=(number,), daemon=True) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, number: int) -> None:
        connection = self._connect(number)
        agent = {"User-Agent": _AGENTS[number % len(_AGENTS)]}
        while self._take():
            with self._lock:
                visit = visit_of(next_kind(self._kinds), self._random, self._ids)
            try:
                status, body = _send(connection, visit, agent)
            except (OSError, HTTPException):
                status, body = None, b""
                connection.close()
            with self._lock:
                self._learn(visit, status, body)
                self.statuses[status] += 1
                self._tell(self.statuses.total())
        connection.close()

    def _take(self) -> bool:
        with self._lock:
            if self._stopped.is_set() or self._begun >= self._count:
                return False
            self._begun += 1
            return True

    def _connect(self, number: int) -> HTTPConnection:
        host, port = self._address
        if host == "127.0.0.1":
            ours = HTTPConnection(host, port, timeout=TIMEOUT_S, source_address=(f"127.0.0.{10 + number}", 0))
            try:
                ours.connect()
            except OSError:
                ours.close()  # a system that has one address there
            else:
                return ours
        return HTTPConnection(host, port, timeout=TIMEOUT_S)

    def _learn(self, visit: Visit, status: int | None, body: bytes) -> None:
        if visit.method == "POST" and status == 201:
            self._ids.append(json.loads(body)["id"])
        elif visit.method == "DELETE" and status == 200 and len(self._ids) > 1:
            gone = int(visit.path.rpartition("/")[2])
            self._ids = [known for known in self._ids if known != gone] or self._ids


class Progress:
    """A bar on a terminal; nothing where there is none.

    Args:
        count: What is full.
        stream: Where to draw.
    """

    _WIDTH = 30

    def __init__(self, count: int, stream: TextIO = sys.stderr) -> None:
        self._count = count
        self._stream = stream
        self._draws = stream.isatty()
        self._start_s = time.monotonic()
        self._drawn_s = 0.0

    def __call__(self, done: int) -> None:
        """Draw how far it is; at most ten times a second."""
        now_s = time.monotonic()
        if not self._draws or (done < self._count and now_s - self._drawn_s < 0.1):
            return
        self._drawn_s = now_s
        full = self._WIDTH * done // self._count
        rate = done / max(now_s - self._start_s, 1e-3)
        bar = "█" * full + "░" * (self._WIDTH - full)
        self._stream.write(f"\r  traffic   {bar} {done}/{self._count}  {rate:.0f}/s \x1b[K")
        self._stream.flush()

    def finish(self, statuses: Counter[int | None]) -> str:
        """End the bar's line; what came of it, in one sentence."""
        if self._draws:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
        kinds: Counter[str] = Counter()
        for status, number in statuses.items():
            kinds["left early or got no answer" if status is None else f"{status // 100}xx"] += number
        told = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
        return f"  traffic   {statuses.total()} requests in {time.monotonic() - self._start_s:.1f} s: {told}"


def _with_json(method: str, path: str, document: dict[str, Any]) -> Visit:
    return Visit(method, path, json.dumps(document).encode(), {"Content-Type": "application/json"})


def _send(connection: HTTPConnection, visit: Visit, agent: dict[str, str]) -> tuple[int | None, bytes]:
    connection.request(visit.method, visit.path, visit.body, agent | visit.headers)
    response = connection.getresponse()
    if visit.leaves:
        response.read(1)
        connection.close()
        response.close()
        return None, b""
    return response.status, response.read()
