"""Mount: which paths go to what is mounted, and what it and the app see of them."""

import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.apps import Recorder, ok
from support.wsgi import call

from overcoat.middleware import Layer, Mount, ProxyFix, RequestID, RequestLog, Stack, describe

TAKEN = {
    "the prefix": ("/_logs", "", "/_logs", ""),
    "its folder": ("/_logs/", "", "/_logs", "/"),
    "below": ("/_logs/api/requests", "", "/_logs", "/api/requests"),
    "below a root": ("/_logs/a", "/site", "/site/_logs", "/a"),
    "dots after it": ("/_logs/../item", "", "/_logs", "/../item"),
    "slashes after it": ("/_logs//a", "", "/_logs", "//a"),
}
LEFT = ["/", "", "/_log", "/_logsx", "/_logs2/a", "//_logs", "/x/_logs", "/item/../_logs", "/_LOGS", "_logs"]


@pytest.mark.parametrize(("path", "root", "script_name", "path_info"), TAKEN.values(), ids=TAKEN)
def test_a_path_below_the_prefix_goes_to_what_is_mounted(path, root, script_name, path_info):
    app, mounted = Recorder(), Recorder()
    assert call(Mount(app, "/_logs", mounted), PATH_INFO=path, SCRIPT_NAME=root).status == "200 OK"
    assert (mounted.environ["SCRIPT_NAME"], mounted.environ["PATH_INFO"]) == (script_name, path_info)
    assert not hasattr(app, "environ")


@pytest.mark.parametrize("path", LEFT)
def test_any_other_path_is_the_app_s(path):
    app, mounted = Recorder(), Recorder()
    call(Mount(app, "/_logs", mounted), PATH_INFO=path, SCRIPT_NAME="/site")
    assert (app.environ["SCRIPT_NAME"], app.environ["PATH_INFO"]) == ("/site", path)
    assert not hasattr(mounted, "environ")


@given(st.text(alphabet="/_logsx.%é"))
def test_nothing_of_a_path_is_lost(path):
    app, mounted = Recorder(), Recorder()
    call(Mount(app, "/_logs", mounted), PATH_INFO=path, SCRIPT_NAME="/site")
    environ = getattr(mounted, "environ", None) or app.environ
    assert environ["SCRIPT_NAME"] + environ["PATH_INFO"] == "/site" + path
    assert hasattr(mounted, "environ") == (path.split("/")[:2] == ["", "_logs"])


def test_a_prefix_beyond_ascii_is_found_as_servers_hand_paths_on():
    mounted = Recorder()
    call(Mount(ok, "/журнал", mounted), PATH_INFO="/журнал/a".encode().decode("latin-1"))
    assert (mounted.environ["SCRIPT_NAME"], mounted.environ["PATH_INFO"]) == (
        "/журнал".encode().decode("latin-1"),
        "/a",
    )


def test_layers_further_in_see_nothing_and_those_further_out_do():
    lines, ids = [], []
    mounted = Recorder()
    app = Stack(
        ok,
        [RequestID(generator=lambda: ids.append(1) or "made"), Mount("/_logs", mounted), RequestLog(to=lines.append)],
    )
    assert call(app, PATH_INFO="/_logs/").header("X-Request-ID") == ["made"]
    assert lines == []
    call(app, PATH_INFO="/item")
    assert [line["path"] for line in lines] == ["/item"]


def test_a_log_further_out_has_the_path_as_it_was_asked_for():
    lines = []
    call(Stack(ok, [RequestLog(to=lines.append), Mount("/_logs", Recorder())]), PATH_INFO="/_logs/a")
    assert [line["path"] for line in lines] == ["/_logs/a"]


def test_a_skipped_path_stays_the_app_s():
    app, mounted = Recorder(), Recorder()
    call(Mount(app, "/_logs", mounted, skip="/_logs/public/"), PATH_INFO="/_logs/public/a")
    assert app.environ["PATH_INFO"] == "/_logs/public/a"


def test_a_flask_app_and_a_stack_can_be_mounted():
    tool = flask.Flask("tool")
    tool.add_url_rule("/a", "a", lambda: flask.url_for("a"))
    assert call(Mount(ok, "/tool", tool), PATH_INFO="/tool/a").body == b"/tool/a"
    inner = Stack(tool.wsgi_app, [RequestID(generator=lambda: "inner")])
    assert call(Mount(ok, "/tool", inner), PATH_INFO="/tool/a").header("X-Request-ID") == ["inner"]


def test_a_mount_can_stand_in_a_mount():
    deep = Recorder()
    call(Mount(ok, "/a", Mount(ok, "/b", deep)), PATH_INFO="/a/b/c")
    assert (deep.environ["SCRIPT_NAME"], deep.environ["PATH_INFO"]) == ("/a/b", "/c")


def test_an_error_of_what_is_mounted_is_offered_to_the_layers_outside():
    class Boundary(Layer):
        def on_error(self, exchange, error):
            return ok

    def broken(environ, start_response):
        raise ValueError

    assert call(Stack(ok, [Boundary(), Mount("/_logs", broken)]), PATH_INFO="/_logs").status == "200 OK"


def test_proxy_fix_must_stand_outside():
    with pytest.raises(ValueError, match=r"ProxyFix must stand outside Mount: .*\n\nStack\(app, \[\n    ProxyFix"):
        Stack(ok, [Mount("/_logs", ok), ProxyFix(trusted=[])])


def test_describe_tells_what_is_where():
    assert "hands /_logs to ok" in str(describe(Stack(ok, [Mount("/_logs", ok)])))
    assert repr(Mount("/_logs", ok, skip="/_logs/x")) == "Mount('/_logs', ok, skip='/_logs/x')"


WRONG = {
    "nothing": ((), r"^Mount: prefix=None must be a path, such as '/_logs'"),
    "no application": (("/_logs",), r"^Mount: mounted=None is no WSGI application"),
    "a class": (("/_logs", RequestLog), r"^Mount: mounted=<class .*> is no WSGI application"),
    "a part": (("/_logs", RequestID()), r"^Mount: mounted=RequestID\(\) is a part and wraps no app"),
    "the root": (("/", ok), r"^Mount: prefix='/' would take every path"),
    "no slash": (("_logs", ok), r"write '/_logs'$"),
    "a slash at the end": (("/_logs/", ok), r"write '/_logs'$"),
    "dots": (("/a/../b", ok), r"is no plain path"),
    "an empty segment": (("/a//b", ok), r"is no plain path"),
    "a pattern": (("/a/*", ok), r"is no plain path"),
    "percent-encoded": (("/a%20b", ok), r"is no plain path"),
    "a surrogate": (("/\ud800", ok), r"cannot be part of a URL"),
    "a number": ((ok, 7, ok), r"^Mount: prefix=7 must be a path"),
    "a prefix as the app": (("/_logs", "/x", ok), r"^Mount: app='/_logs' is no application"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Mount(*arguments)


def test_an_unknown_option_is_refused():
    with pytest.raises(ValueError, match=r"^Mount: unknown option prefx='/_logs'; did you mean 'prefix'\?"):
        Mount(ok, "/_logs", ok, prefx="/_logs")
