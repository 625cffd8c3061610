"""URLs of databases, how they are opened, and what keeps one from being used."""

import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from support.servers import PATIENCE_S

from overcoat.demo.database import DatabaseError, disconnect, parse_url
from overcoat.demo.models import db


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("mysql://u@h/d", "mysql+pymysql://u@h/d"),
        ("mariadb://u@h/d", "mariadb+pymysql://u@h/d"),
        ("mysql+pymysql://u@h/d?charset=utf8mb4", "mysql+pymysql://u@h/d?charset=utf8mb4"),
        ("sqlite://", "sqlite://"),
        ("sqlite:////srv/demo.sqlite3", "sqlite:////srv/demo.sqlite3"),
    ],
)
def test_url(given, used):
    assert parse_url(given).render_as_string() == used


def test_relative_file_is_one_of_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parse_url("sqlite:///demo.sqlite3").database == str(tmp_path / "demo.sqlite3")


@pytest.mark.parametrize("url", ["", "nonsense", "postgresql//u:geheim@h", "postgresql://u:geheim@h:port/d"])
def test_unreadable_url(url):
    with pytest.raises(ValueError, match="database_url cannot be read: write sqlite:///FILE") as caught:
        parse_url(url)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:demo?mode=memory&uri=true"])
def test_what_is_no_file_stays(url):
    assert parse_url(url) == make_url(url)


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        pytest.param("oracel://h/d", ValueError, ["oracel"], id="unknown kind"),
        pytest.param("postgresql+asyncpg://h/d", DatabaseError, ["driver", "install asyncpg"], id="driver of others"),
        pytest.param("sqlite:////no/such/folder/d.sqlite3", DatabaseError, ["/no/such/folder"], id="no folder"),
        pytest.param("postgresql://u:geheim@127.0.0.1:{port}/d", DatabaseError, ["u:***@"], id="no postgresql"),
        pytest.param("mysql://u:geheim@127.0.0.1:{port}/d", DatabaseError, ["u:***@"], id="no mariadb"),
    ],
)
def test_refused(make_app, url, error, words):
    with socket.socket() as taken:  # and nobody listens: whoever asks there is refused
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(error) as caught:
            make_app(database_url=url.format(port=taken.getsockname()[1]))
    message = str(caught.value)
    assert all(word in message for word in words)
    assert "geheim" not in message
    assert "\n" not in message


@pytest.mark.parametrize(("url", "extra"), [("postgresql://h/d", "postgres"), ("mysql://h/d", "mariadb")])
def test_missing_driver_of_an_extra(make_app, monkeypatch, url, extra):
    for module in ("psycopg", "pymysql"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DatabaseError, match=rf"pip install 'overcoat\[{extra}\]'"):
        make_app(database_url=url)


def test_file_that_is_no_database(make_app, tmp_path):
    (tmp_path / "demo.sqlite3").write_bytes(b"no database " * 100)
    with pytest.raises(DatabaseError, match="not a database"):
        make_app()


def test_sqlite_pragmas(make_app):
    with make_app().app_context():
        values = [
            db.session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "foreign_keys", "busy_timeout")
        ]
    assert values == ["wal", 1, 5000]


def test_the_url_says_how_long_sqlite_waits(make_app, tmp_path):
    with make_app(database_url=f"sqlite:///{tmp_path / 'demo.sqlite3'}?timeout=70").app_context():
        assert db.session.scalar(text("PRAGMA busy_timeout")) == 70_000


def test_seeded_once(make_app, database_url):
    first = make_app(database_url=database_url).test_client()
    for item_id in (1, 2, 3):
        first.delete(f"/item/{item_id}")
    second = make_app(database_url=database_url).test_client()
    assert second.get("/item").json == {"items": []}


def test_sqlite_leaves_one_file(make_app, tmp_path):
    app = make_app()
    app.test_client().post("/item", json={"name": "a", "value": 1})
    disconnect(app)
    assert [path.name for path in Path(tmp_path).glob("*.sqlite3*")] == ["demo.sqlite3"]
    connection = sqlite3.connect(tmp_path / "demo.sqlite3")
    assert connection.execute("SELECT count(*) FROM item").fetchone() == (4,)
    connection.close()


START = """
import sys
from overcoat.demo import create_app
print("ready", flush=True)
sys.stdin.readline()
create_app(database_url=sys.argv[1], log_file="requests.log")
"""


def test_workers_that_start_at_once(database_url, tmp_path):
    workers = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", START, database_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=tmp_path,
            env=dict(os.environ),
        )
        for _ in range(4)
    ]
    assert [worker.stdout.readline() for worker in workers] == ["ready\n"] * 4
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    outputs = [worker.communicate(timeout=PATIENCE_S)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 4, outputs
    engine = create_engine(parse_url(database_url))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM item")).scalar() == 3
    engine.dispose()
