"""A stream of a gibibyte through all layers: constant memory, in a process of its own."""

import json
import subprocess
import sys
import textwrap

import pytest

SCRIPT = textwrap.dedent(
    """
    import json, resource, sys
    from support.coats import parts
    from support.wsgi import make_environ
    from overcoat.middleware import Stack

    CHUNK, COUNT = b"x" * 65536, 16384

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        if sys.argv[1] == "write":
            return []
        return (bytes(bytearray(CHUNK)) for _ in range(COUNT))

    def writing(environ, start_response):
        write = start_response("200 OK", [("Content-Type", "application/octet-stream")])
        for _ in range(COUNT):
            write(bytes(bytearray(CHUNK)))
        return []

    def reading(environ, start_response):
        stream = environ["wsgi.input"]
        while stream.read(65536):
            pass
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"read"]

    class Endless:
        left = COUNT
        def read(self, size=-1):
            self.left -= 1
            return bytes(bytearray(CHUNK)) if self.left >= 0 else b""

    def serve(app, environ):
        sent = 0
        def write(data):
            nonlocal sent
            sent += len(data)
        body = app(environ, lambda status, headers, exc_info=None: write)
        for chunk in body:
            sent += len(chunk)
        body.close()
        return sent

    records = []
    chosen = {"stream": app, "write": writing, "upload": reading}[sys.argv[1]]
    stack = Stack(chosen, parts(records))
    environ = make_environ()
    if sys.argv[1] == "upload":
        environ |= {"CONTENT_LENGTH": str(len(CHUNK) * COUNT), "wsgi.input": Endless()}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sent = serve(stack, environ)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps({"sent": sent, "grown": grown, "record": records[0]}))
    """
)


@pytest.mark.skipif(sys.platform == "win32", reason="resource is POSIX's")
@pytest.mark.parametrize("direction", ["stream", "write", "upload"])
def test_a_gibibyte_takes_no_memory(direction: str):
    environ = {"PYTHONPATH": ":".join(filter(None, sys.path)), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", SCRIPT, direction], capture_output=True, env=environ, check=False)
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout)
    counted = "request_bytes" if direction == "upload" else "response_bytes"
    assert told["record"][counted] == 2**30
    assert told["record"]["outcome"] == "complete"
    # Kilobytes on Linux, bytes on macOS; 8 MiB is 1/128 of what passed.
    assert told["grown"] / (1024 if sys.platform == "darwin" else 1) < 8192
