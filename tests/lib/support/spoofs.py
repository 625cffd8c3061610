"""What a client may write to pass for another, and what must come out in spite of it."""

from collections.abc import Mapping, Sequence
from typing import Any

LONG = ", ".join(["6.6.6.6"] * 450)  # as much as every server takes: 4 KiB
HUGE = ", ".join(["6.6.6.6"] * 7300)  # 64 KiB

#: What a client may write to pass for another: header lines by what they try.
SPOOFS: Mapping[str, Sequence[str]] = {
    "for": ["X-Forwarded-For: 6.6.6.6"],
    "for-a-list": ["X-Forwarded-For: 6.6.6.6, 7.7.7.7"],
    "for-in-the-name-of-a-proxy": ["X-Forwarded-For: 6.6.6.6, 127.0.0.1"],
    "for-proxies-alone": ["X-Forwarded-For: 127.0.0.1, 127.0.0.1"],
    "for-ipv6": ["X-Forwarded-For: 2001:db8::666"],
    "for-ipv6-with-port": ['X-Forwarded-For: "[2001:db8::666]:4711"'],
    "for-ipv4-mapped": ["X-Forwarded-For: ::ffff:127.0.0.1"],
    "for-with-port": ["X-Forwarded-For: 6.6.6.6:4711"],
    "for-unknown": ["X-Forwarded-For: unknown"],
    "for-junk": ['X-Forwarded-For: "><script>alert(666)</script>'],
    "for-bytes": ["X-Forwarded-For: 6.6.6.6\xa0\xff"],
    "for-nothing": ["X-Forwarded-For:"],
    "for-commas": ["X-Forwarded-For: ,,,"],
    "for-open-end": ["X-Forwarded-For: 6.6.6.6,"],
    "for-long": [f"X-Forwarded-For: {LONG}"],
    "for-twice": ["X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 7.7.7.7"],
    "for-in-capitals": ["X-FORWARDED-FOR: 6.6.6.6"],
    "proto-https": ["X-Forwarded-Proto: https"],
    "proto-http": ["X-Forwarded-Proto: http"],
    "proto-wss": ["X-Forwarded-Proto: wss"],
    "proto-a-list": ["X-Forwarded-Proto: https, http", "X-Forwarded-For: 6.6.6.6, 7.7.7.7"],
    "proto-twice": ["X-Forwarded-Proto: https", "X-Forwarded-Proto: http"],
    "proto-junk": ["X-Forwarded-Proto: javascript"],
    "ssl-on": ["X-Forwarded-Ssl: on"],
    "protocol-ssl": ["X-Forwarded-Protocol: ssl"],
    "scheme-https": ["X-Forwarded-Scheme: https", "X-Scheme: https", "X-Url-Scheme: https", "Front-End-Https: on"],
    "host": ["X-Forwarded-Host: evil.example"],
    "host-a-list": ["X-Forwarded-Host: evil.example, evil.example"],
    "host-elsewhere": ["X-Host: evil.example", "X-Original-Host: evil.example", "X-Forwarded-Server: evil.example"],
    "port": ["X-Forwarded-Port: 666"],
    "prefix": ["X-Forwarded-Prefix: /evil"],
    "prefix-to-elsewhere": ["X-Forwarded-Prefix: //evil.example"],
    "script-name": ["X-Script-Name: /evil"],
    "url": ["X-Original-URL: /evil", "X-Rewrite-URL: /evil"],
    "forwarded": ["Forwarded: for=6.6.6.6;proto=https;host=evil.example;by=127.0.0.1"],
    "forwarded-quoted": ['Forwarded: for="[2001:db8::666]:4711", for=127.0.0.1'],
    "real-ip": ["X-Real-IP: 6.6.6.6"],
    "true-client-ip": ["True-Client-IP: 6.6.6.6"],
    "cf-connecting-ip": ["CF-Connecting-IP: 6.6.6.6"],
    "client-ip": ["X-Client-IP: 6.6.6.6", "X-Cluster-Client-IP: 6.6.6.6"],
    "of-other-platforms": ["Fastly-Client-IP: 6.6.6.6", "Fly-Client-IP: 6.6.6.6"],
    "underscores": ["X_Forwarded_For: 6.6.6.6", "X_Forwarded_Proto: https", "X_Forwarded_Host: evil.example"],
    "underscores-of-gunicorn": ["SCRIPT_NAME: /host"],
    "connection": ["Connection: close, X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host"],
    "connection-and-for": ["Connection: close, X-Forwarded-For", "X-Forwarded-For: 6.6.6.6"],
    "connection-twice": ["Connection: close", "Connection: x-forwarded-for", "Connection: X-Forwarded-Proto"],
    "httpoxy": ["Proxy: http://evil.example:8080"],
    "all": [
        "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example",
        "X-Forwarded-Port: 666", "X-Forwarded-Prefix: /evil", "X-Real-IP: 6.6.6.6", "Forwarded: for=6.6.6.6",
    ],
}  # fmt: skip
#: These a proxy may refuse; if it does not, they change nothing either.
REFUSABLE: Mapping[str, Sequence[str]] = {
    "for-huge": [f"X-Forwarded-For: {HUGE}"],
    "for-folded": ["X-Forwarded-For: 6.6.6.6,", " 7.7.7.7"],
    "for-with-a-space-in-its-name": ["X-Forwarded-For : 6.6.6.6"],
    "for-after-a-bare-line-feed": ["X-A: b\nX-Forwarded-For: 6.6.6.6"],
    "for-after-a-bare-carriage-return": ["X-A: b\rX-Forwarded-For: 6.6.6.6"],
    "for-with-a-null": ["X-Forwarded-For: 6.6.6.6\0"],
}
REFUSALS = {400, 431, 494}

#: What differs from one request to the next, or says nothing of the client.
PASSING = {"HTTP_X_REQUEST_ID", "HTTP_CONNECTION", "HTTP_TRAILER", "HTTP_TE", "HTTP_TRANSFER_ENCODING", "HTTP_X_A"}


def steady(seen: Mapping[str, Any]) -> dict[str, Any]:
    """What the app sees of a request, without what passes."""
    return {key: value for key, value in seen.items() if key not in PASSING}


def told(line: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Client, peer, scheme and host as the log line tells them."""
    return line["client"], line["peer"], line["scheme"], line["host"]
