"""The route table, each error of it, on each database."""

import re
import threading
from collections import Counter
from typing import Any

import pytest

from overcoat.demo import create_app
from overcoat.demo.database import disconnect

SEEDED = [
    {"id": 1, "name": "teapot", "value": 24.5},
    {"id": 2, "name": "lantern", "value": 18.0},
    {"id": 3, "name": "compass", "value": 42.25},
]
KETTLE = {"name": "kettle", "value": 30}
LARGEST_CHOSEN = 2**52

NO_NAME = "Name cannot be blank!"
NO_VALUE = "Value cannot be blank!"
NAME = "Name must be a string of 1 to 80 characters."
VALUE = "Value must be a finite number."
LIMIT = "Limit must be a whole number from 1 to 1000."
AFTER = "After must be the id of an item, or 0."


@pytest.fixture
def client(make_app, database_url):
    return make_app(database_url=database_url).test_client()


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def unchanged(request, empty_database):
    """A client of an app whose items no test changes."""
    app = create_app(database_url=empty_database(request.param, "unchanged"))
    yield app.test_client()
    assert app.test_client().get("/item").json["items"] == SEEDED
    disconnect(app)


def ids(client) -> list[int]:
    return [item["id"] for item in client.get("/item").json["items"]]


class TestRoutes:
    def test_list(self, client):
        response = client.get("/item")
        assert (response.status_code, response.json) == (200, {"items": SEEDED})

    def test_list_of_none(self, client):
        for item in SEEDED:
            client.delete(f"/item/{item['id']}")
        response = client.get("/item")
        assert (response.status_code, response.json) == (200, {"items": []})

    def test_create(self, client):
        response = client.post("/item", json=KETTLE)
        assert (response.status_code, response.json) == (201, {"id": 4, "name": "kettle", "value": 30.0})
        assert client.get(response.headers["Location"]).json == response.json

    def test_get(self, client):
        response = client.get("/item/2")
        assert (response.status_code, response.json) == (200, SEEDED[1])

    def test_head(self, client):
        response = client.head("/item/2")
        assert (response.status_code, response.data) == (200, b"")

    def test_replace(self, client):
        response = client.put("/item/2", json=KETTLE)
        assert (response.status_code, response.json) == (200, {"id": 2, "name": "kettle", "value": 30.0})
        assert client.get("/item").json["items"] == [SEEDED[0], response.json, SEEDED[2]]

    def test_replace_by_the_same(self, client):
        assert client.put("/item/2", json=SEEDED[1]).json == SEEDED[1]
        assert client.get("/item").json["items"] == SEEDED

    def test_create_under_an_id(self, client):
        response = client.put("/item/70", json=KETTLE)
        assert (response.status_code, response.json) == (200, {"id": 70, "name": "kettle", "value": 30.0})
        assert client.get("/item/70").json == response.json

    def test_delete(self, client):
        response = client.delete("/item/2")
        assert (response.status_code, response.json) == (200, {"message": "Item deleted"})
        assert ids(client) == [1, 3]

    @pytest.mark.parametrize(
        ("start", "end", "found"),
        [
            pytest.param(1, 3, [1, 2, 3], id="all"),
            pytest.param(2, 2, [2], id="one"),
            pytest.param(0, 2, [1, 2], id="from nought"),
            pytest.param(3, 10**20, [3], id="end beyond 64 bits"),
        ],
    )
    def test_range(self, client, start, end, found):
        response = client.get(f"/items/range/{start}/{end}")
        assert (response.status_code, [item["id"] for item in response.json["items"]]) == (200, found)

    def test_pages(self, client):
        first = client.get("/item?limit=2")
        assert first.json == {"items": SEEDED[:2]}
        assert first.headers["Link"] == '</item?limit=2&after=2>; rel="next"'
        second = client.get("/item?limit=2&after=2")
        assert second.json == {"items": SEEDED[2:]}
        assert "Link" not in second.headers

    def test_page_that_ends_with_the_list(self, client):
        assert "Link" not in client.get("/item?limit=3").headers

    @pytest.mark.parametrize("path", ["/item", "/item/1"])
    def test_options(self, client, path):
        response = client.options(path)
        assert response.status_code == 200
        assert "GET" in response.headers["Allow"]


class TestErrors:
    @pytest.mark.parametrize(
        ("method", "path", "message"),
        [
            pytest.param("GET", "/item/999", "Item not found", id="no such item"),
            pytest.param("GET", "/item/0", "Item not found", id="nought"),
            pytest.param("GET", f"/item/{2**63 - 1}", "Item not found", id="largest id"),
            pytest.param("GET", f"/item/{2**63}", "Item not found", id="beyond 64 bits"),
            pytest.param("GET", f"/item/{10**20}", "Item not found", id="far beyond 64 bits"),
            pytest.param("DELETE", "/item/999", "Item not found", id="delete none"),
            pytest.param("DELETE", f"/item/{10**20}", "Item not found", id="delete beyond 64 bits"),
            pytest.param("GET", "/items/range/50/60", "No items found in this range", id="empty range"),
            pytest.param("GET", "/items/range/3/1", "No items found in this range", id="range reversed"),
            pytest.param("GET", f"/items/range/{10**20}/{10**21}", "No items found in this range", id="range far out"),
        ],
    )
    def test_not_found(self, unchanged, method, path, message):
        response = unchanged.open(path, method=method)
        assert response.status_code == 404
        assert response.content_type == "application/problem+json"
        assert response.json == {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": message,
            "message": message,
            "request_id": response.headers["X-Request-ID"],
            "trace_id": response.json["trace_id"],
        }

    @pytest.mark.parametrize("method_and_path", [("POST", "/item"), ("PUT", "/item/1"), ("PUT", "/item/70")], ids=str)
    @pytest.mark.parametrize(
        ("body", "message"),
        [
            pytest.param({}, {"name": NO_NAME, "value": NO_VALUE}, id="nothing"),
            pytest.param({"name": "a"}, {"value": NO_VALUE}, id="no value"),
            pytest.param({"value": 1}, {"name": NO_NAME}, id="no name"),
            pytest.param({"name": None, "value": 1}, {"name": NO_NAME}, id="null"),
            pytest.param({"name": "", "value": ""}, {"name": NO_NAME, "value": NO_VALUE}, id="empty"),
            pytest.param({"name": " \t", "value": 1}, {"name": NO_NAME}, id="white space"),
            pytest.param({"name": "x" * 81, "value": 1}, {"name": NAME}, id="81 characters"),
            pytest.param({"name": 7, "value": 1}, {"name": NAME}, id="name is a number"),
            pytest.param({"name": ["a"], "value": 1}, {"name": NAME}, id="name is a list"),
            pytest.param(
                {"name": "a\0b", "value": 1}, {"name": "Name has a character that cannot be stored."}, id="NUL"
            ),
            pytest.param({"name": "a", "value": True}, {"value": VALUE}, id="boolean"),
            pytest.param({"name": "a", "value": "many"}, {"value": VALUE}, id="word"),
            pytest.param({"name": "a", "value": "nan"}, {"value": VALUE}, id="nan as text"),
            pytest.param({"name": "a", "value": "-inf"}, {"value": VALUE}, id="inf as text"),
            pytest.param({"name": "a", "value": "1e999"}, {"value": VALUE}, id="overflow as text"),
            pytest.param({"name": "a", "value": "1_000"}, {"value": VALUE}, id="as Python writes it"),
            pytest.param({"name": "a", "value": "\u0663"}, {"value": VALUE}, id="a digit of another script"),
            pytest.param({"name": "a", "value": "0x10"}, {"value": VALUE}, id="hexadecimal"),
            pytest.param({"name": "a", "value": "1" * 60_000 + "x"}, {"value": VALUE}, id="long and wrong"),
            pytest.param({"name": "a", "value": {}}, {"value": VALUE}, id="value is an object"),
            pytest.param({"name": 1, "value": [1]}, {"name": NAME, "value": VALUE}, id="both wrong"),
        ],
    )
    def test_fields(self, unchanged, method_and_path, body, message):
        method, path = method_and_path
        response = unchanged.open(path, method=method, json=body)
        assert (response.status_code, response.content_type) == (400, "application/problem+json")
        assert response.json["message"] == message
        assert response.json["detail"] == " ".join(message.values())
        assert unchanged.get("/item").json["items"] == SEEDED

    @pytest.mark.parametrize(
        ("body", "media_type", "status", "word"),
        [
            pytest.param(b"", "application/json", 400, "not valid JSON", id="empty"),
            pytest.param(b'{"name": ', "application/json", 400, "not valid JSON", id="cut short"),
            pytest.param(b'{"name": "a", "value": NaN}', "application/json", 400, "not valid JSON", id="NaN"),
            pytest.param(b'{"name": "a", "value": 1e400}', "application/json", 400, "not valid JSON", id="overflow"),
            pytest.param(b'{"name": "a", "name": "b", "value": 1}', "application/json", 400, "twice", id="twice"),
            pytest.param(b'{"name": "\\ud800", "value": 1}', "application/json", 400, "not valid JSON", id="surrogate"),
            pytest.param(b'{"name": "\xff", "value": 1}', "application/json", 400, "not valid JSON", id="not UTF-8"),
            pytest.param(b"[" * 50_000, "application/json", 400, "not valid JSON", id="50000 levels"),
            pytest.param(b"[" * 2000 + b"]" * 2000, "application/json", 400, "not valid JSON", id="2000 levels"),
            # Too deep for Python 3.11, no object for later ones.
            pytest.param(b"[" * 1000 + b"]" * 1000, "application/json", 400, "deeply|object", id="1000 levels"),
            pytest.param(b"[]", "application/json", 400, "JSON object", id="list"),
            pytest.param(b"null", "application/json", 400, "JSON object", id="null"),
            pytest.param(b'"name"', "application/json", 400, "JSON object", id="string"),
            pytest.param(b"name=a&value=1", "application/x-www-form-urlencoded", 415, "application/json", id="form"),
            pytest.param(b'{"name": "a", "value": 1}', "text/plain", 415, "application/json", id="text"),
            pytest.param(b'{"name": "a", "value": 1}', None, 415, "application/json", id="no media type"),
            pytest.param(b" " * 70_000, "application/json", 413, "larger", id="too large"),
        ],
    )
    @pytest.mark.parametrize("method_and_path", [("POST", "/item"), ("PUT", "/item/1")], ids=str)
    def test_body(self, unchanged, method_and_path, body, media_type, status, word):
        method, path = method_and_path
        response = unchanged.open(path, method=method, data=body, content_type=media_type)
        assert (response.status_code, response.content_type) == (status, "application/problem+json")
        assert re.search(word, response.json["message"])
        assert unchanged.get("/item").json["items"] == SEEDED

    @pytest.mark.parametrize("item_id", [0, LARGEST_CHOSEN + 1, 2**63 - 1, 2**63, 10**20])
    def test_id_that_nobody_may_choose(self, unchanged, item_id):
        response = unchanged.put(f"/item/{item_id}", json=KETTLE)
        assert (response.status_code, response.json["message"]) == (
            400,
            f"Item id must be from 1 to {LARGEST_CHOSEN}",
        )

    @pytest.mark.parametrize(
        ("query", "message"),
        [
            pytest.param("limit=0", {"limit": LIMIT}, id="none"),
            pytest.param("limit=1001", {"limit": LIMIT}, id="too many"),
            pytest.param("limit=ten", {"limit": LIMIT}, id="a word"),
            pytest.param("limit=", {"limit": LIMIT}, id="empty"),
            pytest.param("limit=" + "9" * 5000, {"limit": LIMIT}, id="5000 digits"),
            pytest.param("limit=%D9%A3", {"limit": LIMIT}, id="a digit of another script"),
            pytest.param("limit=1_0", {"limit": LIMIT}, id="as Python writes it"),
            pytest.param("after=%2B1", {"after": AFTER}, id="with a sign"),
            pytest.param("after=-1", {"after": AFTER}, id="below nought"),
            pytest.param(f"limit=2&after={2**63}", {"after": AFTER}, id="beyond 64 bits"),
            pytest.param("limit=x&after=y", {"limit": LIMIT, "after": AFTER}, id="both"),
        ],
    )
    def test_page(self, unchanged, query, message):
        response = unchanged.get(f"/item?{query}")
        assert (response.status_code, response.json["message"]) == (400, message)

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("PATCH", "/item/1", {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}),
            ("DELETE", "/item", {"GET", "HEAD", "OPTIONS", "POST"}),
            ("POST", "/items/range/1/2", {"GET", "HEAD", "OPTIONS"}),
            ("BREW", "/item/1", {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}),
        ],
    )
    def test_method(self, unchanged, method, path, allowed):
        response = unchanged.open(path, method=method)
        assert (response.status_code, response.content_type) == (405, "application/problem+json")
        assert response.json["message"]
        assert {name.strip() for name in response.headers["Allow"].split(",")} == allowed

    @pytest.mark.parametrize("path", ["/nothing", "/item/", "/item/-1", "/item/x", "/item/1.5", "/item/" + "9" * 5000])
    def test_path(self, unchanged, path):
        response = unchanged.get(path)
        assert (response.status_code, response.content_type) == (404, "application/problem+json")
        assert response.json["message"]


class TestValues:
    @pytest.mark.parametrize(
        ("sent", "stored"),
        [
            (0, 0.0),
            (-7, -7.0),
            ("12.5", 12.5),
            ("1e3", 1000.0),
            (" -.5 ", -0.5),
            ("+7.", 7.0),
            (0.1, 0.1),
            (1.7976931348623157e308, 1.7976931348623157e308),
            (1.2345678901234567, 1.2345678901234567),
            (2**53 + 1, float(2**53)),
        ],
    )
    def test_value_is_a_double(self, client, sent, stored):
        created = client.post("/item", json={"name": "a", "value": sent})
        assert (created.status_code, created.json["value"]) == (201, stored)
        assert client.get(f"/item/{created.json['id']}").json["value"] == stored

    @pytest.mark.parametrize(
        "name", ["x" * 80, "😀" * 80, "Ünïcödé 東京 \u202e", "'; DROP TABLE item; --", "<script>", "a\nb\t\x1b[31m"]
    )
    def test_name_comes_back(self, client, name):
        created = client.post("/item", json={"name": name, "value": 1})
        assert (created.status_code, created.json["name"]) == (201, name)
        assert client.get(f"/item/{created.json['id']}").json["name"] == name

    def test_other_fields_are_ignored(self, client):
        assert client.put("/item/2", json={"id": 9, "colour": "red", **KETTLE}).json["id"] == 2
        assert ids(client) == [1, 2, 3]


class TestIds:
    def test_post_after_put_of_the_next_ids(self, client):
        for item_id in range(4, 10):
            client.put(f"/item/{item_id}", json=KETTLE)
        created = [client.post("/item", json=KETTLE) for _ in range(3)]
        assert [response.status_code for response in created] == [201, 201, 201]
        assert len(set(ids(client))) == 3 + 6 + 3

    def test_post_after_put_with_a_gap(self, client):
        client.put("/item/5", json=KETTLE)
        created = [client.post("/item", json=KETTLE) for _ in range(4)]
        assert [response.status_code for response in created] == [201] * 4
        assert len(ids(client)) == 3 + 1 + 4

    def test_post_after_put_of_the_largest_id(self, client):
        assert client.put(f"/item/{LARGEST_CHOSEN}", json=KETTLE).status_code == 200
        created = [client.post("/item", json=KETTLE) for _ in range(2)]
        assert [response.status_code for response in created] == [201, 201]
        for response in created:
            path = f"/item/{response.json['id']}"
            assert client.get(path).json == response.json
            assert client.put(path, json=KETTLE).status_code == 200
            assert client.delete(path).status_code == 200

    def test_id_of_a_deleted_item_is_not_given_again(self, client):
        item_id = client.post("/item", json=KETTLE).json["id"]
        client.delete(f"/item/{item_id}")
        assert client.post("/item", json=KETTLE).json["id"] > item_id


def in_threads(count: int, work) -> None:
    errors: list[BaseException] = []
    start = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            start.wait(30)
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


class TestConcurrency:
    """Sixteen writers at once: what was answered is what stands in the database."""

    def test_each_with_its_own_items(self, make_app, database_url):
        app = make_app(database_url=database_url)
        statuses: Counter[tuple[str, int]] = Counter()
        expected: dict[int, Any] = {item["id"]: item for item in SEEDED}

        def work(number: int) -> None:
            client = app.test_client()

            def send(method: str, path: str, value: int) -> Any:
                response = client.open(path, method=method, json={"name": f"thread {number}", "value": value})
                statuses[method, response.status_code] += 1
                return response.json

            for turn in range(6):
                first, second = send("POST", "/item", turn), send("POST", "/item", turn)
                expected[first["id"]] = send("PUT", f"/item/{first['id']}", turn + 100)
                send("DELETE", f"/item/{second['id']}", 0)

        in_threads(16, work)
        assert statuses == {("POST", 201): 192, ("PUT", 200): 96, ("DELETE", 200): 96}
        found = app.test_client().get("/item").json["items"]
        assert found == [item for _, item in sorted(expected.items())]

    def test_chosen_ids_among_given_ones(self, make_app, database_url):
        app = make_app(database_url=database_url)
        statuses: Counter[tuple[str, int]] = Counter()
        given: list[int] = []
        chosen: list[int] = []

        def work(number: int) -> None:
            client = app.test_client()
            for turn in range(8):
                post = client.post("/item", json=KETTLE)
                put = client.put(f"/item/{10 + number + turn * 16}", json=KETTLE)
                statuses.update([("POST", post.status_code), ("PUT", put.status_code)])
                given.append(post.json["id"])
                chosen.append(put.json["id"])

        in_threads(16, work)
        assert statuses == {("POST", 201): 128, ("PUT", 200): 128}
        assert len(set(given)) == 128
        assert ids(app.test_client()) == sorted({1, 2, 3, *given, *chosen})

    def test_one_id_for_all(self, make_app, database_url):
        app = make_app(database_url=database_url)
        statuses: Counter[int] = Counter()

        def work(number: int) -> None:
            client = app.test_client()
            for method in ["PUT", "PUT", "DELETE"] * 4:
                response = client.open("/item/500", method=method, json={"name": f"{number}", "value": number})
                statuses[response.status_code] += 1

        in_threads(16, work)
        assert set(statuses) <= {200, 404, 409}
        assert statuses[200] > 16
        assert ids(app.test_client())[:3] == [1, 2, 3]
