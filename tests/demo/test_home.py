"""The home page and what it loads."""

import itertools
import re
import shlex
from html.parser import HTMLParser

import pytest


@pytest.fixture
def client(make_app):
    return make_app(trusted_hosts="*", https_redirect=False).test_client()


class Page(HTMLParser):
    """The tags of a page, and the text of its ``code`` elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.code: list[str] = []
        self._in_code = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "code":
            self.code.append("")
            self._in_code = True

    def handle_endtag(self, tag):
        self._in_code = self._in_code and tag != "code"

    def handle_data(self, data):
        if self._in_code:
            self.code[-1] += data


def test_policy_is_kept(client):
    response = client.get("/")
    policy = dict(part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == policy["img-src"] == "'self'"
    tags = Page(response.text).tags
    assert not [tag for tag, attrs in tags if tag == "style" or "style" in attrs]
    (script,) = [attrs for tag, attrs in tags if tag == "script"]
    assert script["src"].startswith("/tour.js?v=")
    assert policy["script-src"] == f"'report-sample' 'nonce-{script['nonce']}'"
    assert script["nonce"] not in client.get("/").text
    assert not [name for _, attrs in tags for name in attrs if name.startswith("on")]


def test_what_it_loads_is_there(client):
    tags = Page(client.get("/").text).tags
    loaded = {attrs.get("href") or attrs.get("src") for tag, attrs in tags if tag in {"link", "img"}}
    assert all(attrs["integrity"].startswith("sha384-") for tag, attrs in tags if attrs.get("rel") == "stylesheet")
    loaded |= {attrs["src"] for tag, attrs in tags if tag == "script"}
    loaded = {path.partition("?")[0] for path in loaded}
    assert loaded == {"/style.css", "/icon.svg", "/tour.js"}
    types = {path: client.get(path).mimetype for path in loaded}
    assert types == {"/style.css": "text/css", "/icon.svg": "image/svg+xml", "/tour.js": "text/javascript"}


def test_the_template_itself_is_not_served(client):
    assert client.get("/index.html").status_code == 404


def commands(client) -> list[list[str]]:
    code = Page(client.get("/", base_url="http://demo.example:8000").text).code
    return [shlex.split(text) for text in code if text.startswith("curl")]


def test_every_command_does_what_it_says(client):
    statuses = []
    for words in commands(client):
        arguments = dict(itertools.pairwise(words))
        (url,) = [word for word in words if word.startswith("http")]
        assert url.startswith("http://demo.example:8000/")
        method = arguments.get("-X") or ("POST" if "-d" in arguments else "GET")
        response = client.open(
            url.removeprefix("http://demo.example:8000"),
            method=method,
            data=arguments.get("-d"),
            content_type="application/json" if "-d" in arguments else None,
        )
        statuses.append((method, response.status_code))
    assert statuses == [
        ("GET", 200),
        ("GET", 200),
        ("POST", 201),
        ("GET", 200),
        ("PUT", 200),
        ("DELETE", 200),
        ("GET", 200),
        ("GET", 404),
    ]


def test_every_route_of_the_api_is_shown(client):
    rules = {
        re.sub(r"int:", "", rule.rule)
        for rule in client.application.url_map.iter_rules()
        if rule.endpoint.startswith("items.")
    }
    assert rules <= set(Page(client.get("/").text).code)


class TestLogLine:
    """What ``/tour/log/`` hands out."""

    def test_own(self, client):
        request_id = client.get("/item/1").headers["X-Request-ID"]
        answer = client.get(f"/tour/log/{request_id}").json
        assert (answer["record"]["path"], answer["record"]["request_id"]) == ("/item/1", request_id)

    @pytest.mark.parametrize("request_id", ["nothing", '"', "..%2f..", "a" * 200, "%0a", "☃"])
    def test_none(self, client, request_id):
        client.get("/item/1")
        assert client.get(f"/tour/log/{request_id}").json in (None, {"record": None, "logged": True}) or (
            client.get(f"/tour/log/{request_id}").status_code == 404
        )

    def test_of_another_client(self, client):
        theirs = client.get("/item/1", environ_overrides={"REMOTE_ADDR": "192.0.2.1"}).headers["X-Request-ID"]
        assert client.get(f"/tour/log/{theirs}").json["record"] is None

    def test_without_a_file(self, make_app):
        client = make_app(log_file="").test_client()
        request_id = client.get("/item/1").headers["X-Request-ID"]
        assert client.get(f"/tour/log/{request_id}").json == {"record": None, "logged": False}

    def test_asking_is_not_logged(self, client, records):
        client.get("/tour/log/x")
        assert records() == []


@pytest.mark.parametrize("path", ["nothing/0", "TrustedHosts/1", "TrustedHosts/9", "ProxyFix/0", "TrustedHosts/-1"])
def test_the_server_sends_only_what_the_tour_lists(client, path):
    response = client.post(f"/tour/send/{path}")
    assert (response.status_code, response.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize("host", ["a<b>", "a'b", 'a" onload="x', "[::1", "a b"])
def test_hostile_host_is_not_in_the_page(client, host):
    response = client.get("/", headers={"Host": host})
    assert response.status_code in {200, 400}
    assert host not in response.text.replace("[::1]", "")
