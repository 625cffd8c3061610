import contextlib

import pytest
from support.apps import answering, ok
from support.client import Client
from support.record import check
from support.wsgi import call

from overcoat.middleware import Exchange, RequestLog
from overcoat.middleware import _keep as keep_module
from overcoat.middleware._keep import noteworthy


def finished(status="200 OK", outcome="complete", took_ms=1.0):
    exchange = Exchange({"PATH_INFO": "/healthz"})
    exchange.status, exchange.outcome = status, outcome
    exchange.finished_ns = exchange.started_ns + int(took_ms * 1e6)
    return exchange


NOTEWORTHY = {
    "an answer": (finished(), False),
    "a redirect": (finished("302 Found"), False),
    "399": (finished("399 Odd"), False),
    "400": (finished("400 Bad Request"), True),
    "503": (finished("503 Service Unavailable"), True),
    "aborted": (finished(outcome="aborted"), True),
    "failed": (finished(outcome="failed"), True),
    "handed off": (finished(outcome="handed_off"), False),
    "never started": (finished(None, "handed_off"), False),
    "a status that is none": (finished("OK"), False),
    "just not slow": (finished(took_ms=99.999), False),
    "slow": (finished(took_ms=100), True),
}


@pytest.mark.parametrize(("exchange", "expected"), NOTEWORTHY.values(), ids=NOTEWORTHY)
def test_what_is_noteworthy(exchange, expected):
    assert noteworthy(exchange, 100) is expected


def fails(environ, start_response):
    raise KeyError("cart")


def slow(environ, start_response):
    # A clock that jumps, not a sleep: what took long is what the exchange says.
    environ["overcoat.exchange"]().started_ns -= 10_000_000_000
    return ok(environ, start_response)


def stream(environ, start_response):
    start_response("200 OK", [])
    yield b"abc"
    yield b"def"


APPS = {
    "an answer": (ok, None, False),
    "404": (answering("404 Not Found"), None, True),
    "500": (answering("500 Oops"), None, True),
    "failed": (fails, None, True),
    "aborted": (stream, Client("leaves", leaves_after=1), True),
    "slow": (slow, None, True),
}


@pytest.mark.parametrize(
    "options", [{"quiet": "/healthz"}, {"sample": 0}, {"quiet": "/healthz", "sample": 0.5}], ids=str
)
@pytest.mark.parametrize(("app", "client", "logged"), APPS.values(), ids=APPS)
def test_item_30_quiet_and_sample_keep_what_is_noteworthy(options, app, client, logged):
    records = []
    call(RequestLog(app, to=records.append, **options), PATH_INFO="/healthz", **({"client": client} if client else {}))
    assert len(records) == logged
    for record in records:
        check(record)
        assert "sample_rate" not in record


@pytest.mark.parametrize(
    ("slow_ms", "logged"), [(1000, 1), (10_000, 1), (3_600_000, 0), (None, 0), (float("inf"), 0)], ids=str
)
def test_slow_is_what_slow_ms_says(slow_ms, logged):
    records = []
    call(RequestLog(slow, to=records.append, sample=0, slow_ms=slow_ms))
    assert len(records) == logged


QUIET = {
    "an exact path": ("/healthz", ["/healthz"]),
    "all below": ("/static/", ["/static", "/static/site.css"]),
    "a list": (["/healthz", "/static/"], ["/healthz", "/static", "/static/site.css"]),
    "a callable on the finished exchange": (lambda exchange: exchange.status_code == 204, []),
    "an empty list": ([], []),
}


@pytest.mark.parametrize(("quiet", "hushed"), QUIET.values(), ids=QUIET)
def test_quiet_chooses_as_skip_does(quiet, hushed):
    paths = ["/healthz", "/healthz2", "/static", "/static/site.css", "/static_secret"]
    records = []
    app = RequestLog(ok, to=records.append, quiet=quiet)
    for path in paths:
        call(app, PATH_INFO=path)
    assert [record["path"] for record in records] == [path for path in paths if path not in hushed]


def test_quiet_sees_how_the_request_ended():
    records = []
    call(
        RequestLog(
            answering("204 No Content", body=[]),
            to=records.append,
            quiet=QUIET["a callable on the finished exchange"][0],
        )
    )
    assert records == []


def test_a_sample_has_its_rate_and_the_app_s_fields_behind_it(monkeypatch):
    luck = iter([0.0, 0.2499, 0.25, 0.9999])
    monkeypatch.setattr(keep_module, "random", lambda: next(luck))
    records = []

    def app(environ, start_response):
        environ["overcoat.exchange"]().fields["user_id"] = 7
        return ok(environ, start_response)

    log = RequestLog(app, to=records.append, sample=0.25)
    for _ in range(4):
        call(log)
    assert len(records) == 2
    for record in records:
        check(record, "user_id")
        assert list(record.items())[-2:] == [("sample_rate", 0.25), ("user_id", 7)]


def test_a_sample_is_about_its_share():
    records = []
    app = RequestLog(ok, to=records.append, sample=0.5)
    for _ in range(1000):
        call(app)
    assert 350 < len(records) < 650  # nine standard deviations


RATES = {
    "all": (lambda exchange: 1, 3, None),
    "none": (lambda exchange: 0, 0, None),
    "all as a number": (1.0, 3, None),
    "raises": (lambda exchange: 1 / 0, 3, "ZeroDivisionError"),
    "more than all": (lambda exchange: 10, 3, "returned 10"),
    "a percentage as text": (lambda exchange: "10%", 3, "returned '10%'"),
    "a boolean": (lambda exchange: False, 3, "returned False"),
    "not a number": (lambda exchange: float("nan"), 3, "returned nan"),
    "None": (lambda exchange: None, 3, "returned None"),
}


@pytest.mark.parametrize(("sample", "logged", "told"), RATES.values(), ids=RATES)
def test_a_rate_that_is_none_keeps_the_request_and_is_told_once(caplog, sample, logged, told):
    records = []
    app = RequestLog(ok, to=records.append, sample=sample)
    for _ in range(3):
        call(app)
    assert len(records) == logged
    assert not any("sample_rate" in record for record in records)
    assert len(caplog.records) == (told is not None)
    assert told is None or told in caplog.text


def test_the_rate_is_asked_only_of_what_luck_decides():
    seen, records = [], []
    app = RequestLog(answering("404 Not Found"), to=records.append, sample=lambda exchange: seen.append(exchange) or 0)
    call(app)
    assert (len(records), seen) == (1, [])


def test_a_quiet_that_raises_keeps_the_request(caplog):
    records = []
    app = RequestLog(ok, to=records.append, quiet=lambda exchange: exchange.nothing)
    call(app)
    call(app)
    assert len(records) == 2
    [entry] = caplog.records
    assert "RequestLog: quiet=" in entry.getMessage()
    assert "AttributeError" in caplog.text


def test_skip_is_stronger_than_noteworthy():
    records = []
    with contextlib.suppress(KeyError):
        call(RequestLog(fails, to=records.append, skip="/healthz", quiet="/healthz"), PATH_INFO="/healthz")
    assert records == []


WRONG = {
    "a percentage": ({"sample": 10}, r"sample=10 must be a share from 0 to 1, such as 0\.1 for a tenth"),
    "negative": ({"sample": -0.1}, r"sample=-0\.1 must be a share"),
    "not a number": ({"sample": float("nan")}, "sample=nan must be a share"),
    "text": ({"sample": "0.1"}, r"sample='0\.1' must be a share"),
    "a boolean": ({"sample": True}, "sample=True must be a share"),
    "a quiet without its slash": ({"quiet": "healthz"}, r"quiet='healthz' is no path: write '/exact'"),
    "a quiet pattern": ({"quiet": "/static/*"}, r"quiet='/static/\*' is no pattern"),
    "a quiet number": ({"quiet": 404}, "quiet=404 is no path"),
    "slow_ms 0": ({"slow_ms": 0}, "slow_ms=0 must be a number of milliseconds above 0, or None"),
    "slow_ms text": ({"slow_ms": "1s"}, "slow_ms='1s' must be"),
    "slow_ms not a number": ({"slow_ms": float("nan")}, "slow_ms=nan must be"),
    "slow_ms a boolean": ({"slow_ms": True}, "slow_ms=True must be"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=f"^RequestLog: {message}"):
        RequestLog(ok, **options)
