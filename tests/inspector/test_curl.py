"""The command that repeats a request: what a shell makes of it is the request, and nothing that a stranger wanted."""

import shlex
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.log_lines import HOSTILE, hostile_records, request

from overcoat.inspector._curl import curl

BASE = {"scheme": "https", "host": "shop.example"}
CURL = "curl --path-as-is --globoff"
REDACTED = "# with the values that the log redacted"
SECRETS = {"accept": "*/*", "authorization": "Bearer s3cret", "cookie": "a=s3cret"}


@pytest.mark.parametrize(
    ("fields", "command"),
    [
        ({}, f"{CURL} https://shop.example/item/7"),
        ({"method": "HEAD"}, f"{CURL} --head https://shop.example/item/7"),
        ({"method": "DELETE"}, f"{CURL} --request DELETE https://shop.example/item/7"),
        ({"path": "/a b/../é?"}, f"{CURL} https://shop.example/a%20b/../%C3%A9%3F"),
        ({"query": "a=1&b=%20"}, f"{CURL} 'https://shop.example/item/7?a=1&b=%20'"),
        ({"query": "page=2&token=[redacted]"}, f"{CURL} 'https://shop.example/item/7?page=2&token=' {REDACTED}"),
        ({"query": "access_token=s3cret"}, f"{CURL} 'https://shop.example/item/7?access_token=' {REDACTED}"),
        ({"request_headers": SECRETS}, f"{CURL} --header 'accept: */*' https://shop.example/item/7"),
        ({"user_agent": "it's"}, f"{CURL} --header 'user-agent: it'\"'\"'s' https://shop.example/item/7"),
        ({"user_agent": "a\x1b[2Jb"}, f"{CURL} https://shop.example/item/7"),
        ({"host": "[2001:db8::1]:8443"}, f"{CURL} 'https://[2001:db8::1]:8443/item/7'"),
    ],
)
def test_the_command(fields, command):
    assert curl(request(**BASE | fields)) == [command]


@pytest.mark.parametrize(
    "fields",
    [
        {"host": None},
        {"host": "a b"},
        {"host": "x;id"},
        {"path": "*"},
        {"path": None},
        {"method": "a;id"},
        {"scheme": "x"},
    ],
    ids=str,
)
def test_what_is_no_request_of_http_has_none(fields):
    assert curl(request(**BASE | fields)) == []


@given(st.sampled_from(HOSTILE) | st.text(), st.sampled_from(HOSTILE) | st.text())
@settings(deadline=None)
def test_nothing_a_stranger_sent_leaves_its_argument(path, other):
    lines = curl(request(**BASE, path=f"/{path}", query=other, user_agent=other, request_headers={"accept": other}))
    for line in lines:
        assert line.isprintable()
        words = shlex.split(line, comments=True)
        assert words[:3] == ["curl", "--path-as-is", "--globoff"]
        assert words[-1].startswith("https://shop.example/")
        assert all(word == "--header" or word.startswith(("user-agent: ", "accept: ")) for word in words[3:-1])


def test_hostile_records_have_no_command():
    assert [line for record in hostile_records() for line in curl(record)] == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_sends_the_request_again(tmp_path):
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append((self.command, self.path, self.headers["User-Agent"]))
            self.send_response(204)
            self.end_headers()

        do_PUT = do_GET

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        host = f"127.0.0.1:{server.server_port}"
        (command,) = curl(
            request(
                scheme="http",
                host=host,
                method="PUT",
                path="/a b/../[x]/$HOME",
                query="q={1,2}",
                user_agent="it's `id`",
            )
        )
        done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=30, cwd=tmp_path)
        thread.join(timeout=30)
    assert done.returncode == 0
    assert seen == [("PUT", "/a%20b/../%5Bx%5D/$HOME?q=%7B1,2%7D", "it's `id`")]
