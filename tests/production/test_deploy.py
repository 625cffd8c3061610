"""The deployment of docs/deploy.md without containers: nginx, gunicorn with four workers, PostgreSQL, under load.

While it runs a worker is killed and nginx is reloaded. Afterwards nginx's log and ours are laid side by side.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import uuid
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from support.doors import Certificate
from support.proxies import binary, proxying
from support.servers import PATIENCE_S, serving, wait_for

from overcoat.demo.database import parse_url

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs" / "deploy"
POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/test")

WORKERS = 4
THREADS = 4
CONNECTIONS = 16
#: The address from which nginx comes here, so that it is not also that of its clients.
PROXY = "127.0.0.9"
#: What nginx counts where a worker has gone with the request in hand.
LOST = {502}

pytestmark = [
    pytest.mark.skipif(
        not (binary("nginx") and shutil.which("wrk")),
        reason="nginx or wrk is not installed (apt-get install nginx wrk)",
    ),
    pytest.mark.timeout(300),
]


@pytest.fixture
def database_url():
    """The URL of a PostgreSQL database of our own."""
    url = parse_url(POSTGRESQL)
    admin = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
    name = f"overcoat_production_{uuid.uuid4().hex[:12]}"
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except Exception as error:
        admin.dispose()
        pytest.skip(f"no PostgreSQL answers at {url.render_as_string()}: {type(error).__name__}")
    yield url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def deployed(tmp_path, database_url):
    """The whole of it; the server, the door of nginx, and where each logs."""
    environ = {
        "DATABASE_URL": database_url,
        "LOG_FILE": str(tmp_path / "requests.log"),
        "TRUSTED_PROXIES": PROXY,
        "WORKERS": str(WORKERS),
    }
    folder = tmp_path / "nginx"
    folder.mkdir()
    command = ["-m", "gunicorn", "--config", str(DEPLOY / "gunicorn.conf.py"), "--bind", "127.0.0.1:{port}"]
    from_elsewhere = {"proxy_pass http://app;": f"proxy_bind {PROXY};\n            proxy_pass http://app;"}
    with (
        serving([*command, "overcoat.demo.wsgi:app"], **environ) as server,
        proxying(
            DEPLOY / "nginx.conf", f"127.0.0.1:{server.port}", folder, Certificate.make(tmp_path), from_elsewhere
        ) as door,
    ):
        wait_for(lambda: len(workers_of(server)) == WORKERS, "the workers")
        yield server, door, folder, tmp_path / "requests.log"


def workers_of(server) -> list[int]:
    """The processes under gunicorn's, by number."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(server.process.pid)], capture_output=True, text=True)
    return [int(number) for number in found.stdout.split()]


def records_by_id(file: Path) -> dict[str, dict]:
    """The records of our log; half a line is what a killed worker may leave."""
    found = {}
    for line in file.read_text().splitlines():
        with contextlib.suppress(ValueError):
            record = json.loads(line)
            if record["event"] == "http_request":
                found[record["request_id"]] = record
    return found


def expected_status(line: dict) -> int:
    if line["uri"] == "/item/999999999":
        return 404
    return 201 if line["method"] == "POST" else 200


@contextlib.contextmanager
def loading(url: str) -> Iterator[subprocess.Popen[str]]:
    """Load until it is told to stop, however long the machine takes for what shall happen meanwhile."""
    script = Path(__file__).with_name("load.lua")
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", "-d600s", "--timeout", "60s", "-s", str(script), url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as load:
        try:
            yield load
        finally:
            load.kill()


def test_under_load_with_a_worker_killed_and_nginx_reloaded(deployed):
    server, door, folder, log_file = deployed
    access_log = folder / "access.log"

    def wait_for_requests(number: int) -> None:
        before = access_log.read_bytes().count(b"\n")
        wait_for(lambda: access_log.read_bytes().count(b"\n") >= before + number, f"{number} requests")

    with loading(f"http://127.0.0.1:{door.http}") as load:
        wait_for_requests(200)
        victim = workers_of(server)[0]
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: victim not in workers_of(server) and len(workers_of(server)) == WORKERS, "another worker")
        wait_for_requests(200)
        os.kill(int((folder / "nginx.pid").read_text()), signal.SIGHUP)
        wait_for_requests(200)
        load.send_signal(signal.SIGINT)  # it tells what it has counted
        output = load.communicate(timeout=60)[0]
    assert load.returncode == 0, output
    assert server.stop() == 0, "a graceful end writes the last lines"

    counted = [json.loads(line) for line in access_log.read_text().splitlines()]
    answered = [line for line in counted if line["status"] not in LOST]
    lost = [line for line in counted if line["status"] in LOST]
    assert len(answered) > 300, output

    wrong = [line for line in answered if line["status"] != expected_status(line)]
    # 499: the load tool's time was up before the answer came.
    assert {line["status"] for line in wrong} <= {499}, Counter(line["status"] for line in wrong)
    assert len(wrong) <= CONNECTIONS
    assert len(lost) <= CONNECTIONS, "no more than the killed worker can have had in hand"

    ours = records_by_id(log_file)
    # What the load tool left may have an id and may have none: its head had come, or not.
    whole = [line for line in answered if line["status"] != 499]
    asked = {line["request_id"]: line for line in whole}
    assert len(asked) == len(whole)
    missing = asked.keys() - ours.keys()
    assert len(missing) <= THREADS, "one for each thread of the killed worker (docs/logging.md)"
    for request_id in asked.keys() & ours.keys():
        theirs, our = asked[request_id], ours[request_id]
        assert (our["status"], our["method"]) == (theirs["status"], theirs["method"]), request_id
        assert our["response_bytes"] == theirs["bytes"], request_id
        assert (our["client"], our["peer"]) == ("127.0.0.1", PROXY), request_id
    assert not [line for line in ours.values() if line["level"] == "error"]

    told = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    asked_for = sum(line["status"] == 404 for line in answered)
    assert int(told[1]) <= asked_for + len(lost)


def test_probes_are_for_the_inside(deployed):
    server, door, *_ = deployed
    for path in ("/livez", "/readyz"):
        assert server.get(path).status == 200
        with contextlib.closing(HTTPConnection("127.0.0.1", door.http)) as outside:
            outside.request("GET", path)
            assert outside.getresponse().status == 404


def test_granian_in_place_of_gunicorn(tmp_path, database_url):
    (line,) = re.findall(r"^\$ granian (.+)$", (ROOT / "docs" / "deploy.md").read_text(), re.MULTILINE)
    command = ["-m", "granian", *line.replace("--port 8000", "--port {port}").split()]
    environ = {"DATABASE_URL": database_url, "LOG_FILE": str(tmp_path / "requests.log"), "TRUSTED_PROXIES": PROXY}
    with serving(command, **environ) as server:
        for number in range(40):
            assert server.get(f"/item/{number % 3 + 1}", x_request_id=f"granian.{number}").status == 200
        with contextlib.closing(server.connect()) as client:
            client.request("GET", "/tour/stream", headers={"X-Request-ID": "under.way"})
            response = client.getresponse()
            first = response.readline()
            server.process.send_signal(signal.SIGTERM)
            assert len((first + response.read()).splitlines()) == 6
        assert server.process.wait(PATIENCE_S) == 0
    ours = records_by_id(tmp_path / "requests.log")
    assert ours.keys() >= {f"granian.{number}" for number in range(40)}
    assert ours["under.way"]["outcome"] == "complete"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["stop", "reload"])
def test_what_is_under_way_is_answered(deployed, number):
    server, door, _, log_file = deployed
    with contextlib.closing(HTTPConnection("127.0.0.1", door.http, timeout=60)) as client:
        client.request("GET", "/tour/stream", headers={"X-Request-ID": "under.way"})
        response = client.getresponse()
        first = response.readline()
        os.kill(server.process.pid, number)
        rest = response.read()
    assert len((first + rest).splitlines()) == 6
    if number == signal.SIGTERM:
        assert server.process.wait(60) == 0
    record = wait_for(lambda: records_by_id(log_file).get("under.way"), "the line")
    assert (record["outcome"], record["client"]) == ("complete", "127.0.0.1")
