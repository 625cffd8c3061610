import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.apps import ok
from support.wsgi import call

from overcoat.middleware import RequestLog, Sensitive
from overcoat.middleware.sensitive import REDACTED

NAMES = {
    "the name": ("ssn", True),
    "in capitals": ("SSN", True),
    "in brackets": ("customer[ssn]", True),
    "between separators": ("customer-ssn.hash", True),
    "camelCase": ("customerSsn", True),
    "within another word": ("lessn", False),
    "two words": ("invoice_no", True),
    "two words in camelCase": ("lastInvoiceNo", True),
    "two words run together": ("invoiceno", True),
    "two words apart": ("invoice_is_no", False),
    "the first of two words": ("invoice", False),
    "another alphabet": ("паспорт", True),
    "another alphabet in a key": ("user[паспорт]", True),
    "what is built in": ("api_key", True),
    "harmless": ("page", False),
    "empty": ("", False),
    "no word": ("--", False),
}


@pytest.mark.parametrize(("name", "expected"), NAMES.values(), ids=NAMES)
def test_names_of_the_user_s(name, expected):
    assert Sensitive("SSN", "invoice no", "паспорт").is_sensitive(name) is expected


@pytest.mark.parametrize("name", ["authCode", "userPin", "X-ApiKey", "cardCVC2"])
def test_a_built_in_word_in_camel_case(name):
    assert Sensitive().is_sensitive(name)


def test_one_registry_does_not_know_another_s_names():
    assert Sensitive("ssn").redact_query("ssn=1&token=2") == f"ssn={REDACTED}&token={REDACTED}"
    assert Sensitive().redact_query("ssn=1&token=2") == f"ssn=1&token={REDACTED}"


def test_the_request_log_takes_names_and_registries():
    for sensitive in (["ssn"], Sensitive("ssn"), iter(["ssn"])):
        records = []
        call(RequestLog(ok, to=records.append, sensitive=sensitive), QUERY_STRING="ssn=078&x[token]=1&page=2")
        assert records[0]["query"] == f"ssn={REDACTED}&x[token]={REDACTED}&page=2"


VALUES = {
    "no URL": ("text/html; charset=utf-8", "text/html; charset=utf-8"),
    "a pair that is no query": ("session=1; path=/", "session=1; path=/"),
    "a query": ("/cart?token=x&a=1", f"/cart?token={REDACTED}&a=1"),
    "a fragment": ("/cb#access_token=x", f"/cb#access_token={REDACTED}"),
    "query and fragment": ("/cb?a=1#id_token=x", f"/cb?a=1#id_token={REDACTED}"),
    "a password": ("https://me:pw@a.example/", f"https://{REDACTED}@a.example/"),
    "a user without one": ("https://me@a.example/", "https://me@a.example/"),
    "a link": ("</x?sig=1>; rel=next", f"</x?sig={REDACTED}; rel=next"),
    "a URL in a query": ("/in?next=https://a.example/?code=1", f"/in?next=https://a.example/?code={REDACTED}"),
}


@pytest.mark.parametrize(("value", "shown"), VALUES.values(), ids=VALUES)
def test_redact_value(value, shown):
    assert Sensitive().redact_value(value) == shown


@pytest.mark.parametrize("unit", ["?", "#", "://", "://a:", "?a=", "%3d?", "?token", "@", "&;"])
def test_hostile_values_cost_linear_time(unit):
    Sensitive("ssn").redact_value(unit * (65536 // len(unit)) + "@")


@given(st.text())
def test_nothing_raises_and_nothing_is_redacted_twice(text):
    registry = Sensitive("ssn")
    shown = registry.redact_value(text)
    assert registry.redact_value(shown) == shown
    assert isinstance(registry.is_sensitive(text), bool)


def test_its_memory_is_bounded():
    registry = Sensitive("ssn")
    for number in range(5000):
        registry.redact_query(f"name{number}=1")
    assert registry._is_encoded_secret.cache_info().currsize <= 1024


def test_threads_share_one():
    registry, wrong = Sensitive("ssn"), []

    def ask():
        keys = [f"k{number}" for number in range(500)]
        wrong.extend(key for key in keys if registry.redact_query(f"{key}=1&ssn=2") != f"{key}=1&ssn={REDACTED}")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("name", ["", "--", None, 7, b"ssn"], ids=repr)
def test_wrong_names(name):
    with pytest.raises(ValueError, match=r"Sensitive: .* is no name"):
        Sensitive("ssn", name)


def test_it_shows_its_names():
    assert repr(Sensitive("ssn", "x")) == "Sensitive('ssn', 'x')"
