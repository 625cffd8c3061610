import gc
import inspect
import weakref
from abc import ABC
from typing import Any

import pytest
from flask import Blueprint, Flask, Response
from hypothesis import given
from hypothesis import strategies as st
from support.hooks import Log, recording, serve

from overcoat.hooks import FlaskCORS, FlaskTalisman, HookBundle, ProblemDetails, RequestContext, register
from overcoat.hooks._config import options_for, prefix_of
from overcoat.middleware import describe


class Stamp(HookBundle):
    """A bundle with options of its own, one of them positional."""

    def __init__(self, value: str = "given", *, name: str = "stamp", header: str = "X-Stamp", **options: Any) -> None:
        super().__init__(name, **options)
        if not isinstance(value, str):
            raise ValueError(f"bundle {name!r}: value={value!r} is no text")
        self.value = value
        self.header = header
        self.after_request(self.mark)
        self.after_request(lambda response: response.headers.add("X-By", self.value))

    def mark(self, response: Response) -> Response:
        response.headers[self.header] = self.value
        return response


def make(*bundles: HookBundle, **config: Any) -> Flask:
    app = Flask("shop")
    app.config.update(config)
    register(app, bundles)
    app.add_url_rule("/", "index", lambda: "hello")
    return app


def stamped(app: Flask) -> list[tuple[str, str]]:
    headers = app.test_client().get("/").headers
    return [(name, value) for name, value in headers if name.startswith("X-")]


@pytest.mark.parametrize(
    ("bundle", "config", "expected"),
    [
        pytest.param(Stamp(), {}, ("X-Stamp", "given"), id="nothing said"),
        pytest.param(Stamp(), {"OVERCOAT_STAMP_VALUE": "config"}, ("X-Stamp", "config"), id="over a default"),
        pytest.param(Stamp("code"), {"OVERCOAT_STAMP_VALUE": "config"}, ("X-Stamp", "config"), id="over a positional"),
        pytest.param(
            Stamp("code", header="X-Code"), {"OVERCOAT_STAMP_HEADER": "X-Config"}, ("X-Config", "code"),
            id="the rest stays",
        ),
        pytest.param(Stamp(name="my-own.stamp"), {"OVERCOAT_MY_OWN_STAMP_VALUE": "c"}, ("X-Stamp", "c"), id="its name"),
    ],
)  # fmt: skip
def test_config_goes_before_the_constructor(bundle: Stamp, config: dict[str, str], expected: tuple[str, str]) -> None:
    value = bundle.value
    assert stamped(make(bundle, **config)) == [("X-By", expected[1]), expected]
    assert bundle.value == value


def test_one_bundle_on_several_apps_has_the_options_of_each() -> None:
    bundle = Stamp("shared")
    apps = [make(bundle, OVERCOAT_STAMP_VALUE="one"), make(bundle), make(bundle, OVERCOAT_STAMP_VALUE="three")]
    for _ in range(2):
        assert [stamped(app)[0][1] for app in apps] == ["one", "shared", "three"]
    assert all(bundle.is_registered(app) for app in apps)
    register(apps[0], [bundle])  # twice is once
    assert len(stamped(apps[0])) == 2


def test_hooks_declared_by_decorator_run_whatever_the_config_says() -> None:
    log: Log = []
    bundle = Stamp()
    bundle.before_request(lambda: log.append("before it is registered"))
    app, other = make(bundle, OVERCOAT_STAMP_VALUE="config", OVERCOAT_STAMP_SKIP="POST"), make(bundle)
    bundle.before_request(lambda: log.append("after"))
    for served in (app, other):
        log.clear()
        assert len(stamped(served)) == 2
        assert log == ["before it is registered", "after"]


def test_options_of_every_bundle_come_from_config_too() -> None:
    log: Log = []
    app = make(
        recording("a", log),
        recording("b", log),
        OVERCOAT_A_INSIDE=["b"],
        OVERCOAT_A_SKIP=["index"],
        OVERCOAT_B_REQUIRES="a",
    )
    serve(app)
    assert log == ["b<", "b>", "b.", "b!"]
    log.clear()
    serve(app, "/nowhere")
    assert log[:2] == ["b<", "a<"]


def test_blueprints_bundle_reads_the_config_of_the_app_it_meets() -> None:
    bundle, blueprint = Stamp(), Blueprint("b", __name__)
    blueprint.add_url_rule("/", "index", lambda: "hello")
    bundle.register(blueprint)
    values = []
    for value in ("one", "two"):
        app = Flask("shop")
        app.config["OVERCOAT_STAMP_VALUE"] = value
        app.register_blueprint(blueprint)
        values += stamped(app)[:1]
    assert values == [("X-By", "one"), ("X-By", "two")]


def test_extension_options_come_from_config_too() -> None:
    app = make(
        FlaskCORS(origins=["https://a.example"]), FlaskTalisman(),
        OVERCOAT_CORS_ORIGINS=["https://b.example"], OVERCOAT_TALISMAN_FRAME_OPTIONS="DENY",
    )  # fmt: skip
    headers = app.test_client().get("/", headers={"Origin": "https://b.example"}).headers
    assert headers["Access-Control-Allow-Origin"] == "https://b.example"
    assert headers["X-Frame-Options"] == "DENY"


def test_error_pages_are_those_that_each_app_asks_for() -> None:
    bundle = ProblemDetails()
    apps = make(bundle), make(bundle, OVERCOAT_PROBLEM_DETAILS_HTML=False)
    types = [app.test_client().get("/nowhere", headers={"Accept": "text/html"}).content_type for app in apps]
    assert types == ["text/html; charset=utf-8", "application/problem+json"]


def test_environment_of_flask_sets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_OVERCOAT_STAMP_VALUE", "environment")
    monkeypatch.setenv("FLASK_OVERCOAT_STAMP_STRICT", "true")
    app = Flask("shop")
    app.config.from_prefixed_env()
    Stamp().init_app(app)
    app.add_url_rule("/", "index", lambda: "hello")
    assert stamped(app)[0] == ("X-By", "environment")


@pytest.mark.parametrize(
    ("bundle", "config", "message"),
    [
        pytest.param(
            Stamp, {"OVERCOAT_STAMP_VALEU": "x"},
            r"app.config\['OVERCOAT_STAMP_VALEU'\]: bundle 'stamp' has no such option; "
            r"did you mean 'OVERCOAT_STAMP_VALUE'\?",
            id="misspelt",
        ),
        pytest.param(Stamp, {"OVERCOAT_STAMP_NAME": "x"}, "has no such option; .*OVERCOAT_STAMP_", id="name"),
        pytest.param(
            Stamp, {"OVERCOAT_STAMP_VALUE": 7, "OVERCOAT_STAMP_HEADER": "X-S"},
            r"^app.config\['OVERCOAT_STAMP_VALUE'\]: bundle 'stamp': value=7 is no text$", id="the constructor's own",
        ),
        pytest.param(
            Stamp, {"OVERCOAT_STAMP_ALWAYS": "yes"}, r"STAMP_ALWAYS'\]: .*always='yes' must be True or False", id="flag"
        ),
        pytest.param(Stamp, {"OVERCOAT_STAMP_INSIDE": ["stamp"]}, r"INSIDE'\]: .*is its own name", id="base option"),
        pytest.param(
            RequestContext, {"OVERCOAT_REQUEST_CONTEXT_USER": "me"},
            r"REQUEST_CONTEXT_USER'\]: .*user='me' is no function", id="a bundle of ours",
        ),
        pytest.param(
            lambda: FlaskCORS(origins=["https://a.example"], supports_credentials=True), {"OVERCOAT_CORS_ORIGINS": "*"},
            r"CORS_ORIGINS'\]: .*lets every site read", id="no weaker by config",
        ),
        pytest.param(FlaskCORS, {"OVERCOAT_CORS_ORIGIN": "*"}, "did you mean 'OVERCOAT_CORS_ORIGINS'", id="extension"),
    ],
)  # fmt: skip
def test_wrong_config_is_told_where_the_bundle_is_registered(bundle: Any, config: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(bundle(), **config)


@pytest.mark.parametrize("on", ["app", "blueprint"])
def test_longer_name_owns_its_keys(on: str) -> None:
    bundles = [Stamp(), Stamp(name="stamp-log")]
    app, blueprint = Flask("shop"), Blueprint("b", __name__)
    app.config.update({"OVERCOAT_STAMP_LOG_VALUE": "long", "OVERCOAT_STAMP_VALUE": "short"})
    register(app if on == "app" else blueprint, bundles)
    blueprint.add_url_rule("/", "index", lambda: "hello")
    app.register_blueprint(blueprint)
    assert [value for name, value in stamped(app) if name == "X-By"] == ["long", "short"]
    assert options_for(app, "stamp", ["stamp-log"]) == {"OVERCOAT_STAMP_VALUE": "short"}


def test_config_that_comes_too_late_is_an_error() -> None:
    app = make(Stamp(), OVERCOAT_STAMP_VALUE="early")
    app.config["OVERCOAT_STAMP_VALUE"] = "late"
    message = r"app.config\['OVERCOAT_STAMP_VALUE'\] has changed since bundle 'stamp' was registered.*set it before"
    with pytest.raises(RuntimeError, match=message):
        describe(app)
    app.testing = True
    with pytest.raises(RuntimeError, match=message):
        serve(app)


@pytest.mark.parametrize("when", ["added", "removed"])
def test_added_and_removed_keys_are_changes(when: str) -> None:
    app = make(Stamp(), **({} if when == "added" else {"OVERCOAT_STAMP_VALUE": "x"}))
    app.config.update({"OVERCOAT_STAMP_VALUE": "y"} if when == "added" else {})
    app.config.pop("OVERCOAT_STAMP_VALUE") if when == "removed" else None
    with pytest.raises(RuntimeError, match="OVERCOAT_STAMP_VALUE'] has changed"):
        describe(app)


def test_key_of_no_bundle_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    app = make(Stamp(), OVERCOAT_STMAP_VALUE="x")
    assert stamped(app)[0] == ("X-By", "given")
    stamped(app)
    told = [record.getMessage() for record in caplog.records if "app.config" in record.getMessage()]
    assert told == [
        "app.config['OVERCOAT_STMAP_VALUE'] names no bundle of this app; did you mean 'OVERCOAT_STAMP_...'?"
    ]


def test_copy_lives_as_long_as_its_app() -> None:
    bundle = Stamp()
    app = make(bundle, OVERCOAT_STAMP_VALUE="x")
    copy = weakref.ref(app.extensions["overcoat.hooks"].entries[0].bundle)
    assert copy() is not bundle
    assert stamped(app)[0] == ("X-By", "x")
    del app
    gc.collect()
    assert copy() is None


def test_constructor_that_takes_no_options_has_none_in_config() -> None:
    class Closed(HookBundle):
        def __init__(self) -> None:
            super().__init__("closed")

    with pytest.raises(
        ValueError, match=r"'OVERCOAT_CLOSED_SKIP'\]: bundle 'closed' has no such option; there is: noth"
    ):
        make(Closed(), OVERCOAT_CLOSED_SKIP="POST")


def test_bundles_keep_their_signature_and_mix_with_abstract_classes() -> None:
    assert list(inspect.signature(Stamp).parameters) == ["value", "name", "header", "options"]

    class Abstract(HookBundle, ABC): ...

    assert Abstract("a").name == "a"


NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,12}", fullmatch=True)


@given(st.lists(NAMES, min_size=1, max_size=5, unique_by=prefix_of), st.text(max_size=12))
def test_each_key_belongs_to_one_bundle_at_most(names: list[str], rest: str) -> None:
    app = Flask("shop")
    for name in names:
        app.config[prefix_of(name) + rest] = name
    found = {name: options_for(app, name, names) for name in names}
    keys = [key for options in found.values() for key in options]
    assert len(keys) == len(set(keys))
    assert {key for key in app.config if key.startswith("OVERCOAT_")} == set(keys)


def test_name_given_after_the_constructor_counts() -> None:
    bundle = Stamp()
    bundle.name = "other"
    app = make(bundle, OVERCOAT_OTHER_VALUE="config", OVERCOAT_STAMP_VALUE="nobody's")
    assert stamped(app)[0] == ("X-By", "config")
    assert [entry.bundle.name for entry in app.extensions["overcoat.hooks"].entries] == ["other"]
