"""What `overcoat check` hears of an app is what a server would send."""

import sys

import pytest

from overcoat.inspector._response import ask, make_environ

HTML = ("Content-Type", "text/html")


def error_page(environ, start_response):
    """PEP 3333's own example: an error after `start_response`, before anything was sent."""
    start_response("200 OK", [("X-Was", "meant")])
    try:
        raise KeyError("basket")
    except KeyError:
        start_response("500 Sorry", [HTML], sys.exc_info())
    return [b"<p>Sorry"]


def writer(environ, start_response):
    write = start_response("200 OK", [HTML])
    write(b"<p>")
    return [b"written"]


def late(environ, start_response):
    yield b""
    start_response("200 OK", [HTML])
    yield b"<p>late"


def never(environ, start_response):
    return [b"no status"]


def leaver(environ, start_response):
    raise SystemExit(3)


def broken(environ, start_response):
    start_response("200 OK", [HTML])
    yield b"<p>"
    raise OSError("disk")


ANSWERS = {
    "an error page through exc_info": (error_page, (500, (HTML,), b"<p>Sorry", "")),
    "write": (writer, (200, (HTML,), b"<p>written", "")),
    "started late": (late, (200, (HTML,), b"<p>late", "")),
    "never started": (never, (500, (), b"no status", "start_response was never called")),
    "one that leaves": (leaver, (500, (), b"", "SystemExit: 3")),
    "broken in the middle": (broken, (500, (), b"<p>", "OSError: disk")),
}


@pytest.mark.parametrize(("app", "told"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_told_as_it_was_sent(app, told):
    response = ask(app, "GET", "https://example.com/")
    assert (response.status, response.headers, response.body, response.error) == told


#: URL, PATH_INFO, QUERY_STRING, SERVER_NAME, SERVER_PORT.
URLS = [
    ("https://example.com", "/", "", "example.com", "443"),
    ("http://example.com//double", "//double", "", "example.com", "80"),
    ("http://example.com/%ff%00?", "/\xff\x00", "", "example.com", "80"),
    ("http://example.com/a%2Fb/../c;d?x=%zz&y=a+b", "/a/b/../c;d", "x=%zz&y=a+b", "example.com", "80"),
    ("http://example.com/é?x=é€", "/Ã©", "x=%C3%A9%E2%82%AC", "example.com", "80"),
    ("https://[2001:db8::1]:8443/", "/", "", "2001:db8::1", "8443"),
]


@pytest.mark.parametrize(("url", *("path", "query", "name", "port")), URLS, ids=[url for url, *_ in URLS])
def test_the_environ_is_that_of_a_server(url, path, query, name, port):
    environ = make_environ("GET", url, {"X-One": "1"})
    keys = ("PATH_INFO", "QUERY_STRING", "SERVER_NAME", "SERVER_PORT", "HTTP_X_ONE")
    assert [environ[key] for key in keys] == [path, query, name, port, "1"]
    assert all(value.encode("latin-1") is not None for value in environ.values() if isinstance(value, str))
