"""The layers to paste: those that stand around an app, with what would mend what was found.

>>> from overcoat.inspector._observatory import Test
>>> from overcoat.inspector._remedy import remedy
>>> tests = [Test("cookies", "cookies-session-without-secure-flag"), Test("redirection", "redirection-missing")]
>>> print(remedy([], tests, host="shop.example", is_html=True))
HTTPSRedirect(hosts=['shop.example']),
SecureCookies(),
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from overcoat.inspector._observatory import Test
from overcoat.middleware import HTTPSRedirect, Layer, SecureCookies, SecurityHeaders
from overcoat.middleware._order import corrected
from overcoat.middleware._presets import DEFAULTS, PRESETS

_NEEDS_POLICY = frozenset({"csp-not-implemented"})


def remedy(
    layers: Sequence[Layer],
    tests: Iterable[Test],
    *,
    host: str,
    is_html: bool,
    sent: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The entries of a ``Stack``, from the outside in, or "" where nothing is to be added.

    Args:
        layers: Those that stand around the app.
        tests: Results of the HTTP Observatory's tests.
        host: That the pages were asked of.
        is_html: Whether there is a page among them.
        sent: Options of ``SecurityHeaders`` whose headers the app sends, though not well, with the headers' names.
    """
    listed = list(tests)
    wanted = {option: value for test in listed for option, value in test.meaning.headers.items()}
    needs_policy = any(test.result in _NEEDS_POLICY for test in listed)
    named = {test.meaning.layer.partition("(")[0] for test in listed}
    changed: list[Layer] = []
    result = list(layers)
    if wanted or needs_policy:
        _replace(result, changed, _headers(layers, wanted, needs_policy=needs_policy, is_html=is_html, sent=sent))
    if "HTTPSRedirect" in named:
        _replace(result, changed, HTTPSRedirect(hosts=[host]))
    if "SecureCookies" in named:
        _replace(result, changed, SecureCookies())
    if not changed:
        return ""
    shown = [repr(layer) for layer in corrected(result)]
    if any("<" in line for line in shown):  # a function or an object, which cannot be pasted
        shown = [repr(layer) for layer in corrected(changed)]
    return "\n".join(f"{line}," for line in shown)


def _replace(layers: list[Layer], changed: list[Layer], new: Layer | None) -> None:
    """Put a layer in the place of the one of its kind, or add it."""
    if new is None:
        return
    changed.append(new)
    for index, layer in enumerate(layers):
        if type(layer) is type(new):
            layers[index] = new
            return
    layers.append(new)


def _headers(
    layers: Sequence[Layer], wanted: dict[str, Any], *, needs_policy: bool, is_html: bool, sent: Mapping[str, str]
) -> Layer | None:
    present = next((layer for layer in layers if isinstance(layer, SecurityHeaders)), None)
    options = {} if present is None else dict(present._arguments[1])
    preset = options.get("preset")
    if needs_policy and not options.get("content_security_policy"):
        preset = options["preset"] = "page" if is_html else "api"
        options.pop("content_security_policy", None)
    own = {**DEFAULTS, **PRESETS.get(preset, {})}
    for name, value in wanted.items():
        if own.get(name) in {None, ""} or name in options:
            options[name] = value
        if options.get(name) == own.get(name) and name in options:
            del options[name]
    given = {} if present is None else present._arguments[1]
    forced = [header for option, header in sent.items() if option in wanted and option not in given]
    if forced:
        options["override"] = sorted({*options.get("override", ()), *forced})
    try:
        return SecurityHeaders(**options)
    except (TypeError, ValueError):
        return None  # what stands does not go with what is wanted: each result tells its fix
