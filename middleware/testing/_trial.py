"""Trials: each app of the zoo, bare and in the middleware, for each kind of client; what the rules judge.

>>> lab = Lab(lambda app: app)
>>> trial = next(trial for trial in lab.trials if trial.specimen.name == "late_start")
>>> trial.worn.sent == trial.bare.sent == b"abcd"
True
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from overcoat.middleware.testing._client import CLIENTS, READS_ALL, Client
from overcoat.middleware.testing._environ import Environ, FileFunction, FileWrapper, make_environ
from overcoat.middleware.testing._seen import Seen
from overcoat.middleware.testing._server import serve
from overcoat.middleware.testing._specimen import App, Probe, Specimen, Start, app_of
from overcoat.middleware.testing._zoo import SPECIMENS
from overcoat.middleware.testing._zoo_environs import CLIENT_KEYS, VALUES

#: A second close is the server's slip, which no middleware has to bear.
JUDGED_CLIENTS = tuple(client for client in CLIENTS if client.closes == 1)

#: The kinds of ``wsgi.file_wrapper``: none, a class as most servers have it, a function as uWSGI has it.
FILE_WRAPPERS: Mapping[str, Callable[[], Any]] = {
    "": lambda: None,
    "class": lambda: FileWrapper,
    "function": FileFunction,
}


@dataclass(frozen=True)
class Trial:
    """One app for one client, bare and in the middleware.

    Args:
        specimen, client: Which app, for whom.
        files: The kind of file wrapper that the server has: one of ``FILE_WRAPPERS``.
        allow: What the middleware may do: see ``check_middleware``.
        bare, bare_probe: What the server saw of the app itself, and what the app told.
        worn, probe: The same, in the middleware.
        reached, returned: Whether the middleware asked the app, and whether the app returned a body to it.
    """

    specimen: Specimen
    client: Client
    files: str
    allow: frozenset[str]
    bare: Seen
    bare_probe: Probe
    worn: Seen
    probe: Probe
    reached: bool
    returned: bool

    @property
    def name(self) -> str:
        """How a report calls it."""
        files = f", file wrapper: a {self.files}" if self.files else ""
        client = "" if self.client is READS_ALL else f", client {self.client.name}"
        return f"{self.specimen.name}{client}{files}"

    @property
    def plain(self) -> bool:
        """Whether it is the simplest of its app: read to the end by a server without a file wrapper."""
        return self.client is READS_ALL and not self.files


class Lab:
    """One middleware, and all that is tried with it.

    Args:
        factory: Wraps an app in the middleware.
        allow: What the middleware may do: see ``check_middleware``.
        environ: What each request says beside what a valid one must.
    """

    def __init__(
        self,
        factory: Callable[[App], App],
        allow: Collection[str] = (),
        environ: Mapping[str, Any] | None = None,
    ) -> None:
        self.wear = factory
        self.allow = frozenset(allow)
        self._environ = dict(environ or {})

    def environ(self, **overrides: Any) -> Environ:
        """The environ of a new request, with overrides as ``make_environ`` takes them."""
        return make_environ(**{**self._environ, **overrides})

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """All of them, the simplest first; those that the middleware answered itself, and may, are left out."""
        cases = [(specimen, client, "") for client in JUDGED_CLIENTS for specimen in SPECIMENS.values()]
        cases += [(one, READS_ALL, files) for files in ("class", "function") for one in SPECIMENS.values()]
        tried = [self._try(*case) for case in cases]
        return tuple(trial for trial in tried if trial.reached or "answers" not in self.allow)

    @cached_property
    def hostile(self) -> Mapping[str, Seen]:
        """What became of an app that answers ``ok``, for each value in each place where a client can put one."""
        worn = self.wear(ok)
        return {
            # No request reaches a server with a path that does not begin so.
            f"{key}: {label}": serve(worn, self.environ(**{key: f"/{value}" if key == "PATH_INFO" else value}))
            for key in CLIENT_KEYS
            for label, value in VALUES.items()
            if value.isascii() or max(value) < "\u0100"  # PEP 3333 has bytes as latin-1
        }

    def _try(self, specimen: Specimen, client: Client, files: str) -> Trial:
        bare, bare_probe = _bare(specimen.name, client, files)
        app, probe = specimen.make()
        reached = returned = False

        def noting(environ: Environ, start_response: Start) -> Any:
            nonlocal reached, returned
            reached = True
            body = app(environ, start_response)
            returned = True
            return body

        environ = self.environ(**specimen.environ(), wsgi__file_wrapper=FILE_WRAPPERS[files]())
        worn = serve(self.wear(noting), environ, client, lambda: probe.made)
        return Trial(specimen, client, files, self.allow, bare, bare_probe, worn, probe, reached, returned)


#: Answers ``ok``, whatever it is asked.
ok: App = app_of(lambda: [b"ok"])


@cache
def _bare(name: str, client: Client, files: str) -> tuple[Seen, Probe]:
    specimen = SPECIMENS[name]
    app, probe = specimen.make()
    environ = make_environ(**specimen.environ(), wsgi__file_wrapper=FILE_WRAPPERS[files]())
    return serve(app, environ, client, lambda: probe.made), probe
