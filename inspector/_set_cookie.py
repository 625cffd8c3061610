"""A Set-Cookie header, read as browsers read it.

>>> from overcoat.inspector._set_cookie import read_set_cookie
>>> read_set_cookie("session=7; Path=/; HttpOnly")
('session', {'path': '/', 'httponly': ''})
"""

from overcoat.middleware._cookies import parse_attributes, split_set_cookie


def read_set_cookie(value: str) -> tuple[str, dict[str, str]] | None:
    """The cookie's name and its attributes by lower-case name, or None for what is no cookie with a name."""
    parts = split_set_cookie(value)
    return None if parts is None else (parts[0], parse_attributes(parts[1]))
