from datetime import timedelta

import flask
import flask_login
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.apps import answering
from support.cookies import parse_set_cookie
from support.wsgi import call

from overcoat.middleware import ProxyFix, SecureCookies, Stack


def cookies_of(values, scheme="https", **options):
    app = SecureCookies(answering(headers=[("Set-Cookie", value) for value in values]), **options)
    seen = call(app, wsgi__url_scheme=scheme)
    assert seen.error is None
    return seen.header("Set-Cookie")


def cookie_of(value, scheme="https", **options):
    (result,) = cookies_of([value], scheme, **options)
    return result


ADDED = {
    "nothing there": ("a=b", "https", "; Secure; HttpOnly; SameSite=Lax"),
    "by http": ("a=b", "http", "; HttpOnly; SameSite=Lax"),
    "by wss": ("a=b", "wss", "; Secure; HttpOnly; SameSite=Lax"),
    "by an unknown scheme": ("a=b", "javascript", "; HttpOnly; SameSite=Lax"),
    "Secure there": ("a=b; Secure", "https", "; HttpOnly; SameSite=Lax"),
    "HttpOnly there": ("a=b; HttpOnly", "https", "; Secure; SameSite=Lax"),
    "Strict stays": ("a=b; SameSite=Strict", "https", "; Secure; HttpOnly"),
    "None stays, and gets the Secure that it needs": ("a=b; SameSite=None", "https", "; Secure; HttpOnly"),
    "an unknown SameSite stays": ("a=b; samesite=x", "https", "; Secure; HttpOnly"),
    "all there": ("a=b; SECURE; httponly; sameSite=Lax", "https", ""),
    "all there, without spaces": ("a=b;Secure;HttpOnly;SameSite=Lax", "https", ""),
    "the words in the value": ("a=Secure HttpOnly SameSite", "https", "; Secure; HttpOnly; SameSite=Lax"),
    "the words in another attribute": ("a=b; Path=/Secure", "https", "; Secure; HttpOnly; SameSite=Lax"),
    "Partitioned stays": ("a=b; Partitioned; Secure", "https", "; HttpOnly; SameSite=Lax"),
    "a cookie that is deleted": ("a=; Max-Age=0; Path=/", "https", "; Secure; HttpOnly; SameSite=Lax"),
    "a host cookie": ("__Host-a=b", "https", "; Secure; HttpOnly; SameSite=Lax; Path=/"),
    "a host cookie with its path": ("__Host-a=b; Path=/", "https", "; Secure; HttpOnly; SameSite=Lax"),
    "a host cookie with another path": ("__Host-a=b; Path=/c", "https", "; Secure; HttpOnly; SameSite=Lax"),
    "a host cookie by http": ("__host-a=b", "http", "; Secure; HttpOnly; SameSite=Lax; Path=/"),
    "a secure cookie by http": ("__Secure-a=b; Path=/c", "http", "; Secure; HttpOnly; SameSite=Lax"),
    "a cookie for http alone": ("__Host-Http-a=b; Path=/", "https", "; Secure; HttpOnly; SameSite=Lax"),
    "no name": ("=b", "https", ""),
    "no name, a prefix": ("=__Host-a=b", "https", ""),
    "no pair": ("a", "https", ""),
    "nothing": ("", "https", ""),
    "control characters": ("a=b\x01", "https", ""),
}


@pytest.mark.parametrize(("value", "scheme", "added"), ADDED.values(), ids=ADDED)
def test_what_is_added(value, scheme, added):
    assert cookie_of(value, scheme) == value + added


OPTIONS = {
    "always Secure": ({"secure": True}, "http", "a=b", "; Secure; HttpOnly; SameSite=Lax"),
    "never Secure": ({"secure": False}, "https", "a=b", "; HttpOnly; SameSite=Lax"),
    "never Secure, but for a promise": ({"secure": False}, "https", "__Secure-a=b", "; Secure; HttpOnly; SameSite=Lax"),
    "no HttpOnly": ({"http_only": False}, "https", "a=b", "; Secure; SameSite=Lax"),
    "no HttpOnly, but for a promise": ({"http_only": False}, "https", "__Http-a=b", "; Secure; HttpOnly; SameSite=Lax"),
    "Strict": ({"same_site": "Strict"}, "https", "a=b", "; Secure; HttpOnly; SameSite=Strict"),
    "no SameSite": ({"same_site": None}, "https", "a=b", "; Secure; HttpOnly"),
    "None": ({"same_site": "None"}, "https", "a=b", "; Secure; HttpOnly; SameSite=None"),
    "None by http, where browsers would drop it": ({"same_site": "None"}, "http", "a=b", "; HttpOnly"),
    "None by http, with Secure": ({"same_site": "None"}, "http", "a=b; Secure", "; HttpOnly; SameSite=None"),
    "readable": ({"readable": ["a"]}, "https", "a=b", "; Secure; SameSite=Lax"),
    "another is readable": ({"readable": ["A"]}, "https", "a=b", "; Secure; HttpOnly; SameSite=Lax"),
    "readable, but for a promise": (
        {"readable": ["__Http-a"]},
        "https",
        "__Http-a=b",
        "; Secure; HttpOnly; SameSite=Lax",
    ),
    "exempt": ({"exempt": ["a"]}, "https", "a=b", ""),
    "another is exempt": ({"exempt": ["A"]}, "https", "a=b", "; Secure; HttpOnly; SameSite=Lax"),
    "nothing but promises": ({"secure": False, "http_only": False, "same_site": None}, "https", "a=b", ""),
    "report": ({"mode": "report"}, "https", "a=b", ""),
}


@pytest.mark.parametrize(("options", "scheme", "value", "added"), OPTIONS.values(), ids=OPTIONS)
def test_options(options, scheme, value, added):
    assert cookie_of(value, scheme, **options) == value + added


def test_a_semicolon_at_the_end_is_not_doubled():
    assert cookie_of("a=b; ") == "a=b; Secure; HttpOnly; SameSite=Lax"


def test_every_cookie_stays_in_its_place_among_the_other_headers():
    headers = [("Set-Cookie", "a=1"), ("X-One", "1"), ("set-cookie", "b=2; Secure"), ("Set-Cookie", "a=1")]
    seen = call(SecureCookies(answering(headers=headers), http_only=False, same_site=None), wsgi__url_scheme="https")
    assert seen.headers == [
        ("Set-Cookie", "a=1; Secure"), ("X-One", "1"), ("set-cookie", "b=2; Secure"), ("Set-Cookie", "a=1; Secure")
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["set-cookie", "SET-COOKIE", "sEt-cOOKIE"])
def test_the_header_s_name_in_any_case(name):
    seen = call(SecureCookies(answering(headers=[("X-Other-He", "1"), (name, "a=b")])))
    assert seen.headers[1] == (name, "a=b; HttpOnly; SameSite=Lax")


def test_the_same_attributes_with_other_values():
    assert cookies_of(["a=1; Path=/", "a=2; Path=/", "b=1; Path=/"], readable=["b"]) == [
        "a=1; Path=/; Secure; HttpOnly; SameSite=Lax",
        "a=2; Path=/; Secure; HttpOnly; SameSite=Lax",
        "b=1; Path=/; Secure; SameSite=Lax",
    ]


def test_twice_around_an_app_adds_once():
    app = SecureCookies(SecureCookies(answering(headers=[("Set-Cookie", "a=b")])))
    assert call(app).header("Set-Cookie") == ["a=b; HttpOnly; SameSite=Lax"]


def test_a_restarted_response_gets_its_own():
    def app(environ, start_response):
        start_response("200 OK", [("Set-Cookie", "a=b")])
        try:
            raise ValueError
        except ValueError:
            import sys

            start_response("500 SORRY", [("Set-Cookie", "c=d")], sys.exc_info())
        return [b"sorry"]

    assert call(SecureCookies(app)).header("Set-Cookie") == ["c=d; HttpOnly; SameSite=Lax"]


@pytest.mark.parametrize(
    "pair", [("Set-Cookie", None), ("Set-Cookie", b"a=b"), ["Set-Cookie", "a=b"], ("Set-Cookie",)], ids=repr
)
def test_what_is_no_header_is_left_to_the_server(pair):
    seen = []

    def start(status, headers, exc_info=None):
        seen.extend(headers)

    def app(environ, start_response):
        start_response("200 OK", [pair, ("Set-Cookie", "a=b")])
        return []

    SecureCookies(app)({"REQUEST_METHOD": "GET"}, start)
    assert seen == [pair, ("Set-Cookie", "a=b; HttpOnly; SameSite=Lax")]


def test_the_scheme_is_that_of_a_trusted_proxy():
    app = Stack(answering(headers=[("Set-Cookie", "a=b")]), [ProxyFix(trusted=["127.0.0.1"]), SecureCookies()])
    for peer, secure in (("127.0.0.1", True), ("192.0.2.1", False)):
        (value,) = call(app, REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO="https").header("Set-Cookie")
        assert ("; Secure" in value) is secure
    with pytest.raises(ValueError, match="ProxyFix must stand outside SecureCookies"):
        Stack(answering(), [SecureCookies(), ProxyFix(trusted=[])])


def test_report_names_each_cookie_once_and_no_value(caplog):
    headers = [("Set-Cookie", f"{name}=topsecret") for name in ("a", "b", "a")]
    app = SecureCookies(answering(headers=headers), mode="report")
    for _ in range(3):
        assert call(app, wsgi__url_scheme="https").headers == headers
    assert [record.getMessage() for record in caplog.records] == [
        "SecureCookies: the cookie 'a' lacks Secure, HttpOnly, SameSite",
        "SecureCookies: the cookie 'b' lacks Secure, HttpOnly, SameSite",
    ]


LOGGED = {
    "a domain": ("__Host-a=b; Domain=example.com; Path=/", "must not have a Domain"),
    "a path": ("__Host-a=b; Path=/c", "its Path must be /"),
    "an unknown SameSite": ("a=b; SameSite=yes", "none of Strict, Lax and None"),
    "a long path": (f"__Host-a=b; Path=/{'c' * 500}", "its Path must be /"),
    "None by http": ("a=b; SameSite=None", "SameSite=None is for Secure cookies only"),
    "Partitioned by http": ("a=b; Partitioned", "Partitioned is for Secure cookies only"),
}


@pytest.mark.parametrize("mode", ["enforce", "report"])
@pytest.mark.parametrize(("value", "fault"), LOGGED.values(), ids=LOGGED)
def test_what_browsers_drop_is_told_once(value, fault, mode, caplog):
    app = SecureCookies(answering(headers=[("Set-Cookie", value)]), mode=mode)
    for _ in range(3):
        call(app)
    found = [record.getMessage() for record in caplog.records if "dropped" in record.getMessage()]
    assert len(found) == 1
    assert fault in found[0]


def test_the_log_is_not_filled_nor_split_by_names(caplog):
    headers = [("Set-Cookie", f"user{number}\x85{'x' * 500}=b") for number in range(300)]
    call(SecureCookies(answering(headers=headers), mode="report"))
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 100
    assert all(len(message) < 250 and message.isprintable() for message in messages)


REFUSED = {
    "secure": ({"secure": "http"}, "SecureCookies: secure='http' is none of 'https', True, False"),
    "http_only": ({"http_only": "yes"}, "http_only='yes' is none of True, False"),
    "same_site": ({"same_site": "lax"}, "same_site='lax' is none of 'Strict', 'Lax', 'None', None; did you mean 'Lax'"),
    "None without Secure": ({"same_site": "None", "secure": False}, "needs Secure"),
    "readable as text": ({"readable": "XSRF-TOKEN"}, r"must be a list: readable=\['XSRF-TOKEN'\]"),
    "exempt as text": ({"exempt": "a"}, r"must be a list: exempt=\['a'\]"),
    "a pair": ({"exempt": ["a=b"]}, "exempt entry 'a=b' is no name of a cookie"),
    "an empty name": ({"readable": [""]}, "readable entry '' is no name"),
    "a number": ({"readable": [7]}, "readable entry 7 is no name"),
    "spaces": ({"readable": [" a"]}, "readable entry ' a' is no name"),
    "a semicolon": ({"readable": ["a;b"]}, "readable entry 'a;b' is no name"),
    "both": ({"readable": ["a"], "exempt": ["a", "b"]}, r"readable and exempt both name \['a'\]"),
    "readable without effect": ({"readable": ["a"], "http_only": False}, "no effect with http_only=False"),
    "mode": ({"mode": "reprot"}, "did you mean 'report'"),
    "misspelt": ({"samesite": "Lax"}, "did you mean 'same_site'"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        SecureCookies(answering(), **options)


attributes = st.sampled_from([
    "Secure", "secure", "HttpOnly", "SameSite=None", "SameSite=Strict", "SameSite", "Path=/", "Path=/a", "Domain=a",
    "Max-Age=0", "Partitioned", "Priority=High", "", " ", "x=y",
])  # fmt: skip
names = st.sampled_from(["a", "__Host-a", "__secure-a", "__Http-a", "__Host-Http-a", ""])


@given(
    name=names,
    value=st.text("ab=\"' ,"),
    extra=st.lists(attributes, max_size=5),
    scheme=st.sampled_from(["http", "https"]),
)
def test_what_the_app_said_stands_and_nothing_is_missing(name, value, extra, scheme):
    written = ";".join([f"{name}={value}", *extra])
    result = cookie_of(written, scheme)
    before = parse_set_cookie(written)
    if before is None:
        assert result == written
        return
    after = parse_set_cookie(result)
    assert after[0] == before[0]
    said = {key: text for key, text in before[1].items() if key}
    assert {key: after[1].get(key) for key in said} == said
    assert {"httponly", "samesite"} <= after[1].keys()
    assert "secure" in after[1] or (scheme == "http" and not name.startswith("__"))
    assert cookie_of(result, scheme) == result


@given(value=st.text())
def test_no_value_raises(value):
    assert cookie_of(value).startswith(value.rstrip("; \t"))


def make_shop(**config):
    app = flask.Flask("shop")
    app.secret_key = "k"
    app.config.update(config)
    manager = flask_login.LoginManager(app)

    class User(flask_login.UserMixin):
        id = "7"

    manager.user_loader(lambda user_id: User())

    @app.get("/login")
    def login():
        flask_login.login_user(User(), remember=True, duration=timedelta(days=1))
        response = flask.make_response("in")
        response.set_cookie("XSRF-TOKEN", "t")
        response.set_cookie("embedded", "e", samesite="None")
        return response

    @app.get("/me")
    @flask_login.login_required
    def me():
        return flask_login.current_user.id

    @app.get("/logout")
    def logout():
        flask_login.logout_user()
        return "out"

    app.wsgi_app = SecureCookies(app.wsgi_app, readable=["XSRF-TOKEN"])
    return app


def said_by(answer):
    parsed = [parse_set_cookie(value) for value in answer.headers.getlist("Set-Cookie")]
    return {
        name: {key: text for key, text in found.items() if key in {"secure", "httponly", "samesite"}}
        for name, found in parsed
    }


def test_flask_s_session_and_flask_login_s_cookie_by_https():
    client = make_shop().test_client()
    answer = client.get("/login", base_url="https://example.com")
    all_of_them = {"secure": "", "httponly": "", "samesite": "Lax"}
    assert said_by(answer) == {
        "session": all_of_them,
        "remember_token": all_of_them,
        "XSRF-TOKEN": {"secure": "", "samesite": "Lax"},
        "embedded": all_of_them | {"samesite": "None"},
    }
    assert client.get("/me", base_url="https://example.com").text == "7"
    # What deletes a cookie must say what set it.
    assert said_by(client.get("/logout", base_url="https://example.com"))["remember_token"] == all_of_them
    assert client.get("/me", base_url="https://example.com").status_code == 401


def test_flask_s_session_and_flask_login_s_cookie_by_http(caplog):
    client = make_shop().test_client()
    answer = client.get("/login", base_url="http://localhost")
    assert said_by(answer)["session"] == {"httponly": "", "samesite": "Lax"}
    assert client.get("/me", base_url="http://localhost").text == "7"
    assert "'embedded'" in caplog.text


def test_what_flask_s_configuration_says_stands():
    app = make_shop(
        SESSION_COOKIE_SAMESITE="Strict", SESSION_COOKIE_NAME="__Host-session", REMEMBER_COOKIE_SAMESITE="None"
    )
    said = said_by(app.test_client().get("/login", base_url="https://example.com"))
    assert said["__Host-session"] == {"secure": "", "httponly": "", "samesite": "Strict"}
    assert said["remember_token"] == {"secure": "", "httponly": "", "samesite": "None"}
