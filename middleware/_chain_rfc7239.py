"""The chain of proxies as ``Forwarded`` (RFC 7239) tells of it.

>>> from overcoat.middleware._chain import chain_reader
>>> from overcoat.middleware._networks import Networks
>>> read = chain_reader("forwarded", Networks("ProxyFix", ["10.0.0.0/8"]).look_up, count=100, furthest=None)
>>> read("for=6.6.6.6, for=192.0.2.1;proto=https, for=10.0.0.9")
Chain(client='192.0.2.1', hops=2, elements=({'for': '10.0.0.9'}, {'for': '192.0.2.1', 'proto': 'https'}))
"""

from collections.abc import Iterable, Mapping
from itertools import islice

from overcoat.middleware._chain import Chain, LookUp, walk
from overcoat.middleware._rfc7239 import elements_from_right, parse_node


def walk_forwarded(value: str, look_up: LookUp, limit: int) -> Chain:
    """``Forwarded`` by trust: its ``for`` as X-Forwarded-For; an element without one, or malformed, names no client."""
    read: list[Mapping[str, str]] = []

    def nodes() -> Iterable[str]:
        for element in elements_from_right(value):
            if element is None:
                yield ""
                return
            read.append(element)
            yield parse_node(element.get("for", "")) or ""

    # Without a walk the nearest proxy's element still tells the scheme.
    client, passed = walk(islice(nodes(), max(limit, 1)), look_up)
    if client is None or not limit:
        return Chain(None, 1, tuple(read))
    return Chain(client, passed, tuple(read))


def count_forwarded(value: str, look_up: LookUp, count: int, furthest: int) -> Chain:
    """``Forwarded`` by count; elements are read up to the furthest that a field counts."""
    read: list[Mapping[str, str]] = []
    for element in islice(elements_from_right(value), furthest):
        if element is None:
            break
        read.append(element)
    if not 0 < count <= len(read):
        return Chain(None, 1, tuple(read))
    client, _ = walk([parse_node(read[count - 1].get("for", "")) or ""], look_up)
    return Chain(client, count, tuple(read))
