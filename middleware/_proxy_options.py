"""The options of ProxyFix: how they are read, and what they come to."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from overcoat.middleware.proxy_fix import ProxyFix


def does(fix: "ProxyFix") -> str:
    """What the layer does, for ``describe``."""
    if fix.trusted is not None and not fix.trusted:
        return "deletes forwarding headers; trusts nobody"
    fields = [("client", fix.x_for), ("scheme", fix.x_proto), ("host", fix.x_host), ("port", fix.x_port)]
    names = [name for name, number in [*fields, ("prefix", fix.x_prefix)] if number] or ["nothing"]
    told = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    by = " by Forwarded" if fix.header == "forwarded" else ""
    trusts = "; trusts any peer" if fix.trusted is None or fix._networks.trusts_all else ""
    return f"corrects {told}{by}{trusts}"


def refuse_idle(fix: "ProxyFix") -> None:
    """Raise for options that would have no effect.

    Raises:
        ValueError: Names the option and the fix.
    """
    if fix.header == "forwarded":
        for option in ("x_port", "x_prefix"):
            if getattr(fix, option):
                raise ValueError(
                    f"ProxyFix: {option}={getattr(fix, option)!r} has no effect with header='forwarded', which has no "
                    f"such parameter: leave {option} out"
                )
    if fix._allows is not None and not fix.x_host:
        raise ValueError("ProxyFix: allowed_hosts has no effect with x_host=0: write x_host=1, or leave it out")


def count(option: str, value: int | None, default: int) -> int:
    """How many values of a header are believed.

    Raises:
        ValueError: No whole number from 0 up.
    """
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(
            f"ProxyFix: {option}={value!r} must be a whole number from 0 up: how many proxies set the header"
        )
    return value


def lists(fix: "ProxyFix") -> tuple[str, ...]:
    """The keys of X-Forwarded-* that are read, of which each proxy on the way may add a value."""
    return tuple(
        f"HTTP_X_FORWARDED_{name.upper()}" for name in ("proto", "host", "port", "prefix") if getattr(fix, f"x_{name}")
    )
