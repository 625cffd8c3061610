"""Rules of ``start_response``: late, twice, with ``exc_info``, for its ``write``; and of apps that use it wrongly."""

from overcoat.middleware.testing._rule import Rule, changed, of_trials, told
from overcoat.middleware.testing._trial import Trial

_EXC_INFO = frozenset({
    "exc_info_before_the_first_byte", "exc_info_after_an_empty_chunk", "exc_info_after_the_first_byte",
    "first_start_with_exc_info", "exc_info_after_write",
})  # fmt: skip
_LATE = frozenset({"late_start", "late_start_without_a_chunk", "start_in_iter"})
_ODD = frozenset({
    "headers_as_a_tuple", "headers_as_a_list_subclass", "headers_as_an_iterable", "headers_none",
    "status_without_a_reason", "status_as_bytes", "status_as_a_number", "text_chunk", "bytearray_chunk",
    "number_as_a_chunk", "none_as_a_chunk", "text_as_the_body", "bytes_as_the_body", "none_as_the_body",
    "number_as_the_body", "nothing_at_all", "dict_as_the_body", "start_twice", "start_twice_and_carry_on",
    "never_starts", "never_starts_but_sends", "start_after_a_chunk", "late_start_after_an_empty_chunk",
})  # fmt: skip


def _exc_info(trial: Trial) -> str | None:
    bare, worn = trial.bare, trial.worn
    if not trial.plain or trial.specimen.name not in _EXC_INFO:
        return None
    if bare.error is None and worn.error is None and bare.exc_info is not worn.exc_info:
        return "the server got no exc_info" if worn.exc_info is None else "the server got another exc_info"
    return changed(trial)


def _write(trial: Trial) -> str | None:
    if trial.specimen.group != "writes" or trial.specimen.name in _EXC_INFO or trial.files:
        return None
    if trial.client.leaves_after is not None or trial.client.in_contexts or trial.client.closes_elsewhere:
        return None
    if trial.specimen.name == "write_text" and "errors" in trial.allow:
        return None  # the server's complaint is answered with a page
    bare, worn = trial.bare, trial.worn
    if bare.sent == worn.sent or "body" in trial.allow:
        return changed(trial)
    return f"{told(bare)} became {told(worn)}"


def _late(trial: Trial) -> str | None:
    return changed(trial) if trial.plain and trial.specimen.name in _LATE else None


def _odd(trial: Trial) -> str | None:
    if not trial.plain or trial.specimen.name not in _ODD:
        return None
    if trial.bare.error is None:
        return changed(trial)
    hidden = trial.worn.error is None and "errors" not in trial.allow
    return f"{told(trial.bare)} became {told(trial.worn)}" if hidden else ""


RULES = (
    Rule(
        "exc-info",
        "exc_info is handed to the server, which takes the error page, or raises once bytes are out.",
        "PEP 3333, Error Handling",
        of_trials(_exc_info),
    ),
    Rule(
        "write",
        "start_response returns the server's write, and what is written goes out at once, in order.",
        "PEP 3333, The write() Callable",
        of_trials(_write),
    ),
    Rule(
        "late-start",
        "start_response may come as late as the first chunk.",
        "PEP 3333, The start_response() Callable",
        of_trials(_late),
    ),
    Rule(
        "odd-apps",
        "What an app does wrong reaches the server, which complains; what works bare works.",
        "PEP 3333, Middleware: Components that Play Both Sides",
        of_trials(_odd),
    ),
)
