import pytest
from support.apps import ok
from support.wsgi import call

from overcoat.middleware import Layer
from overcoat.middleware._options import did_you_mean, one_of


class Mark(Layer):
    """A layer that leaves a mark."""

    def __init__(self, app=None, *, colour="red", **options):
        self.colour = colour
        super().__init__(app, **options)

    def on_headers(self, exchange):
        exchange.set_header("X-Mark", self.colour)


def marked(skip, **environ):
    return bool(call(Mark(ok, skip=skip), **environ).header("X-Mark"))


SKIPS = {
    "exact": ("/healthz", "/healthz", True),
    "exact, below": ("/healthz", "/healthz/db", False),
    "exact, slash at the end": ("/healthz", "/healthz/", False),
    "exact, another case (CVE-2024-6866)": ("/admin", "/Admin", False),
    "exact, a plus (CVE-2024-6844)": ("/a b", "/a+b", False),
    "the root alone": ("/", "/", True),
    "the root is not all": ("/", "/x", False),
    "below": ("/static/", "/static/site.css", True),
    "below, deep": ("/static/", "/static/a/b/.well-known/c", True),
    "below, itself": ("/static/", "/static", True),
    "CVE-2023-29159 another segment": ("/static/", "/static_secret", False),
    "CVE-2020-25032 dot segments": ("/static/", "/static/../admin", False),
    "dot segments with a parameter": ("/static/", "/static/..;/admin", False),
    "dot segments with a backslash": ("/static/", "/static/..\\admin", False),
    "CVE-2020-25032 dot segments at the end": ("/static/", "/static/a/..", False),
    "dots in a name": ("/static/", "/static/a..b", True),
    "decoded": ("/café", "/caf\xc3\xa9", True),
    "several": (["/a", "/b/"], "/b/x", True),
    "several, none": (["/a", "/b/"], "/c", False),
    "a callable": (lambda exchange: exchange.path.endswith("z"), "/xyz", True),
    "a callable that says no": (lambda exchange: None, "/xyz", False),
    "path or callable": (["/a", lambda exchange: exchange.method == "GET"], "/c", True),
    "a tuple": (("/a",), "/a", True),
    "an empty list": ([], "/a", False),
    "none": (None, "/a", False),
}


@pytest.mark.parametrize(("skip", "path", "skipped"), SKIPS.values(), ids=SKIPS)
def test_item_63_skip(skip, path, skipped):
    assert marked(skip, PATH_INFO=path) is not skipped


@pytest.mark.parametrize(
    "environ",
    [
        {"HTTP_HOST": "example.com/healthz?"},
        {"QUERY_STRING": "/healthz"},
        {"SCRIPT_NAME": "/healthz"},
        {"REQUEST_URI": "/healthz", "RAW_URI": "/healthz"},
    ],
    ids=["CVE-2026-48710 host", "query", "script name", "raw URI"],
)
def test_only_the_path_decides(environ):
    assert marked("/healthz", PATH_INFO="/admin", **environ)


def test_the_path_at_entry_counts():
    class Shift(Layer):
        def on_request(self, exchange):
            exchange.environ["PATH_INFO"] = "/healthz"

    seen = call(Shift(Mark(ok, skip="/healthz")), PATH_INFO="/admin")
    assert seen.header("X-Mark") == ["red"]


def test_cve_2025_62727_64_kib_cost_linear_time():
    for path in ("/static/" * 8192, "/static/" + "../" * 20000, "/" * 65536):
        marked(["/static/", "/x"], PATH_INFO=path)


WRONG = {
    "a relative path": (
        {"skip": "healthz"},
        "Mark: skip='healthz' is no path: write '/exact', '/below/' or a callable",
    ),
    "empty": ({"skip": ""}, "skip='' is no path"),
    "a number": ({"skip": 5}, "skip=5 is no path"),
    "a flag": ({"skip": True}, "skip=True is no path"),
    "bytes": ({"skip": [b"/x"]}, "skip=b'/x' is no path"),
    "a pattern": ({"skip": "*.css"}, r"skip='\*.css' is no path"),
    "misspelt": ({"color": "blue"}, "Mark: unknown option color='blue'; did you mean 'colour'"),
    "misspelt, of the base": ({"skips": "/x"}, "unknown option skips='/x'; did you mean 'skip'"),
    "unlike any": ({"zzz": 1}, "unknown option zzz=1; there is: check_order, colour, skip"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        Mark(ok, **options)


@pytest.mark.parametrize(
    ("wrong", "known", "hint"),
    [
        ("jsom", ["json", "console"], "did you mean 'json'?"),
        ("xyz", ["json", "console"], "there is: json, console"),
        ("xyz", [], "there is: nothing"),
    ],
)
def test_did_you_mean(wrong, known, hint):
    assert did_you_mean(wrong, known) == hint


@pytest.mark.parametrize("value", ["jsn", None, 1, [], {}], ids=repr)
def test_one_of_refuses_anything_else(value):
    with pytest.raises(ValueError, match="Mark: form="):
        one_of(Mark(), "form", value, ["json", "console"])


def test_one_of_gives_the_value_back():
    assert one_of(Mark, "form", "json", ["json"]) == "json"
