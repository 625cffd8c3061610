"""The log page in Chromium under a path of an app that nginx itself serves under a path."""

import shutil
import subprocess
import urllib.error
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from support.browser import expect, needs_browser, served_here
from support.log_lines import line, timestamp
from support.servers import ending, free_port, wait_for

from overcoat.inspector import LogPage
from overcoat.middleware import Mount, ProxyFix, RequestLog, Stack

pytestmark = [needs_browser, pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")]

CONFIGURATION = """
daemon off;
pid {folder}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    server {{
        listen 127.0.0.1:{port};
        location /shop/ {{
            proxy_pass {app}/;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Prefix /shop;
        }}
        location /silent/ {{
            proxy_pass {app}/;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
    }}
}}
"""


def shop(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b"<!doctype html><title>shop</title>"]


@pytest.fixture
def log(tmp_path):
    log = tmp_path / "app.log"
    log.write_bytes(line(timestamp=timestamp(datetime.now(UTC)), path="/first", request_id="abc") + b"\n")
    return log


@contextmanager
def behind_nginx(folder, app):
    """The URL of nginx in front of an app."""
    port, file = free_port(), folder / "nginx.conf"
    with served_here(app) as url:
        file.write_text(CONFIGURATION.format(folder=folder, port=port, app=url))
        process = subprocess.Popen(
            ["nginx", "-c", str(file), "-e", str(folder / "error.log")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with ending(process):
            wait_for(lambda: asked(f"http://127.0.0.1:{port}/shop/")[0] == 200, "nginx")
            yield f"http://127.0.0.1:{port}"


@pytest.fixture
def site(tmp_path, log):
    """nginx in front of an app with the page, in whose log are its own requests too."""
    page = LogPage(log)
    parts = [ProxyFix(trusted=["127.0.0.1"]), Mount("/_logs", page), RequestLog(to=str(log))]
    with behind_nginx(tmp_path, Stack(shop, parts)) as url:
        yield url
    page.close()


def asked(url, **headers):
    """Status and text of an answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except urllib.error.URLError:
        return None, ""


def test_it_is_whole_under_both_paths_and_does_not_log_itself(page, seen, site, log):
    rows = page.locator("#rows tbody")
    page.goto(f"{site}/shop/_logs")  # without its slash
    assert page.evaluate("location.pathname") == "/shop/_logs/"
    expect(rows).to_contain_text("/first")
    expect(page.locator("canvas")).to_have_count(2)
    assert asked(f"{site}/shop/item")[0] == 200
    expect(rows).to_contain_text("/item")
    rows.get_by_role("link").last.click()
    page.wait_for_url(f"{site}/shop/_logs/request?id=abc")
    assert page.locator("h1").text_content() == "GET /first"
    page.locator("#back").click()
    page.wait_for_url(f"{site}/shop/_logs/")
    assert (seen.violations, seen.failures) == ([], [])
    assert b"_logs" not in log.read_bytes()


REFUSED = {
    "another host": ("/shop/_logs/", {"Host": "evil.example"}, "LogPage(hosts=[...]) names more"),
    "a proxy that tells only the scheme": ("/silent/_logs/", {}, "it must send X-Forwarded-For"),
}


@pytest.mark.parametrize(("path", "headers", "told"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_certain_is_refused_with_what_to_do(site, path, headers, told):
    status, text = asked(f"{site}{path}", **headers)
    assert status == 403
    assert told in text


def test_without_proxy_fix_nobody_comes_through(tmp_path, log):
    with behind_nginx(tmp_path, Stack(shop, [Mount("/_logs", LogPage(log))])) as url:
        status, text = asked(f"{url}/shop/_logs/")
    assert status == 403
    assert "no ProxyFix outside of this page tells whose it is" in text
