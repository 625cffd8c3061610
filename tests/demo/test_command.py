"""`overcoat demo` as a process: a client's whole walk, what is printed and logged, its end, why it does not start."""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection

import pytest
from support.servers import PATIENCE_S, wait_for

from overcoat.demo.command import add_arguments
from overcoat.demo.config import Settings

from .conftest import Process, request_records

KETTLE = {"name": "kettle", "value": 30}

#: Each route and each of its errors: method, path, body, status, route template.
WALK = [
    ("GET", "/item", None, 200, "/item"),
    ("GET", "/item?limit=2", None, 200, "/item"),
    ("GET", "/item?limit=0", None, 400, "/item"),
    ("POST", "/item", KETTLE, 201, "/item"),
    ("POST", "/item", {}, 400, "/item"),
    ("POST", "/item", b"{", 415, "/item"),
    ("POST", "/item", {"name": "x" * 70_000}, 413, "/item"),
    ("GET", "/item/4", None, 200, "/item/<int:item_id>"),
    ("GET", "/item/999", None, 404, "/item/<int:item_id>"),
    ("GET", f"/item/{10**20}", None, 404, "/item/<int:item_id>"),
    ("PUT", "/item/4", KETTLE, 200, "/item/<int:item_id>"),
    ("PUT", "/item/70", KETTLE, 200, "/item/<int:item_id>"),
    ("PUT", "/item/70", {"name": "a"}, 400, "/item/<int:item_id>"),
    ("DELETE", "/item/70", None, 200, "/item/<int:item_id>"),
    ("DELETE", "/item/70", None, 404, "/item/<int:item_id>"),
    ("PATCH", "/item/4", None, 405, None),
    ("GET", "/items/range/1/4", None, 200, "/items/range/<int:start_id>/<int:end_id>"),
    ("GET", "/items/range/50/60", None, 404, "/items/range/<int:start_id>/<int:end_id>"),
    ("GET", "/", None, 200, "/"),
    ("GET", "/nothing", None, 404, None),
]


def walk(server) -> list[tuple[str, str, int, str | None]]:
    """Send each request of the walk; what the log must tell."""
    for method, path, body, status, _ in WALK:
        response, _ = server.request(method, path, body)
        assert response.status == status, (method, path)
    return [(method, path.partition("?")[0], status, route) for method, path, _, status, route in WALK]


def logged(log_file, count: int) -> list[tuple[str, str, int, str | None]]:
    """What the log tells, once it has so many records."""
    wait_for(lambda: len(request_records(log_file)) >= count, f"{count} records")
    records = request_records(log_file)
    assert {record["client"] for record in records} == {"127.0.0.1"}
    return [(record["method"], record["path"], record["status"], record.get("route")) for record in records]


def test_every_request_stands_in_the_log(serve, tmp_path):
    server = serve()
    expected = walk(server)
    assert sorted(logged(tmp_path / "overcoat-demo.log", len(expected)), key=str) == sorted(expected, key=str)
    assert server.stop() == 0
    shown = [line for line in server.lines if " ms " in line]
    assert len(shown) == len(expected)
    assert any("404 GET" in line and "/item/999" in line for line in shown)


def test_what_is_printed(serve, tmp_path):
    server = serve()
    url = f"http://127.0.0.1:{server.port}"
    server.request("GET", "/item")
    server.stop()
    assert f"curl {url}/item\n" in server.output
    assert str(tmp_path / "overcoat-demo.log") in server.output
    assert str(tmp_path / "overcoat-demo.sqlite3") in server.output
    assert "overcoat logs overcoat-demo.log --stats" in server.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["overcoat-demo.log", "overcoat-demo.sqlite3"]


def test_what_is_printed_inspects_the_log(serve, tmp_path):
    server = serve("--log", "my requests.log")
    server.request("GET", "/item/1")
    server.stop()
    (line,) = [line for line in server.lines if "overcoat logs" in line]
    arguments = line.split("overcoat ", 1)[1]
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m overcoat.inspector {arguments}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "/item/<int:item_id>" in done.stdout


def test_items_outlive_the_server(serve):
    first = serve()
    _, item = first.request("POST", "/item", KETTLE)
    first.stop()
    second = serve()
    assert second.request("GET", f"/item/{item['id']}")[1] == item


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_end(serve, number):
    server = serve()
    server.request("GET", "/item")
    assert server.stop(number) == 0
    assert "Traceback" not in server.output
    assert "Error" not in server.output


def test_what_is_under_way_at_the_end_is_answered(serve, tmp_path):
    server = serve()
    client = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    client.request("GET", "/tour/stream")
    response = client.getresponse()
    first = response.readline()
    server.popen.send_signal(signal.SIGTERM)
    assert len((first + response.read()).splitlines()) == 6
    client.close()
    assert server.popen.wait(PATIENCE_S) == 0
    assert [record["outcome"] for record in request_records(tmp_path / "overcoat-demo.log")] == ["complete"]


def test_end_in_the_background_of_a_shell(tmp_path):
    """Such a shell starts it with SIGINT ignored."""
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.executable, sys.argv[1:])"
    )
    arguments = ["-c", ignoring, sys.executable, "-m", "overcoat.demo", "--port", "0"]
    server = Process(arguments, tmp_path, r"Overcoat demo on http://\S+:(\d+)", {})
    assert server.stop(signal.SIGINT) == 0


def test_a_client_of_the_classic_example(serve):
    """The calls of the usual Flask-RESTful tutorial, with what its client reads of the answers."""
    server = serve()
    response, created = server.request("POST", "/item", {"name": "Widget", "value": 9.99})
    assert (response.status, created["name"], created["value"]) == (201, "Widget", 9.99)
    path = f"/item/{created['id']}"
    assert server.request("GET", path)[1] == created
    assert created in server.request("GET", "/item")[1]["items"]
    response, changed = server.request("PUT", path, {"name": "Widget 2", "value": "19.5"})
    assert (response.status, changed) == (200, {"id": created["id"], "name": "Widget 2", "value": 19.5})
    assert server.request("GET", f"/items/range/{created['id']}/{created['id']}")[1] == {"items": [changed]}
    response, missing = server.request("POST", "/item", {"value": 1})
    assert (response.status, missing["message"]) == (400, {"name": "Name cannot be blank!"})
    response, deleted = server.request("DELETE", path)
    assert (response.status, deleted) == (200, {"message": "Item deleted"})
    response, gone = server.request("GET", path)
    assert (response.status, gone["message"]) == (404, "Item not found")
    response, nothing = server.request("GET", "/items/range/500/600")
    assert (response.status, nothing["message"]) == (404, "No items found in this range")


def test_forwarded_headers_of_a_stranger_are_not_believed(serve, tmp_path):
    server = serve()
    server.request("GET", "/item", headers={"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https"})
    server.stop()
    (record,) = request_records(tmp_path / "overcoat-demo.log")
    assert (record["client"], record["scheme"]) == ("127.0.0.1", "http")


def test_forwarded_headers_of_a_trusted_proxy_are(serve, tmp_path):
    server = serve(environ={"TRUSTED_PROXIES": "127.0.0.1"})
    server.request("GET", "/item", headers={"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"})
    server.stop()
    (record,) = request_records(tmp_path / "overcoat-demo.log")
    assert (record["client"], record["scheme"], record["peer"]) == ("192.0.2.1", "https", "127.0.0.1")


def test_settings_of_the_environment_and_of_options(serve, tmp_path):
    server = serve(
        "--log", "option.log", environ={"LOG_FILE": "environ.log", "DATABASE_URL": "sqlite:///environ.sqlite3"}
    )
    server.request("GET", "/item")
    server.stop()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["environ.sqlite3", "option.log"]


@pytest.mark.parametrize(
    ("options", "environ", "status"),
    [
        pytest.param([], {}, 301, id="this machine alone"),
        pytest.param(["--host", "0.0.0.0"], {}, 200, id="others, of whom none could follow"),
        pytest.param(["--host", "0.0.0.0"], {"HTTPS_REDIRECT": "true"}, 301, id="others, as the settings say"),
    ],
)
def test_whom_it_sends_to_https(serve, options, environ, status):
    server = serve(*options, environ=environ)
    assert server.request("GET", "/item", headers={"Host": "demo.example"})[0].status == status
    assert server.request("GET", "/item")[0].status == 200


def test_settings_of_a_file(serve, tmp_path):
    (tmp_path / ".env").write_text(
        "LOG_FILE=file.log\nDATABASE_URL=sqlite:///file.sqlite3\nTRUSTED_HOSTS=a.example\nHTTPS_REDIRECT=false\n"
    )
    server = serve("--host", "127.0.0.1")
    assert [
        server.request("GET", "/item", headers={"Host": host})[0].status for host in ("a.example", "b.example")
    ] == [
        200,
        400,
    ]
    assert server.request("GET", "/item")[0].status == 200, "the address to listen on is served whatever is set"
    server.stop()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", "file.log", "file.sqlite3"]


def fails(tmp_path, *options: str, environ=None) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "overcoat.demo", "--port", "0", *options],
        cwd=tmp_path,
        env={**os.environ, **(environ or {})},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("options", "environ", "code", "words"),
    [
        pytest.param(["--log", "no/such/folder/a.log"], {}, 2, ["no/such/folder/a.log"], id="no folder for the log"),
        pytest.param(["--log", "."], {}, 2, ["Is a directory"], id="log is a directory"),
        pytest.param([], {"LOG_FILE": "/dev/null/a.log"}, 2, ["/dev/null/a.log"], id="log below a file"),
        pytest.param(["--database", "nonsense"], {}, 2, ["database_url", "sqlite:///FILE"], id="unreadable URL"),
        pytest.param(["--database", "oracel://u:geheim@h/d"], {}, 2, ["oracel"], id="unknown database"),
        pytest.param(["--database", "postgresql+asyncpg://h/d"], {}, 1, ["asyncpg"], id="missing driver"),
        pytest.param(
            ["--database", "sqlite:///no/folder/d.sqlite3"], {}, 1, ["no/folder", "unable to open"], id="file"
        ),
        pytest.param([], {"DATABASE_URL": "postgresql://u:geheim@127.0.0.1:1/d"}, 1, ["u:***@"], id="no postgresql"),
        pytest.param([], {"DATABASE_URL": "mysql://u:geheim@127.0.0.1:1/d"}, 1, ["u:***@"], id="no mariadb"),
        pytest.param(["--host", "no.such.host.invalid"], {}, 1, ["no.such.host.invalid"], id="unknown host"),
        pytest.param(["--host", "192.0.2.1"], {}, 1, ["192.0.2.1"], id="address of another machine"),
        pytest.param([], {"TRUSTED_PROXIES": "10.0.0.1/8"}, 2, ["10.0.0.1/8"], id="no network"),
        pytest.param([], {"CORS_ORIGINS": "example.com"}, 2, ["example.com"], id="no origin"),
        pytest.param([], {"TRUSTED_HOSTS": "http://a.example"}, 2, ["http://a.example"], id="no host"),
        pytest.param([], {"MAX_BODY_BYTES": "lots"}, 2, ["MAX_BODY_BYTES"], id="no number"),
    ],
)
def test_why_it_does_not_start(tmp_path, options, environ, code, words):
    returned, error = fails(tmp_path, *options, environ=environ)
    assert returned == code
    assert error.startswith("overcoat demo: ")
    assert error.count("\n") == 1
    assert all(word in error for word in words)
    assert "geheim" not in error


def test_taken_port(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, error = fails(tmp_path, "--port", str(port))
    assert code == 1
    assert error.startswith(f"overcoat demo: cannot listen on 127.0.0.1 port {port}: ")
    assert error.endswith("; choose another --port\n")
    assert error.count("\n") == 1


@pytest.mark.parametrize("port", ["65536", "-1", "http", "80.0", "٨٠"])
def test_no_port(tmp_path, port):
    code, error = fails(tmp_path, "--port", port)
    assert code == 2
    assert "is no port" in error or "expected one argument" in error
    assert not list(tmp_path.iterdir())


def test_help_names_every_setting():
    parser = argparse.ArgumentParser(prog="overcoat demo")
    add_arguments(parser)
    text = parser.format_help()
    words = [*map(str.upper, Settings.__dataclass_fields__), "overcoat-demo.sqlite3"]
    assert [word for word in words if word not in text] == []


def test_command_line_needs_only_the_standard_library():
    code = "import sys, json, overcoat.demo.command; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    roots = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert not roots & {"flask", "werkzeug", "sqlalchemy", "marshmallow", "waitress", "structlog", "orjson"}
