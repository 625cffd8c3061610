"""Bodies of every shape: lists, generators, iterables with and without ``close``, empty chunks."""

from collections.abc import Iterator

from overcoat.middleware.testing._specimen import App, Body, Probe, app_of, specimen


@specimen(b"abcd")
def list_(_: Probe) -> App:
    return app_of(lambda: [b"ab", b"cd"])


@specimen(b"ab")
def list_of_one(_: Probe) -> App:
    return app_of(lambda: [b"ab"])


@specimen(b"abcd")
def tuple_(_: Probe) -> App:
    return app_of(lambda: (b"ab", b"cd"))


@specimen(b"")
def empty_list(_: Probe) -> App:
    return app_of(list)


@specimen(b"")
def empty_tuple(_: Probe) -> App:
    return app_of(tuple)


@specimen(b"abcd", closes=1)
def list_subclass_with_close(probe: Probe) -> App:
    class Chunks(list[bytes]):
        def close(self) -> None:
            probe.closed += 1

    return app_of(lambda: Chunks([b"ab", b"cd"]))


@specimen(b"ab", closes=1)
def list_whose_iter_differs(probe: Probe) -> App:
    class Chunks(list[bytes]):
        def __iter__(self) -> Iterator[bytes]:
            yield b"ab"

        def close(self) -> None:
            probe.closed += 1

    return app_of(Chunks)


@specimen(b"abcdef")
def generator(probe: Probe) -> App:
    return app_of(lambda: (chunk for chunk in Body(probe, b"ab", b"cd", b"ef")))


@specimen(b"ab", closes=1)
def generator_with_finally(probe: Probe) -> App:
    def chunks() -> Iterator[bytes]:
        try:
            yield b"ab"
        finally:
            probe.closed += 1

    return app_of(chunks)


@specimen(b"")
def empty_generator(_: Probe) -> App:
    return app_of(lambda: (chunk for chunk in list[bytes]()))


@specimen(b"abcdef", closes=1)
def iterator_with_close(probe: Probe) -> App:
    return app_of(lambda: Body(probe, b"ab", b"cd", b"ef"))


@specimen(b"abcd")
def iterable_with_only_iter(_: Probe) -> App:
    class Chunks:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"ab", b"cd"])

    return app_of(Chunks)


@specimen(b"abcd")
def iterable_with_only_getitem(_: Probe) -> App:
    class Chunks:
        def __getitem__(self, index: int) -> bytes:
            return [b"ab", b"cd"][index]

    return app_of(Chunks)


@specimen(b"abcd")
def slotted_iterator(_: Probe) -> App:
    class Chunks:
        __slots__ = ("rest",)

        def __init__(self) -> None:
            self.rest = iter([b"ab", b"cd"])

        def __iter__(self) -> "Chunks":
            return self

        def __next__(self) -> bytes:
            return next(self.rest)

    return app_of(Chunks)


@specimen(b"ab", closes=1)
def iterable_whose_iterator_has_another_close(probe: Probe) -> App:
    class Another(Body):
        def close(self) -> None:
            probe.closed_another += 1

    class Chunks:
        def __iter__(self) -> Body:
            return Another(probe, b"ab")

        def close(self) -> None:
            probe.closed += 1

    return app_of(Chunks)


@specimen(b"ab", closes=1)
def falsy_iterable_with_close(probe: Probe) -> App:
    class Chunks(Body):
        def __bool__(self) -> bool:
            return False

    return app_of(lambda: Chunks(probe, b"ab"))


@specimen(b"ab", closes=1)
def sized_iterable(probe: Probe) -> App:
    class Chunks(Body):
        def __len__(self) -> int:
            return 1

    return app_of(lambda: Chunks(probe, b"ab"))


@specimen(b"abcd", closes=1)
def empty_chunks_first(probe: Probe) -> App:
    return app_of(lambda: Body(probe, b"", b"", b"ab", b"cd"))


@specimen(b"abcd", closes=1)
def empty_chunks_between(probe: Probe) -> App:
    return app_of(lambda: Body(probe, b"ab", b"", b"cd", b""))


@specimen(b"", closes=1)
def only_empty_chunks(probe: Probe) -> App:
    return app_of(lambda: Body(probe, b"", b""))


@specimen(b"")
def list_of_empty_chunks(_: Probe) -> App:
    return app_of(lambda: [b"", b""])


@specimen(b"x" * 300_000, closes=1)
def large_chunks(probe: Probe) -> App:
    return app_of(lambda: Body(probe, b"x" * 100_000, b"x" * 200_000))
