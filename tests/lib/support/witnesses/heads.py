"""Wrappers that are wrong about ``start_response``, status and headers."""


def editing(edit):
    """A wrapper that edits a copy of the headers, and does all else right."""

    def wear(app):
        def wrapped(environ, start):
            def started(status, headers, exc_info=None):
                if type(headers) is list:
                    status, headers = edit(environ, status, headers.copy())
                return start(status, headers, exc_info) if exc_info else start(status, headers)

            return app(environ, started)

        return wrapped

    return wear


def removes_a_header(app):
    return editing(lambda environ, status, headers: (status, headers[1:]))(app)


def changes_the_status(app):
    return editing(lambda environ, status, headers: ("200 FINE", headers))(app)


def makes_headers_a_dict(app):
    return lambda environ, start: app(
        environ, lambda status, headers, exc_info=None: start(status, list(dict(headers).items()), exc_info)
    )


def makes_a_list_of_headers(app):
    return lambda environ, start: app(
        environ, lambda status, headers, exc_info=None: start(status, list(headers), exc_info)
    )


def mutates_headers(app):
    def wrapped(environ, start):
        def started(status, headers, *rest):
            headers.append(("X-Mine", "1"))
            return start(status, headers, *rest)

        return app(environ, started)

    return wrapped


def adds_connection(app):
    return editing(lambda environ, status, headers: (status, [*headers, ("Connection", "close")]))(app)


def adds_a_number(app):
    return editing(lambda environ, status, headers: (status, [*headers, ("X-Number", 7)]))(app)


def adds_a_length(app):
    return editing(lambda environ, status, headers: (status, [*headers, ("Content-Length", "0")]))(app)


def encodes_nothing(app):
    def edit(environ, status, headers):
        return status, [*headers, ("Content-Encoding", "gzip")] if status.startswith("204") else headers

    return editing(edit)(app)


def reflects(app):
    def edit(environ, status, headers):
        return status, [*headers, ("X-Origin", environ.get("HTTP_ORIGIN", "none"))]

    return editing(edit)(app)


def drops_exc_info(app):
    return lambda environ, start: app(environ, lambda status, headers, exc_info=None: start(status, headers))


def returns_no_write(app):
    def wrapped(environ, start):
        def started(status, headers, exc_info=None):
            start(status, headers, exc_info)

        return app(environ, started)

    return wrapped


def expects_an_early_start(app):
    def wrapped(environ, start):
        begun = []

        def started(status, headers, *rest):
            begun.append(status)
            return start(status, headers, *rest)

        body = app(environ, started)
        assert begun[0]
        return body

    return wrapped


def answers_errors(app):
    def wrapped(environ, start):
        try:
            return app(environ, start)
        except Exception:
            start("500 OOPS", [])
            return [b"oops"]

    return wrapped
