"""The chain of proxies that a forwarding header tells of, walked from the right: who the client is, and at which hop.

>>> from overcoat.middleware._chain import chain_reader
>>> from overcoat.middleware._networks import Networks
>>> read = chain_reader("x-forwarded", Networks("ProxyFix", ["10.0.0.0/8"]).look_up, count=100, furthest=None)
>>> read("6.6.6.6, 192.0.2.1, 10.0.0.9")
Chain(client='192.0.2.1', hops=2, elements=())
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import NamedTuple

from overcoat.middleware._forwarded import LONGEST_ADDRESS, split_list

LookUp = Callable[[str], tuple[str | None, bool]]


class Chain(NamedTuple):
    """What one forwarding header says.

    Attributes:
        client: The address of the client, or None where the header names none that counts.
        hops: How many elements the walk passed from the right, the client's with them; 1 where it found no client.
        elements: Those of ``Forwarded``, from the right, as far as they were read.
    """

    client: str | None
    hops: int
    elements: tuple[Mapping[str, str], ...] = ()


NOTHING = Chain(None, 1)


def walk(texts: Iterable[str], look_up: LookUp) -> tuple[str | None, int]:
    """The first address that is not trusted, else the last, or None at an element that is none; how many it passed."""
    client, passed = None, 0
    for text in texts:
        passed += 1
        client, trusted = look_up(text) if len(text) <= LONGEST_ADDRESS else (None, False)
        if not trusted:  # nor is what names no address
            break
    return client, passed


def walk_x_forwarded(value: str, look_up: LookUp, limit: int) -> Chain:
    """X-Forwarded-For by trust, at most ``limit`` elements of it."""
    client, passed = walk(islice(reversed(split_list(value)), limit), look_up)
    return Chain(client, passed) if client is not None else NOTHING


def count_x_forwarded(value: str, look_up: LookUp, count: int) -> Chain:
    """X-Forwarded-For by count: the element so many from the right, as Werkzeug."""
    elements = split_list(value)
    if not 0 < count <= len(elements):
        return NOTHING
    client, _ = walk(elements[-count : len(elements) - count + 1], look_up)
    return Chain(client, count)


def chain_reader(header: str, look_up: LookUp, count: int, furthest: int | None) -> Callable[[str], Chain]:
    """The function that reads the header which names the client.

    Args:
        header: The family, ``"x-forwarded"`` or ``"forwarded"``.
        look_up: What an address is, and whether it is trusted.
        count: Which element counts from the right; by trust, at most which.
        furthest: By count, the last element of ``Forwarded`` that any field needs; None is by trust.
    """
    if header != "forwarded":
        read = walk_x_forwarded if furthest is None else count_x_forwarded
        return lambda value: read(value, look_up, count)
    # Its grammar is loaded only where it is read.
    from overcoat.middleware._chain_rfc7239 import count_forwarded, walk_forwarded  # noqa: PLC0415

    if furthest is None:
        return lambda value: walk_forwarded(value, look_up, count)
    return lambda value: count_forwarded(value, look_up, count, furthest)


def place_of(length: int, count: int, hops: int | None) -> int:
    """Which element of a list counts, from the right and from 1 on; 0 for none.

    Args:
        length: How many there are.
        count: Which one, as Werkzeug; by trust, at most which.
        hops: By trust, the hop where the walk ended: its element counts, from the right, for the left end is the
            client's to lengthen. Of a shorter list it is the rightmost, the nearest proxy's. None is by count.
    """
    place = count if hops is None else min(count, hops if length >= hops else 1)
    return place if place <= length else 0


def element_at(value: str, count: int, hops: int | None) -> str:
    """The element of X-Forwarded-* that counts, or ""."""
    if "," not in value:  # as one proxy sends it
        return value.strip(" \t") if count == 1 or (hops is not None and count) else ""
    elements = split_list(value)
    place = place_of(len(elements), count, hops)
    return elements[-place] if place else ""


def parameter_at(elements: tuple[Mapping[str, str], ...], name: str, count: int, hops: int | None) -> str:
    """The same for a parameter of ``Forwarded``, where each hop has an element of its own."""
    place = place_of(len(elements), count, hops)
    return elements[place - 1].get(name, "") if place else ""
