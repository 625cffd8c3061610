import pytest

from overcoat.middleware import Exchange
from overcoat.middleware._asked import anything, asked


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no repr")


def is_text(answer):
    return isinstance(answer, str)


def is_listed(answer):
    return answer in {"a", "b"}


def raises(exchange):
    raise ZeroDivisionError("asked")


FUNCTIONS = {
    "answers": (lambda exchange: exchange.method, is_text, "GET", None),
    "answers nonsense": (lambda exchange: 7, is_text, "fallback", "returned 7"),
    "answers what cannot be compared": (lambda exchange: [], is_listed, "fallback", "unhashable"),
    "answers what cannot be shown": (lambda exchange: Unprintable(), is_text, "fallback", "no repr"),
    "raises": (raises, is_text, "fallback", "ZeroDivisionError: asked"),
    "takes nothing": (lambda: "x", is_text, "fallback", "takes 0 positional arguments"),
    "may answer anything": (lambda exchange: None, anything, None, None),
}


@pytest.mark.parametrize(("function", "is_answer", "answer", "told"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_the_answer_or_the_fallback_and_one_line(caplog, function, is_answer, answer, told):
    ask = asked("RequestLog", "level", function, is_answer, "fallback")
    exchange = Exchange({"REQUEST_METHOD": "GET"})
    assert [ask(exchange), ask(exchange)] == [answer, answer]
    assert len(caplog.records) == (told is not None)
    assert told is None or (told in caplog.text and "RequestLog: level=" in caplog.text)


@pytest.mark.parametrize("fatal", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_what_ends_the_process_goes_on(fatal):
    def ends(exchange):
        raise fatal

    with pytest.raises(fatal):
        asked("RequestLog", "level", ends, anything, None)(Exchange({}))
