"""Wrappers that are wrong about bodies and their end."""

from itertools import chain, islice


class Carrier:
    """A body that hands chunks and ``close`` through."""

    def __init__(self, body, closes=1):
        self.body, self.closes = body, closes

    def __iter__(self):
        for chunk in self.body:  # noqa: UP028 - closing a "yield from" would close the body a first time
            yield chunk

    def close(self):
        for _ in range(self.closes):
            if hasattr(self.body, "close"):
                self.body.close()


def drops_close(app):
    return lambda environ, start: iter(app(environ, start))


def closes_twice(app):
    return lambda environ, start: Carrier(app(environ, start), closes=2)


def closes_the_iterator(app):
    return lambda environ, start: Carrier(iter(app(environ, start)))


def closes_in_a_generators_finally(app):
    def carried(body):
        try:
            yield from body
        finally:
            if hasattr(body, "close"):
                body.close()

    return lambda environ, start: carried(app(environ, start))


def closes_by_yield_from(app):
    class Body(Carrier):
        def __iter__(self):
            yield from self.body

    return lambda environ, start: Body(app(environ, start))


def closes_only_after_success(app):
    class Body(Carrier):
        def __iter__(self):
            yield from super().__iter__()
            super().close()

        def close(self):
            pass

    return lambda environ, start: Body(app(environ, start))


def joins(app):
    def joined(body):
        try:
            return [b"".join(body)]
        finally:
            if hasattr(body, "close"):
                body.close()

    return lambda environ, start: joined(app(environ, start))


def reads_one_ahead(app):
    class Body(Carrier):
        def __init__(self, body):
            super().__init__(body)
            self.rest = iter(body)
            self.first = list(islice(self.rest, 1))

        def __iter__(self):
            return chain(self.first, self.rest)

    return lambda environ, start: Body(app(environ, start))


def drops_empty_chunks(app):
    class Full(Carrier):
        def __iter__(self):
            return (chunk for chunk in self.body if chunk)

    return lambda environ, start: Full(app(environ, start))


def makes_a_tuple(app):
    return lambda environ, start: tuple(app(environ, start))


def wraps_files(app):
    return lambda environ, start: Carrier(app(environ, start))


def shouts(app):
    class Loud(Carrier):
        def __iter__(self):
            for chunk in self.body:
                yield chunk.upper() if isinstance(chunk, bytes) else chunk

    def wrapped(environ, start):
        body = app(environ, start)
        return Loud(body) if hasattr(body, "close") else body

    return wrapped


def swallows_exits(app):
    class Body(Carrier):
        def __iter__(self):
            try:
                yield from super().__iter__()
            except (SystemExit, KeyboardInterrupt):
                return

    def wrapped(environ, start):
        body = app(environ, start)
        return body if isinstance(body, list | tuple) else Body(body)

    return wrapped
