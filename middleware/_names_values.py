"""Values that a standard writes in another way than the request record does.

>>> split_host("[2001:db8::1]:8443"), split_host("shop.example"), split_host("a:b:c")
(('2001:db8::1', 8443), ('shop.example', None), ('a:b:c', None))
>>> split_place("shop/cart.py:41 in add")
('shop/cart.py', 41, 'add')
>>> message({"method": "GET", "path": "/cart", "status": 200})
'GET /cart 200'
"""

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_HOST = re.compile(r"(\[[^\]]*\]|[^:\[\]]+):([0-9]{1,5})")
# Of an IPv6 address with an IPv4 one at its end (RFC 4291, section 2.2).
_LONGEST_ADDRESS = 45
_PLACE = re.compile(r"(.+):([0-9]{1,9}) in (.+)", re.DOTALL)


def split_host(host: str) -> tuple[str, int | None]:
    """Name or address, without brackets, and port of a Host header (RFC 9110, section 7.2)."""
    match = _HOST.fullmatch(host) if ":" in host else None
    name, port = (match[1], int(match[2])) if match and int(match[2]) <= 65535 else (host, None)
    return name[1:-1] if name[:1] == "[" and name[-1:] == "]" else name, port


def split_place(place: str) -> tuple[str, int, str] | None:
    """File, line and function of ``error_at``."""
    match = _PLACE.fullmatch(place)
    return (match[1], int(match[2]), match[3]) if match else None


def is_address(text: str) -> bool:
    """Whether it is an IP address, as a field of that type demands."""
    return len(text) <= _LONGEST_ADDRESS and _is_address(text)


@lru_cache(maxsize=1024)
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text  # a zone is of one machine


def message(record: Mapping[str, Any]) -> str:
    """The request in a line for people, where a viewer shows one text of each entry."""
    return f"{record['method']} {record['path']} {record.get('status', record.get('outcome'))}"
