"""The scripts, styles and pictures of the page, and the version that makes a browser ask for new ones."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from zlib import adler32

from werkzeug.wrappers import Request, Response

from overcoat.inspector.page._responses import text_response

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


def static_response(name: str, request: Request) -> Response:
    """The file of a name, or that there is none."""
    found = _files().get(name)
    if found is None:
        return text_response(404, "There is no such file.")
    response = Response(found[0], content_type=found[1], headers={"Cache-Control": "max-age=86400"})
    response.set_etag(f"{adler32(found[0]):08x}")
    return response.make_conditional(request)


@cache
def version() -> str:
    """Changes with the files."""
    return sha256(b"".join(body for _, (body, _) in sorted(_files().items()))).hexdigest()[:12]


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    """The files with their types, read once."""
    return {path.name: (path.read_bytes(), _TYPES[path.suffix]) for path in _FOLDER.iterdir() if path.suffix in _TYPES}
