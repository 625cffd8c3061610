"""Why ProxyFix makes of a request what it makes of it, hop by hop and field by field.

The verdicts come from the layer itself, which corrects a copy of the environ; only the reasons are worked out here,
from the same walk.
"""

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from overcoat.middleware._authority import parse_host, parse_port
from overcoat.middleware._chain import NOTHING, Chain, place_of, walk
from overcoat.middleware._contradictions import Contradictions
from overcoat.middleware._exchange import Exchange
from overcoat.middleware._explanation import KEYS, Explanation, Hop, Verdict, short
from overcoat.middleware._forwarded import header_of, parse_prefix, parse_scheme, split_list, with_port
from overcoat.middleware._proxy_options import lists
from overcoat.middleware._rfc7239 import elements_from_right, name_node, parse_node

if TYPE_CHECKING:
    from overcoat.middleware.proxy_fix import ProxyFix

# field: its key of X-Forwarded-*, its option, how it is parsed
_FIELDS = {
    "scheme": ("HTTP_X_FORWARDED_PROTO", "x_proto", parse_scheme),
    "host": ("HTTP_X_FORWARDED_HOST", "x_host", parse_host),
    "port": ("HTTP_X_FORWARDED_PORT", "x_port", parse_port),
    "prefix": ("HTTP_X_FORWARDED_PREFIX", "x_prefix", parse_prefix),
}
# The header that a field was taken from, if any, and why.
Reason = tuple[str | None, str]
_PARAMETERS = {"scheme": "proto", "host": "host"}


class _Heard(Contradictions):
    """Keeps what would be logged."""

    def __init__(self, header: str, lists: Iterable[str]) -> None:
        super().__init__(header, lists)
        self.heard: list[str] = []

    def warn(self, found: Iterable[tuple[str, str]]) -> None:
        self.heard += [message for _, message in found]


def explain(fix: "ProxyFix", environ: Mapping[str, Any]) -> Explanation:
    """What the layer makes of the environ, which stays as it is."""
    before, after = dict(environ), dict(environ)
    exchange = Exchange(after)
    # A twin that remembers no chain and logs nothing, so that neither is used up.
    twin = copy(fix)
    heard = _Heard(fix.header, lists(fix))
    twin._chains, twin._contradictions = {}, heard
    skipped = fix.skips is not None and bool(fix.skips(exchange))
    if not skipped:
        twin.on_request(exchange)
    key = "HTTP_FORWARDED" if fix.header == "forwarded" else "HTTP_X_FORWARDED_FOR"
    value = before.get(key) or ""
    chain = fix._chain(value) if value else NOTHING
    peer = before.get("REMOTE_ADDR")
    refusal = _refusal(fix, peer, skipped=skipped)
    reasons: dict[str, Reason] = dict.fromkeys(KEYS, (None, refusal))
    if not refusal:
        reasons = {field: _field(fix, field, before, chain) for field in _FIELDS}
        reasons["client"] = _client(fix, key, value, chain)
    verdicts = {field: Verdict(before.get(name), after.get(name), *reasons[field]) for field, name in KEYS.items()}
    _of_each_other(reasons, verdicts)
    return Explanation(
        header=fix.header,
        hops=(_peer(fix, peer), *_hops(fix, value, reached=not refusal)),
        **verdicts,
        deleted=tuple(header_of(name) for name in before if name not in after),
        notes=tuple(heard.heard),
    )


def _refusal(fix: "ProxyFix", peer: str | None, *, skipped: bool) -> str:
    """Why no header was looked at, or ""."""
    if skipped:
        return "kept: skip= leaves this request alone"
    return "" if fix._trusts is None or fix._trusts(peer) else "kept: the peer is not trusted"


def _peer(fix: "ProxyFix", peer: str | None) -> Hop:
    text = peer or ""
    if fix.trusted is None:
        return Hop(0, text, peer, None, "any peer is believed: trusted= is not given")
    entry = fix._networks.entry_for(peer)
    why = f"trusted by {entry}" if entry else "not trusted: forwarding headers are deleted"
    return Hop(0, text, peer, entry is not None, why)


def _nodes(fix: "ProxyFix", value: str) -> Iterator[tuple[str, str, str]]:
    """From the right: what an element says, the address in it, and what it is if that is none."""
    if fix.header != "forwarded":
        yield from ((text, text, "no address") for text in reversed(split_list(value)))
        return
    for element in elements_from_right(value):
        if element is None:
            yield "", "", "malformed"
        elif "for" in element:
            yield element["for"], parse_node(element["for"]) or "", name_node(element["for"])
        else:
            yield "", "", "an element without for"


def _hops(fix: "ProxyFix", value: str, *, reached: bool) -> Iterator[Hop]:
    walking = reached
    for number, (text, node, otherwise) in enumerate(_nodes(fix, value), start=1):
        address = walk([node], fix._networks.look_up)[0]
        if not walking or number > fix.x_for:
            yield Hop(number, text, address, None, "not reached: nobody vouches for it")
            continue
        if fix.trusted is None:
            told = otherwise if address is None else "the client"
            yield Hop(number, text, address, None, f"x_for={fix.x_for}: {told if number == fix.x_for else 'counted'}")
            continue
        entry = None if address is None else fix._networks.entry_for(address)
        walking = entry is not None
        if address is None:
            yield Hop(number, text, None, False, f"{otherwise}: the walk ends here, and the peer is kept")
        else:
            yield Hop(number, text, address, walking, f"trusted by {entry}" if entry else "not trusted: the client")


def _client(fix: "ProxyFix", key: str, value: str, chain: Chain) -> Reason:
    name = header_of(key)
    if not value:
        return None, f"kept: no {name}"
    if not fix.x_for:
        return None, "kept: x_for=0"
    look_up = fix._networks.look_up
    # What each element is that names no address; "" for those that do.
    bad = ["" if walk([node], look_up)[0] else otherwise for _, node, otherwise in _nodes(fix, value)]
    if chain.client is None:
        if fix.trusted is None and len(bad) < fix.x_for:
            return None, f"kept: {name} has fewer than x_for={fix.x_for} values"
        place = fix.x_for if fix.trusted is None else next((n for n, what in enumerate(bad, start=1) if what), 0)
        return None, f"kept: hop {place} is {bad[place - 1]}" if place else f"kept: {name} is empty"
    where = f"{name}, hop {chain.hops}"
    if fix.trusted is None:
        return name, f"{where}: x_for={fix.x_for}"
    if fix._networks.entry_for(chain.client) is None:
        return name, f"{where}: the first address that is not trusted"
    return name, f"{where}: trusted too, but {'the last' if chain.hops == len(bad) else f'x_for={fix.x_for}'}"


def _field(fix: "ProxyFix", field: str, before: Mapping[str, Any], chain: Chain) -> Reason:
    key, option, parse = _FIELDS[field]
    count = getattr(fix, option)
    if not count:
        return None, f"kept: {option}=0"
    if fix.header == "forwarded":
        name, length = f"{_PARAMETERS[field]} of Forwarded", len(chain.elements)
    else:
        name, length = header_of(key), len(split_list(before.get(key) or ""))
    if not length:
        return None, f"kept: no {name}"
    place = place_of(length, count, None if fix.trusted is None else chain.hops)
    text = _text(fix, field, before, chain)
    if not place:
        return None, f"kept: {name} has fewer than {option}={count} values"
    if not text:
        return None, f"kept: no {name} at hop {place}"
    if parse(text) is None:
        return None, f"kept: {name}, hop {place} is no {field}: {short(text)}"
    if field in {"host", "port"} and _refused_host(fix, before, chain):
        return None, "kept: the host is not among allowed_hosts"
    return name, f"{name}, hop {place}"


def _text(fix: "ProxyFix", field: str, before: Mapping[str, Any], chain: Chain) -> str:
    """What the header says of a field at the hop that counts."""
    key, option, _ = _FIELDS[field]
    if fix.header == "forwarded":
        return fix._parameter(chain.elements, _PARAMETERS.get(field, ""), getattr(fix, option), chain.hops)
    return fix._element(before.get(key) or "", getattr(fix, option), chain.hops)


def _refused_host(fix: "ProxyFix", before: Mapping[str, Any], chain: Chain) -> bool:
    if fix._allows is None:
        return False
    host, port = parse_host(_text(fix, "host", before, chain)), parse_port(_text(fix, "port", before, chain))
    return host is not None and not fix._allows(with_port(host, port))


def _of_each_other(reasons: dict[str, Reason], verdicts: dict[str, Verdict]) -> None:
    """A host may bring a port with it, and a port stands in the host too."""
    for field, other, told in (("port", "host", "the port in"), ("host", "port", "its port is that of")):
        verdict, source = verdicts[field], reasons[other][0]
        if verdict.source is None and verdict.value != verdict.before:
            verdicts[field] = replace(verdict, source=source, why=f"{told} {source}")
