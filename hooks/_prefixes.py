"""Which requests are below the URL prefix of a blueprint: those that no route matched belong to none in Flask."""

from flask import Flask, Request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule


class Prefixes:
    """The URL prefixes of blueprints, which may have converters in them: ``/<tenant>/api``."""

    def __init__(self) -> None:
        self._rules: list[tuple[str, str | None]] = []
        self._map: Map | None = None

    def add(self, state: BlueprintSetupState) -> None:
        """Take up the prefix of a blueprint as it is being registered; one without prefix has nothing below it."""
        prefix = (state.url_prefix or "").rstrip("/")
        if prefix or state.subdomain:
            self._rules.append((prefix, state.subdomain))
            self._map = None

    def longest(self, app: Flask, request: Request) -> int:
        """How many segments the longest of them has that a request is below, at least 1; -1 for none."""
        if not self._rules:
            return -1
        if self._map is None:
            self._map = self._compiled(app)
        server_name = app.config["SERVER_NAME"] if app.subdomain_matching else None
        try:
            segments, _ = self._map.bind_to_environ(request.environ, server_name=server_name).match(method="GET")
        except HTTPException:
            return -1
        return int(segments)

    def _compiled(self, app: Flask) -> Map:
        url_map = Map(strict_slashes=False, default_subdomain=app.url_map.default_subdomain)
        url_map.converters.update(app.url_map.converters)
        for prefix, subdomain in self._rules:
            own = subdomain if app.subdomain_matching else None
            segments = str(max(prefix.count("/"), 1))
            for below in (prefix or "/", f"{prefix}/<path:_below>"):
                url_map.add(Rule(below, endpoint=segments, subdomain=own))
        return url_map
