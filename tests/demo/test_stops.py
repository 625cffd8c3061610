"""The stops of the tour: the file in which they stand, and one whose host the settings may not name."""

from typing import get_args, get_type_hints

import pytest

from overcoat.demo.stops import STOPS, Try


def test_the_redirect_of_a_public_host_of_the_settings(make_app):
    client = make_app(trusted_hosts="shop.example").test_client()
    told = client.post("/tour/send/HTTPSRedirect/0", base_url="https://shop.example").json
    assert told["status"] == 301
    assert ["Location", "https://shop.example/item/1"] in told["headers"]


ALL_TRIES = [pytest.param(one, id=f"{key}: {one.label}") for key, stop in STOPS.items() for one in stop.tries]


@pytest.mark.parametrize("one", ALL_TRIES)
def test_the_file_of_the_stops(one):
    """What the page and the server make of a sender, and no other word."""
    assert one.sender in get_args(get_type_hints(Try)["sender"])
    assert one.path.startswith("/")
    assert all(isinstance(names, list) for names in (one.sets, one.tells) if names), "a text would be marked by letters"
