import pytest
import structlog
from support.apps import ok
from support.record import check
from support.wsgi import call

from overcoat.middleware import RequestLog, add_fields
from overcoat.middleware.fields import STANDARD_FIELDS


def record_of(app):
    records = []
    call(RequestLog(app, to=records.append))
    return records[0]


def test_item_40_fields_end_in_the_one_line():
    def app(environ, start_response):
        add_fields(user_id=7, cart="empty")
        add_fields(cart={"items": 2})
        return ok(environ, start_response)

    record = record_of(app)
    check(record, "user_id", "cart")
    assert (record["user_id"], record["cart"]) == (7, {"items": 2})
    assert list(record)[-2:] == ["user_id", "cart"]


def test_fields_from_a_stream():
    def app(environ, start_response):
        start_response("200 OK", [])
        for rows in (1, 2):
            add_fields(rows=rows)
            yield b"row"

    assert record_of(app)["rows"] == 2


def test_outside_a_request_nothing_happens():
    add_fields(user_id=7)
    assert "user_id" not in record_of(ok)


def test_the_route_is_the_app_s_to_set():
    def app(environ, start_response):
        add_fields(route="/cart/<id>", items=1)
        return ok(environ, start_response)

    assert (record_of(app)["route"], record_of(app)["items"]) == ("/cart/<id>", 1)


@pytest.mark.parametrize("name", sorted({*STANDARD_FIELDS} - {"route"}))
def test_a_standard_name_is_refused(name):
    with pytest.raises(ValueError, match=f"add_fields: {name} is a standard field .* choose another name"):
        add_fields(**{name: 1})


def test_all_wrong_names_are_told_and_nothing_is_kept():
    def app(environ, start_response):
        with pytest.raises(ValueError, match="add_fields: path, status is a standard field"):
            add_fields(status=1, path="/x", own=1)
        return ok(environ, start_response)

    assert "own" not in record_of(app)


def test_item_37_nothing_leaks_to_the_next_request():
    records = []
    app = RequestLog(
        lambda e, s: (add_fields(first=True) if e["PATH_INFO"] == "/1" else None) or ok(e, s), to=records.append
    )
    call(app, PATH_INFO="/1")
    call(app, PATH_INFO="/2")
    assert [record.get("first") for record in records] == [True, None]


def test_structlog_is_not_configured_by_the_way():
    assert not structlog.is_configured()
