"""`gunicorn overcoat.demo.wsgi:app`: several workers, one log, one database."""

import json
import signal
import threading

from support.servers import wait_for

from .conftest import request_records
from .test_command import logged, walk


def test_every_request_stands_in_the_log(gunicorn, tmp_path, database_url):
    log_file = tmp_path / "requests.log"
    environ = {"LOG_FILE": str(log_file), "DATABASE_URL": database_url}
    server = gunicorn("--workers", "2", environ=environ)
    expected = walk(server)
    assert sorted(logged(log_file, len(expected)), key=str) == sorted(expected, key=str)
    assert server.stop() == 0
    assert "Traceback" not in server.output


def test_forked_workers_with_threads_lose_nothing(gunicorn, tmp_path, database_url):
    log_file = tmp_path / "requests.log"
    environ = {"LOG_FILE": str(log_file), "DATABASE_URL": database_url}
    server = gunicorn("--preload", "--workers", "3", "--threads", "4", environ=environ)
    answers = []

    def work(number: int) -> None:
        for turn in range(10):
            body = {"name": f"thread {number}", "value": turn}
            answers.append(server.request("POST", "/item", body))
            answers.append(server.request("PUT", f"/item/{10 + turn * 8 + number}", body))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {response.status for response, _ in answers} == {200, 201}
    items = server.request("GET", "/item")[1]["items"]
    assert {item["id"] for item in items} == {1, 2, 3} | {item["id"] for _, item in answers}
    server.stop()
    assert len(request_records(log_file)) == 161


def test_without_a_file_the_lines_are_on_standard_output(gunicorn, tmp_path):
    server = gunicorn(environ={"DATABASE_URL": f"sqlite:///{tmp_path / 'demo.sqlite3'}"})
    server.request("GET", "/item/1")
    # The line is written behind the response, and SIGINT does not wait for it.
    wait_for(lambda: any(line.startswith("{") for line in server.lines), "the line")
    server.stop(signal.SIGINT)
    (record,) = [json.loads(line) for line in server.lines if line.startswith("{")]
    assert (record["path"], record["route"], record["status"]) == ("/item/1", "/item/<int:item_id>", 200)
