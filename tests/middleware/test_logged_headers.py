import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.apps import answering, ok
from support.record import check
from support.wsgi import call

from overcoat.middleware import RequestLog, Sensitive, add_fields
from overcoat.middleware._logged_headers import LONGEST_VALUE
from overcoat.middleware._text import UNSAFE


def record_of(app=ok, environ=None, **options):
    records = []
    call(RequestLog(app, to=records.append, **options), **(environ or {}))
    [record] = records
    check(record, "user_id")
    return record


REQUEST = {
    "one": (["Referer"], {"HTTP_REFERER": "/cart"}, {"referer": "/cart"}),
    "in any case, once": (["REFERER", "referer"], {"HTTP_REFERER": "/cart"}, {"referer": "/cart"}),
    "in the order that was given": (
        ["X-B", "X-A"], {"HTTP_X_A": "1", "HTTP_X_B": "2"}, {"x-b": "2", "x-a": "1"},
    ),
    "without a prefix in the environ": (
        ["Content-Type", "Content-Length"],
        {"CONTENT_TYPE": "text/csv", "CONTENT_LENGTH": "0", "HTTP_CONTENT_TYPE": "forged"},
        {"content-type": "text/csv", "content-length": "0"},
    ),
    "none was sent": (["Referer"], {}, None),
    "an empty one": (["Referer"], {"HTTP_REFERER": ""}, None),
    "nothing that was not named": (["Referer"], {"HTTP_COOKIE": "id=s3cret", "HTTP_X_OTHER": "1"}, None),
    "UTF-8": (["X-Name"], {"HTTP_X_NAME": "caf\xc3\xa9"}, {"x-name": "café"}),
    "not UTF-8": (["X-Name"], {"HTTP_X_NAME": "caf\xe9"}, {"x-name": "caf\\xe9"}),
    "a value that is none": (["X-Name"], {"HTTP_X_NAME": b"bytes"}, None),
    "a secret in its query": (
        ["Referer"], {"HTTP_REFERER": "https://a.example/x?page=1&token=s3cret#access_token=s3cret"},
        {"referer": "https://a.example/x?page=1&token=[redacted]#access_token=[redacted]"},
    ),
    "a password in its URL": (
        ["Referer"], {"HTTP_REFERER": "https://me:s3cret@a.example/x"}, {"referer": "https://[redacted]@a.example/x"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("headers", "environ", "logged"), REQUEST.values(), ids=REQUEST)
def test_request_headers(headers, environ, logged):
    record = record_of(environ=environ, headers=headers)
    assert record.get("request_headers") == logged
    assert logged is None or list(record["request_headers"]) == list(logged)


RESPONSE = {
    "one": (["Content-Type"], [("Content-Type", "text/csv")], {"content-type": "text/csv"}),
    "several of one name": (["Vary"], [("Vary", "Accept"), ("vary", "Cookie")], {"vary": "Accept, Cookie"}),
    "not named": (["Vary"], [("ETag", "1")], None),
    "a secret in its query": (
        ["Location"], [("Location", "/login?next=/&code=s3cret")], {"location": "/login?next=/&code=[redacted]"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("names", "headers", "logged"), RESPONSE.values(), ids=RESPONSE)
def test_response_headers(names, headers, logged):
    assert record_of(answering(headers=headers), response_headers=names).get("response_headers") == logged


def test_headers_of_a_response_that_never_started():
    def fails(environ, start_response):
        raise KeyError("cart")

    assert "response_headers" not in record_of(fails, response_headers=["Content-Type"])


@pytest.mark.parametrize("pair", [("X-A", 7), ("X-A",), "X-A", None, ["X-A", b"1"]], ids=repr)
def test_what_is_no_header_costs_no_line(pair):
    def app(environ, start_response):
        environ["overcoat.exchange"]().call_on_finish(
            lambda exchange: setattr(exchange, "headers", [pair, ("x-b", "1")])
        )
        return ok(environ, start_response)

    assert record_of(app, response_headers=["X-A", "X-B"])["response_headers"] == {"x-b": "1"}


def test_a_value_is_cut():
    record = record_of(environ={"HTTP_X_LONG": "x" * 70_000}, headers=["X-Long"])
    assert len(record["request_headers"]["x-long"]) == LONGEST_VALUE == 1024
    assert record["request_headers"]["x-long"].endswith("x…")


def test_a_password_that_is_cut_off_is_redacted_first():
    long = "https://me:" + "p" * 200 + "@" + "h" * 2000
    shown = record_of(environ={"HTTP_REFERER": "x" * 900 + long}, headers=["Referer"])["request_headers"]["referer"]
    assert "pp" not in shown


def test_fields_of_the_app_stay_behind():
    def app(environ, start_response):
        add_fields(user_id=7)
        return ok(environ, start_response)

    record = record_of(app, {"HTTP_REFERER": "/"}, headers=["Referer"], response_headers=["Content-Type"])
    assert [name for name in record if name.endswith("_headers") or name == "user_id"][-1] == "user_id"
    assert list(record)[-1] == "user_id"


HOSTILE = {
    "terminal escape": "\x1b[31m",
    "separators": "\xe2\x80\xa8",
    "quotes": '","level":"info',
    "64 KiB of userinfo": "://a:" * 13_000,
    "64 KiB of question marks": "?" * 65_536,
    "64 KiB of pairs": "?" + "a=b&" * 16_000 + "token=x",
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_item_65_hostile_values_stay_in_the_line(capsys, value):
    call(RequestLog(ok, to="stdout", headers=["X-Odd"]), HTTP_X_ODD=value)
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert not re.search(UNSAFE, line[:-1])
    assert isinstance(json.loads(line)["request_headers"]["x-odd"], str)


@given(st.text(st.characters(max_codepoint=255), min_size=1))
def test_item_65_no_secret_comes_out(text):
    record = record_of(environ={"HTTP_REFERER": f"/x?{text.replace('&', '')}&token=s3cret"}, headers=["Referer"])
    assert "s3cret" not in record["request_headers"]["referer"]


REFUSED = [
    "Authorization",
    "proxy-authorization",
    "Cookie",
    "Set-Cookie",
    "X-Api-Key",
    "X-Amz-Security-Token",
    "X-CSRF-Token",
]


@pytest.mark.parametrize("option", ["headers", "response_headers"])
@pytest.mark.parametrize("name", REFUSED)
def test_item_31_item_65_a_header_of_secrets_is_refused(option, name):
    with pytest.raises(ValueError, match=rf"RequestLog: {option}='{name}' would put secrets into the log.*add_fields"):
        RequestLog(ok, **{option: ["Accept", name]})


@pytest.mark.parametrize("sensitive", [["tenant"], Sensitive("tenant")], ids=["a list", "a registry"])
def test_a_name_of_the_user_s_is_refused_too(sensitive):
    with pytest.raises(ValueError, match="headers='X-Tenant' would put secrets into the log"):
        RequestLog(ok, headers=["X-Tenant"], sensitive=sensitive)


WRONG = {
    "one as text": ({"headers": "Referer"}, r"headers='Referer' must be a list of header names, such as \['Referer'"),
    "a number": ({"headers": 7}, "headers=7 must be a list"),
    "a name with a space": ({"headers": ["X Name"]}, r"headers='X Name' is no header name \(RFC 9110 token\)"),
    "an empty name": ({"response_headers": [""]}, "response_headers='' is no header name"),
    "bytes in it": ({"headers": [b"Referer"]}, "headers=b'Referer' is no header name"),
    "sensitive as text": ({"sensitive": "ssn"}, r"sensitive='ssn' must be a list of names, such as \['ssn'\]"),
    "sensitive a number": ({"sensitive": 7}, "sensitive=7 must be a list"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=f"^RequestLog: {message}"):
        RequestLog(ok, **options)
