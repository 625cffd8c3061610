"""ProblemDetails: errors as problem details (RFC 9457), for HTTP errors and for what no handler caught.

>>> from flask import Flask
>>> from overcoat.hooks import ProblemDetails, register
>>> app = Flask("shop")
>>> register(app, [ProblemDetails()])
>>> response = app.test_client().get("/nowhere")
>>> response.status_code, response.content_type, response.json["title"]
(404, 'application/problem+json', 'Not Found')
>>> browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
>>> app.test_client().get("/nowhere", headers=browser).content_type
'text/html; charset=utf-8'

The members are ``type``, ``title``, ``status`` and ``detail``; with the layers around it that know them also
``request_id`` and ``trace_id``, under which the log has the request; and what ``extend=`` adds. The status and headers
of the error stay: Allow, Retry-After, WWW-Authenticate. A client that prefers HTML, by the q-values of its Accept, gets
HTML; all others get the problem, also one that names neither.

Nothing leaks: an error that nobody caught is "Internal Server Error" and no word more. With ``app.debug`` it has
``exception``, unless Flask hands the error on to the debugger, as it does there by default.

Who owns an error: this bundle is Flask's handler for ``HTTPException`` on the app, and the most specific handler wins,
as ever in Flask. So one that is registered by hand for a status, for a class of exceptions or on a blueprint answers
instead, and so does one for ``HTTPException`` itself; a response given to ``abort`` and redirects pass. Extensions that
answer the errors of their own endpoints, such as Flask-RESTful, go on doing so.

Registered on a blueprint it answers for its endpoints, and also for a 404 or 405 below its URL prefix, which belong to
no blueprint in Flask. Of several of these bundles the innermost one that serves the request answers, so an API can have
its own: ``ProblemDetails(name="api-problems", html=False).register(api)``.

Where it stands: anywhere; it has no hook that others could be inside of.
"""

from collections.abc import Callable, Mapping
from typing import Any, Unpack

from flask import Response, current_app
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from overcoat.hooks._current import current_request
from overcoat.hooks._problem import members, prefers_html, problem_response
from overcoat.hooks._problem_owner import ErrorBundle
from overcoat.hooks._problem_types import compile_types
from overcoat.hooks.bundle import BundleOptions

#: Members of a problem: names and what JSON knows.
Members = Mapping[str, Any]


class ProblemDetails(ErrorBundle):
    """Answers errors with problem details.

    Args:
        name: The name of the bundle.
        types: The URIs of ``type``: a mapping from statuses and classes of exceptions, or one text in which
            ``{status}`` stands for the number. What has none is ``about:blank``: no more than its status says.
        extend: Called with the error for more members, or None; what it returns goes over the standard ones, ``status``
            excepted. The exception behind an unhandled error is ``error.original_exception``.
        html: What a client that prefers HTML gets: True for the plain page that Flask has, False for the problem all
            the same, or a callable on the members that returns what a view may return.
        **options: Those of every bundle; ``always`` is True here.

    Raises:
        ValueError: An unusable option.
    """

    def __init__(
        self,
        *,
        name: str = "problem-details",
        types: str | Mapping[int | type[Exception], str] | None = None,
        extend: Callable[[HTTPException], Members | None] | None = None,
        html: bool | Callable[[Members], ResponseReturnValue] = True,
        **options: Unpack[BundleOptions],
    ) -> None:
        options.setdefault("always", True)
        super().__init__(name, **options)
        if extend is not None and not callable(extend):
            raise ValueError(f"bundle {name!r}: extend={extend!r} is no function on the error, returning members")
        if not isinstance(html, bool) and not callable(html):
            raise ValueError(f"bundle {name!r}: html={html!r} must be True, False or a callable on the members")
        self._extend = extend
        self._html = html
        self._type_of = compile_types(name, types)

    def answer(self, error: HTTPException) -> HTTPException | Response:
        """The response for an error, or the error itself where it has one."""
        if error.response is not None or error.code is None or error.code < 400:
            return error
        problem = members(error, self._type_of(error), self._extended(error))
        if self._html is False:
            return problem_response(error, problem)
        prefers = prefers_html(current_request())
        response = self._page(error, problem) if prefers else problem_response(error, problem)
        response.vary.add("Accept")
        return response

    def _extended(self, error: HTTPException) -> Members:
        if self._extend is None:
            return {}
        try:
            more = self._extend(error)
            if more is None:
                return {}
            if not isinstance(more, Mapping) or not all(isinstance(key, str) for key in more):
                raise TypeError(f"{more!r:.200} is no mapping from names to members")
            current_app.json.dumps(dict(more))
        except Exception:
            current_app.logger.exception("bundle %r: extend= failed: the problem goes out without it", self.name)
            return {}
        return more

    def _page(self, error: HTTPException, problem: Members) -> Response:
        if callable(self._html):
            try:
                page = current_app.make_response(self._html(problem))
            except Exception:
                current_app.logger.exception("bundle %r: html= failed: the plain page goes out", self.name)
            else:
                page.status_code = problem["status"]
                page.headers.extend(
                    (name, value) for name, value in error.get_headers() if name.lower() not in page.headers
                )
                return page
        return current_app.make_response(error)
