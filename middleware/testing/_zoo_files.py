"""Files as bodies: by the server's wrapper, and as they are."""

import io
from collections.abc import Iterable

from overcoat.middleware.testing._environ import Environ
from overcoat.middleware.testing._specimen import TEXT, App, Probe, Start, app_of, specimen


class _File(io.BytesIO):
    """A file that counts how often it was closed while it was open."""

    def __init__(self, probe: Probe, data: bytes) -> None:
        super().__init__(data)
        self.probe = probe

    def close(self) -> None:
        self.probe.closed += not self.closed
        super().close()


@specimen(b"file", closes=1)
def file_by_wrapper_or_iter(probe: Probe) -> App:
    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [*TEXT, ("Content-Length", "4")])
        file = _File(probe, b"file")
        wrapper = environ.get("wsgi.file_wrapper")
        return wrapper(file) if wrapper is not None else file

    return app


@specimen(b"file", closes=1)
def file_itself(probe: Probe) -> App:
    return app_of(lambda: _File(probe, b"file"))
