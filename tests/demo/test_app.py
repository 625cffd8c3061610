"""The composition: what each layer and bundle does to the demo's responses and its log."""

import logging

import pytest
from sqlalchemy import event
from support.wsgi import call

from overcoat.demo.models import db
from overcoat.middleware import describe

BROWSER = "http://localhost:3000"


@pytest.fixture
def client(make_app):
    return make_app().test_client()


def test_order(make_app):
    parts = list(describe(make_app()).walk())
    assert [part.name.partition("(")[0] for part in parts if part.kind == "layer"] == [
        "ProxyFix",
        "RequestID",
        "TraceContext",
        "Mount",
        "RequestLog",
        "ServerTiming",
        "SecurityHeaders",
        "SecureCookies",
        "TrustedHosts",
        "HTTPSRedirect",
    ]
    bundles = [part.name.partition(":")[0] for part in parts if part.kind == "bundle"]
    assert set(bundles) == {"request-context", "problem-details", "compress", "cors", "talisman", "database"}


@pytest.mark.parametrize(
    ("path", "status"), [("/item", 200), ("/item/999", 404), ("/nothing", 404), ("/item?limit=x", 400), ("/", 200)]
)
def test_headers_are_on_every_response(client, path, status):
    response = client.get(path)
    assert response.status_code == status
    for name in ("X-Request-ID", "Server-Timing", "Content-Security-Policy", "X-Content-Type-Options"):
        assert len(response.headers.getlist(name)) == 1, name
    assert response.headers["X-Frame-Options"] == "DENY"
    assert "Strict-Transport-Security" not in response.headers


def test_layer_stands_back_where_the_bundle_has_set_a_header(client):
    assert "style-src" not in client.get("/item").headers["Content-Security-Policy"]
    assert "style-src 'self'" in client.get("/").headers["Content-Security-Policy"]
    assert client.get("/").headers["Permissions-Policy"] == client.get("/item").headers["Permissions-Policy"]


def test_no_cookie_is_set(client):
    assert "Set-Cookie" not in client.get("/").headers


class TestLogPage:
    def test_this_machine_alone(self, client, records):
        assert client.get("/_logs/").status_code == 200
        assert client.get("/_logs/", environ_overrides={"REMOTE_ADDR": "192.0.2.1"}).status_code in {403, 404}
        assert records() == []

    def test_none_without_a_file(self, make_app):
        assert make_app(log_file="").test_client().get("/_logs/").status_code == 404


class TestHosts:
    @pytest.mark.parametrize("host", ["localhost", "localhost:5001", "127.0.0.1:80", "[::1]:5001"])
    def test_own(self, client, host):
        assert client.get("/item", headers={"Host": host}).status_code == 200

    @pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "a, b"])
    def test_others_are_refused_with_all_headers_and_a_line(self, client, records, host):
        response = client.get("/item", headers={"Host": host})
        assert response.status_code == 400
        assert {"X-Request-ID", "Content-Security-Policy", "X-Content-Type-Options"} <= set(response.headers.keys())
        assert [(record["status"], record["refused_by"]) for record in records()] == [(400, "TrustedHosts")]

    def test_setting(self, make_app):
        client = make_app(trusted_hosts="*.shop.example").test_client()
        statuses = [client.get("/", base_url=f"https://{host}").status_code for host in ("a.shop.example", "localhost")]
        assert statuses == [200, 400]


class TestHttps:
    def test_redirect(self, make_app):
        client = make_app(trusted_hosts="shop.example").test_client()
        response = client.get("/item?limit=2", headers={"Host": "shop.example"})
        assert (response.status_code, response.location) == (301, "https://shop.example/item?limit=2")
        assert client.get("/item", base_url="https://shop.example").status_code == 200
        assert client.get("/livez", base_url="http://shop.example").status_code == 200
        assert client.get("/item", headers={"Host": "evil.example"}).status_code == 400

    @pytest.mark.parametrize(
        ("settings", "host", "status"),
        [
            pytest.param({}, "localhost:5001", 200, id="this machine"),
            pytest.param({}, "demo.example", 301, id="a public name"),
            pytest.param({"trusted_hosts": "shop.example"}, "shop.example", 301, id="one of the settings"),
            pytest.param({"https_redirect": False}, "demo.example", 200, id="off"),
        ],
    )
    def test_by_default_for_all_but_this_machine(self, make_app, settings, host, status):
        assert make_app(**settings).test_client().get("/item", headers={"Host": host}).status_code == status

    @pytest.mark.parametrize(("host", "sent"), [("demo.example", True), ("localhost", False)])
    def test_transport_security_for_all_but_this_machine(self, client, host, sent):
        response = client.get("/item", base_url=f"https://{host}")
        assert ("Strict-Transport-Security" in response.headers) is sent

    def test_cookie_of_a_view_is_completed(self, make_app):
        app = make_app()

        @app.get("/cookie")
        def cookie():
            return "", {"Set-Cookie": "a=b"}

        assert app.test_client().get("/cookie").headers["Set-Cookie"] == "a=b; HttpOnly; SameSite=Lax"
        (value,) = app.test_client().get("/cookie", base_url="https://localhost").headers.getlist("Set-Cookie")
        assert value == "a=b; Secure; HttpOnly; SameSite=Lax"


class TestCors:
    def test_named_origin(self, client):
        response = client.get("/item", headers={"Origin": BROWSER})
        assert response.headers["Access-Control-Allow-Origin"] == BROWSER
        assert "Access-Control-Allow-Credentials" not in response.headers

    @pytest.mark.parametrize("path", ["/item/999", "/items/range/8/9", "/item?limit=x"])
    def test_errors_too(self, client, path):
        response = client.get(path, headers={"Origin": BROWSER})
        assert response.status_code >= 400
        assert response.headers["Access-Control-Allow-Origin"] == BROWSER

    def test_preflight(self, client):
        response = client.options("/item/1", headers={"Origin": BROWSER, "Access-Control-Request-Method": "PUT"})
        assert response.status_code == 200
        assert "PUT" in response.headers["Access-Control-Allow-Methods"]

    @pytest.mark.parametrize("origin", ["https://evil.example", f"{BROWSER}.evil.example", f"{BROWSER}0", "null"])
    def test_other_origins(self, client, origin):
        response = client.get("/item", headers={"Origin": origin})
        assert response.headers.get("Access-Control-Allow-Origin") != origin
        assert response.headers.get("Access-Control-Allow-Origin") != "*"

    @pytest.mark.parametrize("path", ["/", "/itemsx", "/nothing"])
    def test_other_paths(self, client, path):
        assert "Access-Control-Allow-Origin" not in client.get(path, headers={"Origin": BROWSER}).headers

    def test_turned_off(self, make_app):
        client = make_app(cors_origins=[]).test_client()
        assert "Access-Control-Allow-Origin" not in client.get("/item", headers={"Origin": BROWSER}).headers

    def test_any_origin(self, make_app):
        headers = make_app(cors_origins="*").test_client().get("/item", headers={"Origin": "https://a.example"}).headers
        assert headers["Access-Control-Allow-Origin"] in {"*", "https://a.example"}
        assert headers["Access-Control-Allow-Origin"] == "*" or "Origin" in headers["Vary"]


class TestLog:
    def test_record(self, client, records):
        client.get("/item/2", headers={"User-Agent": "tests"})
        (record,) = records()
        expected = {
            "method": "GET",
            "path": "/item/2",
            "route": "/item/<int:item_id>",
            "endpoint": "items.get_item",
            "status": 200,
            "client": "127.0.0.1",
            "user_agent": "tests",
            "outcome": "complete",
            "level": "info",
            "db_queries": 1,
        }
        assert expected.items() <= record.items()
        assert record["timings"]["db"]["count"] == 1

    def test_id_is_the_one_on_the_response(self, client, records):
        response = client.get("/item/999", headers={"X-Request-ID": "mine-7"})
        assert response.headers["X-Request-ID"] == "mine-7"
        assert [(record["request_id"], record["level"]) for record in records()] == [("mine-7", "warning")]

    def test_trace_of_the_caller(self, client, records):
        trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
        client.get("/item", headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"})
        client.get("/item")
        first, second = [record["trace_id"] for record in records()]
        assert first == trace_id != second

    def test_untrusted_forwarding(self, client, records):
        client.get("/item", headers={"X-Forwarded-For": "6.6.6.6"})
        assert [record["client"] for record in records()] == ["127.0.0.1"]

    def test_trusted_forwarding(self, make_app, records):
        client = make_app(trusted_proxies="127.0.0.1, 10.0.0.0/8").test_client()
        client.get("/item", headers={"X-Forwarded-For": "6.6.6.6, 192.0.2.1, 10.0.0.9"})
        assert [(record["client"], record["peer"]) for record in records()] == [("192.0.2.1", "127.0.0.1")]

    def test_https_behind_a_trusted_proxy(self, make_app, records):
        client = make_app(trusted_proxies="127.0.0.1", trusted_hosts="demo.example").test_client()
        headers = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https", "Host": "demo.example"}
        for path in ("/", "/item"):
            assert "Strict-Transport-Security" in client.get(path, headers=headers).headers
        assert [record["scheme"] for record in records()] == ["https", "https"]

    def test_broken_database(self, make_app, tmp_path, records):
        app = make_app()
        with app.app_context():
            db.drop_all()
        response = app.test_client().get("/item")
        assert (response.status_code, response.content_type) == (500, "application/problem+json")
        assert "item" not in response.json["message"]
        (record,) = records()
        assert (record["level"], record["error_type"]) == ("error", "sqlalchemy.exc.OperationalError")
        assert response.headers["X-Request-ID"] == record["request_id"]
        assert record["request_id"] in (tmp_path / "requests.log").read_text().splitlines()[0]

    def test_lines_of_the_app_are_in_it_too(self, make_app, tmp_path):
        make_app()
        logging.getLogger("shop").warning("low on %s", "teapots")
        assert '"event":"low on teapots"' in (tmp_path / "requests.log").read_text()

    def test_without_a_file_on_standard_output(self, make_app, capsys):
        make_app(log_file="").test_client().get("/item/3")
        assert '"path":"/item/3"' in capsys.readouterr().out


def test_long_list_is_compressed(client):
    for number in range(20):
        client.post("/item", json={"name": f"item {number}", "value": number})
    response = client.get("/item", headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in response.headers["Vary"]


def test_failing_commit_is_no_lost_write(make_app, database_url, records):
    app = make_app(database_url=database_url)
    with app.app_context():
        engine = db.engine

    def fail(_):
        raise RuntimeError("the disk is full")

    event.listen(engine, "commit", fail)
    client = app.test_client()
    response = client.post("/item", json={"name": "a", "value": 1})
    event.remove(engine, "commit", fail)
    assert (response.status_code, response.content_type) == (500, "application/problem+json")
    assert len(client.get("/item").json["items"]) == 3
    assert records()[0]["error_message"] == "the disk is full"


def test_body_limit(make_app):
    client = make_app(max_body_bytes=30).test_client()
    assert client.post("/item", json={"name": "a", "value": 1}).status_code == 201
    response = client.post("/item", json={"name": "a" * 30, "value": 1})
    assert (response.status_code, response.json["message"]) == (413, "The body is larger than 30 bytes")


def test_a_host_that_is_no_name_gets_the_home_page(make_app):
    # The test client itself cannot send it.
    assert call(make_app(trusted_hosts="*", https_redirect=False), PATH_INFO="/", HTTP_HOST="xn--a").status == "200 OK"
