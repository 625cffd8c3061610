"""`overcoat explain-proxy`: what ProxyFix makes of a request's forwarding headers, hop by hop, and why.

>>> parser = argparse.ArgumentParser()
>>> add_arguments(parser)
>>> typed = ["--peer", "10.0.0.7", "--trusted", "10.0.0.0/8", "--header", "X-Forwarded-For: 6.6.6.6, 192.0.2.1"]
>>> run(parser.parse_args(typed))
peer    10.0.0.7   trusted by 10.0.0.0/8
hop 1   192.0.2.1  not trusted: the client
hop 2   6.6.6.6    not reached: nobody vouches for it
client  192.0.2.1  X-Forwarded-For, hop 1: the first address that is not trusted
scheme  http       kept: no X-Forwarded-Proto
host    localhost  kept: x_host=0
port    80         kept: x_port=0
prefix  -          kept: x_prefix=0
0
"""

import argparse
import json
import re
import sys
from typing import Any

from overcoat.inspector._text import escape

_EPILOG = """\
examples:
  overcoat explain-proxy --peer 10.0.0.7 --trusted 10.0.0.0/8 --header 'X-Forwarded-For: 6.6.6.6, 192.0.2.1'
  overcoat explain-proxy --peer unix: --trusted unix: --forwarded --header 'Forwarded: for=192.0.2.1;proto=https'
  overcoat explain-proxy --peer 10.0.0.7 --trusted 10.0.0.7 --x-host 1 --allowed-host '*.example.com' \\
      --header 'X-Forwarded-Host: shop.example.com' --json

Headers of the same name are joined with a comma, as servers join them. Without --trusted any peer is believed, as by
Werkzeug's ProxyFix; --trusted '' trusts nobody.

exit status: 0 explained; 2 wrong usage; 130 interrupted by Ctrl-C.
"""

_COUNTS = {
    "for": "how many values of X-Forwarded-For, or of Forwarded, are believed",
    "proto": "the same for X-Forwarded-Proto",
    "host": "the same for X-Forwarded-Host; 0 by default",
    "port": "the same for X-Forwarded-Port; 0 by default",
    "prefix": "the same for X-Forwarded-Prefix; 0 by default",
}
# field-name = token (RFC 9110, section 5.1)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of `overcoat explain-proxy`."""
    parser.description = "Show what ProxyFix makes of a request's forwarding headers, hop by hop, and why."
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--peer", required=True, metavar="ADDRESS", help="REMOTE_ADDR as the server tells it; 'unix:' for a Unix socket"
    )
    parser.add_argument(
        "--header", action="append", default=[], type=_header, metavar="'NAME: VALUE'", help="one of its headers"
    )
    parser.add_argument(
        "--trusted", action="append", type=_list, metavar="LIST", help="ProxyFix(trusted=...): addresses and networks"
    )
    parser.add_argument("--forwarded", action="store_true", help="ProxyFix(header='forwarded'): RFC 7239")
    parser.add_argument(
        "--allowed-host", action="append", type=_list, metavar="LIST", help="ProxyFix(allowed_hosts=...)"
    )
    for name, told in _COUNTS.items():
        parser.add_argument(f"--x-{name}", type=int, metavar="COUNT", help=told)
    parser.add_argument("--scheme", default="http", choices=["http", "https"], help="the connection's own; http")
    parser.add_argument("--json", action="store_true", help="the explanation as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Explain, and print it; the exit status."""
    from overcoat.middleware import ProxyFix

    options = {f"x_{name}": getattr(arguments, f"x_{name}") for name in _COUNTS}
    try:
        fix = ProxyFix(
            **options,
            trusted=_joined(arguments.trusted),
            header="forwarded" if arguments.forwarded else "x-forwarded",
            allowed_hosts=_joined(arguments.allowed_host),
        )
    except ValueError as error:
        print(f"overcoat explain-proxy: {escape(str(error))}", file=sys.stderr)
        return 2
    explanation = fix.explain(_environ(arguments))
    if arguments.json:
        print(json.dumps(explanation.as_dict(), indent=2))
    else:
        for line in str(explanation).splitlines():
            print(escape(line, limit=None))
    return 0


def _environ(arguments: argparse.Namespace) -> dict[str, Any]:
    """The environ that a server makes of such a request."""
    environ = {
        "REMOTE_ADDR": arguments.peer,
        "wsgi.url_scheme": arguments.scheme,
        "HTTP_HOST": "localhost",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "443" if arguments.scheme == "https" else "80",
        "SCRIPT_NAME": "",
    }
    told: dict[str, str] = {}
    for key, value in arguments.header:
        told[key] = f"{told[key]}, {value}" if key in told else value
    return environ | told


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not _NAME.fullmatch(name):
        raise argparse.ArgumentTypeError(f"{text!r} is no header: write 'X-Forwarded-For: 192.0.2.1'")
    # As servers hand bytes on: each as the character of its number (PEP 3333).
    value = value.strip(" \t").encode("utf-8", "surrogateescape").decode("latin-1")
    return f"HTTP_{name.upper().replace('-', '_')}", value


def _list(text: str) -> list[str]:
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def _joined(lists: list[list[str]] | None) -> list[str] | None:
    return None if lists is None else [entry for one in lists for entry in one]
