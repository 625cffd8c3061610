import subprocess
import sys
from typing import Any

import pytest
from flask import Flask
from support.hooks import serve

from overcoat.hooks import FlaskCompress, FlaskCORS, FlaskTalisman, HookBundle, register
from overcoat.middleware import describe

EXTENSIONS = ["flask_cors", "flask_talisman", "flask_compress"]


def hooks_by_hand(app: Flask) -> list[Any]:
    lists = (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs)
    return [hook for by_scope in lists for hook in by_scope.get(None, []) if not hasattr(hook, "overcoat_bundles")]


@pytest.mark.parametrize(
    ("bundle", "expected"),
    [
        (
            lambda: FlaskCORS(origins=["https://a.example"]),
            {"after_request": ["flask_cors.extension.make_after_request_function.<locals>.cors_after_request"]},
        ),
        (
            FlaskTalisman,
            {
                "before_request": [
                    "flask_talisman.talisman.Talisman._force_https",
                    "flask_talisman.talisman.Talisman._make_nonce",
                ],
                "after_request": ["flask_talisman.talisman.Talisman._set_response_headers"],
            },
        ),
        (FlaskCompress, {"after_request": ["flask_compress.flask_compress.Compress.after_request"]}),
    ],
    ids=EXTENSIONS,
)
def test_functions_of_the_extension_run_in_the_bundle(bundle: Any, expected: dict[str, list[str]]) -> None:
    app = Flask("shop")
    app.before_request(lambda: None)
    app.after_request(lambda response: response)
    register(app, [bundle()])
    assert len(hooks_by_hand(app)) == 2
    rows = app.extensions["overcoat.hooks"].describe()
    found = {phase: [row.function for row in rows[phase] if row.function.startswith("flask_")] for phase in rows}
    assert {phase: names for phase, names in found.items() if names} == expected
    shown = {node.name.partition(": ")[2] for node in describe(app).walk() if node.kind == "bundle"}
    plain = [name.replace(".<locals>", "") for names in expected.values() for name in names]
    assert {".".join(name.split(".")[-2:]) for name in plain} <= shown


def test_bundle_on_two_apps_initialises_each() -> None:
    bundle = FlaskTalisman()
    for name in ("one", "two"):
        app = Flask(name)
        register(app, [bundle, bundle])
        assert app.test_client().get("/").headers["X-Frame-Options"] == "SAMEORIGIN"
        assert len(app.extensions["overcoat.hooks"].rows("after_request")) == 1


def test_headers_survive_another_hooks_failure_and_early_answers() -> None:
    breaking = HookBundle("breaking")
    breaking.before_request(lambda: ("no", 401))

    @breaking.after_request
    def fail(response: Any) -> Any:
        raise RuntimeError("no luck")

    app = Flask("shop")
    register(app, [breaking, FlaskCORS(origins=["https://a.example"]), FlaskTalisman()])
    response = app.test_client().get("/", headers={"Origin": "https://a.example"})
    assert response.status_code == 401
    assert response.headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_headers_are_on_unhandled_errors() -> None:
    app = Flask("shop")
    register(app, [FlaskCORS(origins=["https://a.example"]), FlaskTalisman()])
    app.add_url_rule("/boom", "boom", lambda: 1 / 0)
    response = app.test_client().get("/boom", headers={"Origin": "https://a.example"})
    assert response.status_code == 500
    assert response.headers.getlist("Access-Control-Allow-Origin") == ["https://a.example"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("bundle", [FlaskCORS, FlaskTalisman, FlaskCompress])
def test_misspelt_option_is_refused(bundle: Any) -> None:
    right = {FlaskCORS: "origins", FlaskTalisman: "frame_options", FlaskCompress: "mimetypes"}[bundle]
    with pytest.raises(ValueError, match=rf"{bundle.__name__}: unknown option {right}x=1; did you mean '{right}'\?"):
        bundle(**{f"{right}x": 1})
    with pytest.raises(ValueError, match="unknown option insde='a'; did you mean 'inside'"):
        bundle(insde="a")


@pytest.mark.parametrize("bundle", [FlaskCORS, FlaskTalisman, FlaskCompress])
def test_options_of_every_bundle_are_taken(bundle: Any) -> None:
    made = bundle(name="other", inside="a", skip="static")
    assert (made.name, made.inside, str(made.scope), made.always) == ("other", {"a"}, "skip static", True)
    assert bundle(always=False).always is False


def test_scope_holds_for_the_extensions_functions() -> None:
    app = Flask("shop")
    register(app, [FlaskTalisman(skip="plain")])
    app.add_url_rule("/plain", "plain", lambda: "plain")
    app.add_url_rule("/safe", "safe", lambda: "safe")
    client = app.test_client()
    assert "X-Frame-Options" not in client.get("/plain").headers
    assert "X-Frame-Options" in client.get("/safe").headers


LOADED = """
import sys
import overcoat.hooks
heavy = {"flask_cors", "flask_talisman", "flask_compress", "sqlalchemy", "flask_sqlalchemy", "flask_login"}
print(sorted(heavy & set(sys.modules)))
"""

MISSING = """
import sys
for name in ("flask_cors", "flask_talisman", "flask_compress"):
    sys.modules[name] = None
from overcoat.hooks import FlaskCompress, FlaskCORS, FlaskTalisman
for bundle in (FlaskCORS, FlaskTalisman, FlaskCompress):
    try:
        bundle()
    except ImportError as error:
        print(error)
"""


def run(script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def test_importing_loads_no_extension() -> None:
    assert run(LOADED) == "[]\n"


def test_missing_extension_says_what_to_install() -> None:
    assert run(MISSING) == "".join(f"{name} is not installed: pip install 'overcoat[flask]'\n" for name in EXTENSIONS)


NO_FLASK = """
import sys
sys.modules["flask"] = None
try:
    import overcoat.hooks
except ImportError as error:
    print(error)
"""


def test_missing_flask_says_what_to_install() -> None:
    assert run(NO_FLASK) == "overcoat.hooks is for Flask, which is missing: pip install 'overcoat[flask]'\n"


def test_served_through_all_three() -> None:
    app = Flask("shop")
    register(app, [FlaskCompress(min_size=1), FlaskCORS(origins=["https://a.example"]), FlaskTalisman()])
    app.add_url_rule("/", "index", lambda: "hello " * 100)
    status, body = serve(app, "/", HTTP_ACCEPT_ENCODING="gzip")
    assert status == "200 OK"
    assert body.startswith(b"\x1f\x8b")
