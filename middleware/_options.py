"""What every layer's constructor says of a bad option: its name, its value and the fix."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from overcoat.middleware._exchange import Exchange

_SEGMENTS = re.compile(r"[/\\;]")
# field-name = token (RFC 9110, section 5.1)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

Skip = str | Callable[["Exchange"], object] | Iterable["str | Callable[[Exchange], object]"]


class LayerOptions(TypedDict, total=False):
    """The options that every layer takes."""

    skip: Skip | None
    check_order: bool


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A hint for a misspelt name, or the list of what there is."""
    names = list(known)
    near = nearest(wrong, names)
    return f"there is: {', '.join(names) or 'nothing'}" if near is None else f"did you mean {near!r}?"


def nearest(wrong: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The name that is most like a misspelt one, or None; ``cutoff`` is how alike it must be, from 0 to 1.

    >>> nearest("allowed_hosts", ["allow_missing", "hosts"]), nearest("routes", ["hosts", "route"])
    ('hosts', 'route')
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    names = list(known)
    # A whole word of one is a better sign than many equal letters.
    words = [name for name in names if name in wrong.split("_") or wrong in name.split("_")]
    return next(iter(get_close_matches(wrong, words, 1, 0) or get_close_matches(wrong, names, 1, cutoff)), None)


def refuse_unknown(owner: type, options: dict[str, Any]) -> None:
    """Raise for the first option that the constructor of ``owner`` does not have."""
    for name, value in options.items():
        known = [p.name for p in inspect.signature(owner).parameters.values() if p.kind is not p.VAR_KEYWORD]
        hint = did_you_mean(name, sorted({*known, *LayerOptions.__annotations__} - {"app"}))
        raise ValueError(f"{owner.__name__}: unknown option {name}={value!r}; {hint}")


def check_phases(cls: type, base: type) -> None:
    """Raise for a layer class with a misspelt phase, one that cannot be called as such, or a place without a reason.

    Raises:
        TypeError: Names the class, what is wrong in it, and the fix.
    """
    phases = {name: method for name, method in vars(base).items() if name.startswith("on_")}
    for name, method in vars(cls).items():
        if not name.startswith("on_") or not inspect.isfunction(method):
            continue
        if name not in phases:
            raise TypeError(f"{cls.__name__}.{name}: there is no such phase; {did_you_mean(name, phases)}")
        base_code, code = phases[name].__code__, method.__code__
        if code.co_argcount == base_code.co_argcount and not code.co_kwonlyargcount:
            continue  # as nearly all are: a look at the signature would take most of the time of a class
        wanted = base_code.co_varnames[: base_code.co_argcount]
        try:
            inspect.signature(method).bind(*wanted)
        except TypeError:
            raise TypeError(
                f"{cls.__name__}.{name}{inspect.signature(method)} must take ({', '.join(wanted)})"
            ) from None
    for place in ("inside", "outside"):
        if not isinstance(getattr(cls, place), Mapping):
            raise TypeError(
                f"{cls.__name__}.{place}={getattr(cls, place)!r} must be a mapping from a layer's name to the reason, "
                f'such as {{"RequestLog": "the log line tells the client"}}'
            )


def one_of(owner: object, name: str, value: Any, allowed: Iterable[Any]) -> Any:
    """The value if it is among ``allowed``.

    Raises:
        ValueError: It is not.
    """
    choices = list(allowed)
    if value in choices:
        return value
    shown = ", ".join(repr(choice) for choice in choices)
    near = nearest(value, [c for c in choices if isinstance(c, str)]) if isinstance(value, str) else None
    hint = "" if near is None else f"did you mean {near!r}?"
    label = getattr(owner, "__name__", type(owner).__name__)
    raise ValueError(f"{label}: {name}={value!r} is none of {shown}; {hint}".rstrip("; "))


def header_name(owner: object, option: str, value: Any, example: str) -> str:
    """The value if it can name a header.

    Raises:
        ValueError: It cannot.
    """
    if is_token(value):
        return str(value)
    raise ValueError(
        f"{type(owner).__name__}: {option}={value!r} is no header name (RFC 9110 token), such as {example!r}"
    )


def is_token(value: object) -> bool:
    """Whether the value can name a header (RFC 9110, section 5.1)."""
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def compile_skip(
    owner: object, skip: Skip | None, option: str = "skip", *, widely: bool = False
) -> "Callable[[Exchange], object] | None":
    """One predicate on the exchange for ``skip=``, or for an option that takes the same, or None.

    A string is an exact path, or with a slash at its end everything below that segment; both look at the path as it was
    at entry, and a path with a ``..`` segment is below nothing. A callable is asked with the exchange. Several may be
    given in a list. ``widely`` is for what must not be missed: ``..`` stays below, and several slashes are one.

    Raises:
        ValueError: A path that could never match, or something that is neither path nor callable.
    """
    if skip is None:
        return None
    rules = [skip] if isinstance(skip, str) or callable(skip) or not isinstance(skip, Iterable) else list(skip)
    if not rules:
        return None
    exact: set[str] = set()
    below: list[str] = []
    asked: list[Callable[[Exchange], object]] = []
    for rule in rules:
        if callable(rule):
            asked.append(rule)
        elif not isinstance(rule, str) or not rule.startswith("/"):
            raise ValueError(
                f"{type(owner).__name__}: {option}={rule!r} is no path: "
                "write '/exact', '/below/' or a callable on the exchange"
            )
        elif "*" in rule or "?" in rule:
            raise ValueError(
                f"{type(owner).__name__}: {option}={rule!r} is no pattern: "
                "write '/exact' or '/below/', or give a callable"
            )
        elif rule.endswith("/") and rule != "/":
            below.append(rule)
            exact.add(rule[:-1])
        else:
            exact.add(rule)
    prefixes = tuple(below)

    def skips(exchange: "Exchange") -> object:
        path = re.sub("/+", "/", f"/{exchange.path}") if widely else exchange.path
        if path in exact:
            return True
        # "/static/../admin" is /admin to an app that resolves it (the shape of CVE-2020-25032); to some, so is "..;".
        if prefixes and path.startswith(prefixes) and (widely or ".." not in path or ".." not in _SEGMENTS.split(path)):
            return True
        return any(ask(exchange) for ask in asked)

    return skips
