import pytest

from overcoat.middleware._reporting import reporting_endpoints, split_report_to

GOOD = {
    "https": ({"csp": "https://r.example/csp?a=1"}, 'csp="https://r.example/csp?a=1"'),
    "two": ({"csp": "https://r.example/", "default": "/r"}, 'csp="https://r.example/", default="/r"'),
    "localhost": ({"csp": "http://localhost:5001/r"}, 'csp="http://localhost:5001/r"'),
    "this machine": ({"csp": "http://127.0.0.1:5001/r"}, 'csp="http://127.0.0.1:5001/r"'),
}


@pytest.mark.parametrize(("endpoints", "value"), GOOD.values(), ids=GOOD)
def test_good_endpoints(endpoints, value):
    assert reporting_endpoints(endpoints) == value


BAD = {
    "text": ('csp="/r"', "must be a mapping"),
    "nothing": ({}, "must be a mapping"),
    "capitals in a name": ({"CSP": "/r"}, "'CSP' is no name"),
    "a name of a wrong type": ({1: "/r"}, "1 is no name"),
    "http": ({"csp": "http://r.example/"}, "is ignored by browsers"),
    "another host": ({"csp": "//r.example/"}, "is ignored by browsers"),
    "no path": ({"csp": "r.example"}, "is ignored by browsers"),
    "script": ({"csp": "javascript:alert(1)"}, "is ignored by browsers"),
    "no host": ({"csp": "https:///csp"}, "is ignored by browsers"),
    "half an address": ({"csp": "https://[::1/"}, "is ignored by browsers"),
    "a quote": ({"csp": '/r", evil="https://e.example'}, "without quotes"),
    "a backslash": ({"csp": "/\\r"}, "without quotes"),
    "CVE-2020-7695 line feed": ({"csp": "/r\r\nX: y"}, "printable ASCII"),
    "none": ({"csp": None}, "printable ASCII"),
}


@pytest.mark.parametrize(("endpoints", "message"), BAD.values(), ids=BAD)
def test_slips_are_refused(endpoints, message):
    with pytest.raises(ValueError, match=message):
        reporting_endpoints(endpoints)


def test_a_policy_and_its_endpoint():
    assert split_report_to('require-corp; report-to="coep"') == ("require-corp", "coep")
    assert split_report_to("same-origin") == ("same-origin", None)
