"""A Set-Cookie header taken apart."""

from overcoat.middleware._cookies import parse_attributes, split_set_cookie


def parse_set_cookie(value: str) -> tuple[str, dict[str, str]] | None:
    """The cookie's name and its attributes, or None.

    >>> parse_set_cookie("a=b; Secure; Path=/")
    ('a', {'secure': '', 'path': '/'})
    """
    split = split_set_cookie(value)
    return None if split is None else (split[0], parse_attributes(split[1]))
