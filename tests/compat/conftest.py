"""Each extension is tried both ways: put on the app before our bundles, and after them."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis
from support.servers import free_port, wait_for


@pytest.fixture(params=["bundles first", "extension first"])
def order(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def answers(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The Redis of this machine, or else one of our own."""
    url = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
    with redis.Redis.from_url(url) as client:
        if answers(client):
            yield url
            return
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("no Redis here")
    port = free_port()
    folder = str(tmp_path_factory.mktemp("redis"))
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", folder]
    process = subprocess.Popen([server, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with redis.Redis(port=port) as client:
            wait_for(lambda: process.poll() is not None or answers(client), "redis-server to answer")
            assert process.poll() is None, "redis-server ended"
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def prefix() -> str:
    """A beginning of keys that is this test's own: other runs may use the same Redis."""
    return f"overcoat-test-{os.getpid()}-{uuid4().hex[:8]}:"


@pytest.fixture
def store(redis_url: str, prefix: str) -> Iterator["redis.Redis"]:
    """A client of Redis; what the test has written there is removed at the end."""
    with redis.Redis.from_url(redis_url) as client:
        yield client
        found = list(client.scan_iter(f"*{prefix}*"))
        if found:
            client.delete(*found)
