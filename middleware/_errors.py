"""What a log line says of an error: its type, its message, and where it was raised."""

from types import TracebackType

from overcoat.middleware._source import short_path

_LONGEST_MESSAGE = 1000


def error_type(error: BaseException) -> str:
    """The name of the error's class, with its module unless it is a builtin."""
    cls = type(error)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def error_message(error: BaseException) -> str:
    """The error's text, at most 1000 characters; an error whose ``str()`` raises has a text too.

    Of an error that SQLAlchemy made of a driver's, it is the driver's: its own quotes the values of the statement.
    """
    try:
        driver = getattr(error, "orig", None) if hasattr(error, "params") else None
        text = str(driver if isinstance(driver, BaseException) else error)
    except Exception:
        return f"<{type(error).__name__} whose str() raises>"
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 1] + "…"


def error_at(error: BaseException) -> str | None:
    """``file:line in function`` of the innermost frame, or None; the file is relative to where Python found it."""
    traceback: TracebackType | None = error.__traceback__
    if traceback is None:
        return None
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    code = traceback.tb_frame.f_code
    return f"{short_path(code.co_filename)}:{traceback.tb_lineno} in {code.co_name}"
