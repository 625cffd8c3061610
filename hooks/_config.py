"""A bundle's options from ``app.config``, which go before those of its constructor.

``OVERCOAT_<BUNDLE>_<OPTION>``: the bundle's name in capitals, with ``_`` for ``-`` and ``.``, and the option's. They
are read when the bundle is registered. An app that says something of a bundle gets one of its own, made by the same
class with the same arguments and these: another app with the same bundle never sees them, and what is wrong in them is
told by the constructor that tells it of any other argument.
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from flask import Flask

from overcoat.hooks._bundle_options import BundleOptions
from overcoat.middleware._options import did_you_mean

if TYPE_CHECKING:
    from overcoat.hooks.bundle import HookBundle

_PREFIX = "OVERCOAT_"


def configured(bundle: "HookBundle", given: Mapping[str, Any]) -> "HookBundle":
    """The bundle itself, or where the app's configuration has options for it, a new one with them.

    Args:
        bundle: The bundle as it was made.
        given: What ``options_for`` has found.

    Raises:
        ValueError: A key that is no option, or a value that the constructor refuses; names the key.
    """
    if not given:
        return bundle
    known = {name.upper(): name for name in bundle.option_names()}
    options = {}
    for key, value in given.items():
        option = key.removeprefix(prefix_of(bundle.name))
        if option not in known:
            keys = [prefix_of(bundle.name) + name for name in sorted(known)]
            raise ValueError(
                f"app.config[{key!r}]: bundle {bundle.name!r} has no such option; {did_you_mean(key, keys)}"
            )
        options[known[option]] = value
    try:
        made = _made_again(bundle, options)
    except (ValueError, TypeError) as error:
        wrong = [key for key, option in zip(given, options, strict=True) if f"{option}=" in str(error)] or list(given)
        raise ValueError(f"app.config[{']['.join(map(repr, wrong))}]: {error}") from error
    made.name = bundle.name
    return made


def options_for(app: Flask, name: str, others: Iterable[str]) -> dict[str, Any]:
    """What the app's configuration says of the bundle of that name; a longer name that fits owns its keys."""
    prefix = prefix_of(name)
    longer = tuple(other for other in map(prefix_of, others) if len(other) > len(prefix))
    return {key: value for key, value in app.config.items() if key.startswith(prefix) and not key.startswith(longer)}


def check_unchanged(app: Flask, read: Mapping[str, Mapping[str, Any]]) -> None:
    """Check that the configuration says what it said when the bundles of these names were registered.

    Raises:
        RuntimeError: A key that came, went or changed since, and so has no effect.
    """
    for name, given in read.items():
        now = options_for(app, name, read)
        for key in now.keys() | given.keys():
            if key not in now or key not in given or not (now[key] is given[key] or now[key] == given[key]):
                raise RuntimeError(
                    f"app.config[{key!r}] has changed since bundle {name!r} was registered, which is when its options "
                    "are read: set it before"
                )


def strange_keys(app: Flask, names: Iterable[str]) -> Iterator[str]:
    """A warning for each key that has our prefix and names no bundle."""
    prefixes = sorted({prefix_of(name) for name in names})
    for key in app.config:
        if key.startswith(_PREFIX) and not key.startswith(tuple(prefixes)):
            hint = did_you_mean(key, [f"{prefix}..." for prefix in prefixes])
            yield f"app.config[{key!r}] names no bundle of this app; {hint}"


def prefix_of(name: str) -> str:
    """What the keys of a bundle begin with."""
    return f"{_PREFIX}{name.upper().replace('-', '_').replace('.', '_')}_"


def constructor_options(bundle: type) -> set[str]:
    """The names of what a bundle's constructor takes besides the name, those of every bundle included."""
    parameters = inspect.signature(bundle).parameters.values()
    names = {p.name for p in parameters if p.kind in {p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY}} - {"name"}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return names | set(BundleOptions.__annotations__) if takes_any else names


def _made_again(bundle: "HookBundle", options: Mapping[str, Any]) -> "HookBundle":
    args, named = bundle._arguments
    signature = inspect.signature(type(bundle))
    bound = signature.bind(*args, **named)
    rest = next((p.name for p in signature.parameters.values() if p.kind is p.VAR_KEYWORD), "")
    for option, value in options.items():
        into = bound.arguments if option in signature.parameters else bound.arguments.setdefault(rest, {})
        into[option] = value
    return type(bundle)(*bound.args, **bound.kwargs)
