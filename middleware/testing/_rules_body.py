"""Rules of the body: its bytes, the pace at which they come, its length, the server's own file."""

from overcoat.middleware.testing._rule import Rule, changed, of_trials, short, told
from overcoat.middleware.testing._trial import Trial

_HEADERS_ONLY = frozenset({"HEAD", "1", "204", "304"})


def _has_body(trial: Trial) -> bool:
    specimen = trial.specimen
    code = (specimen.status or "")[:3]
    return (
        specimen.group in {"bodies", "files", "responses"}
        and specimen.raises is None
        and not _HEADERS_ONLY & {specimen.method, code, code[:1]}
    )


def _body(trial: Trial) -> str | None:
    bare, worn = trial.bare, trial.worn
    if not trial.plain or not _has_body(trial):
        return None
    if worn.error is not None:
        return f"{told(bare)} became {told(worn)}"
    return "" if bare.sent == worn.sent else f"{short(bare.sent)} became {short(worn.sent)}"


def _streaming(trial: Trial) -> str | None:
    client = trial.client
    counted = trial.bare_probe.made or trial.specimen.closes
    if not _has_body(trial) or not counted or trial.files or client.measures or client.breaks_at or client.in_contexts:
        return None
    for number, made in enumerate(trial.worn.made):
        if made > number:
            place = f"before number {number} was sent" if number else "before the server wanted one"
            return f"{made} chunks were made {place}"
    if trial.probe.made > max(trial.bare_probe.made, len(trial.worn.chunks)):
        return f"{trial.probe.made} chunks were made, {len(trial.worn.chunks)} taken"
    return ""


def _lists(trial: Trial) -> str | None:
    bare, worn = trial.bare, trial.worn
    if type(bare.result) not in {list, tuple} or bare.error is not None or trial.files:
        return None
    if trial.specimen.group not in {"bodies", "responses"} or not (trial.plain or trial.client.measures):
        return None
    if worn.length != bare.length:
        return f"len() was {bare.length}, became {'missing' if worn.length is None else worn.length}"
    twice = [event for event in bare.events if event[0] == "measured"]
    if twice != [event for event in worn.events if event[0] == "measured"]:
        return "read twice, it is not the same"
    return changed(trial) if trial.client.measures else ""


def _file_wrapper(trial: Trial) -> str | None:
    handed = [event for event in trial.bare.events if event[0] == "sendfile"]
    if not handed:
        return None
    return "" if handed[0] in trial.worn.events else f"the server's file wrapper became {type(trial.worn.result)}"


RULES = (
    Rule(
        "body",
        "Every byte of the body is sent, in order, and none else.",
        "PEP 3333, Buffering and Streaming",
        of_trials(_body),
        frozenset({"body"}),
    ),
    Rule(
        "streaming",
        "Nothing is read ahead: each chunk is sent before the app is asked for the next.",
        "PEP 3333, Middleware Handling of Block Boundaries",
        of_trials(_streaming),
    ),
    Rule(
        "lists",
        "A list keeps its len(), by which servers know the Content-Length; it may be read twice.",
        "PEP 3333, Handling the Content-Length Header",
        of_trials(_lists),
        frozenset({"body"}),
    ),
    Rule(
        "file-wrapper",
        "The server's file wrapper reaches it as it is: sendfile survives.",
        "PEP 3333, Optional Platform-Specific File Handling",
        of_trials(_file_wrapper),
        frozenset({"body"}),
    ),
)
