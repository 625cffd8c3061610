import pytest

from overcoat.middleware._policy import content_security_policy

GOOD = {
    "lists": ({"default-src": ["'self'"], "img-src": ["'self'", "data:"]}, "default-src 'self'; img-src 'self' data:"),
    "text": ({"script-src": "'self'  https://cdn.example"}, "script-src 'self' https://cdn.example"),
    "no sources": ({"upgrade-insecure-requests": []}, "upgrade-insecure-requests"),
    "sandbox": ({"sandbox": ["allow-scripts"]}, "sandbox allow-scripts"),
    "hash": ({"script-src": ["'sha256-abc+/='"]}, "script-src 'sha256-abc+/='"),
    "nonce": ({"script-src": ["'nonce-abc'"]}, "script-src 'nonce-abc'"),
    "keyword in capitals": ({"script-src": ["'Self'"]}, "script-src 'Self'"),
    "hosts and schemes": ({"connect-src": ["wss:", "*.a.example:8443"]}, "connect-src wss: *.a.example:8443"),
    "trusted types": (
        {"require-trusted-types-for": ["'script'"], "trusted-types": ["a", "'allow-duplicates'"]},
        "require-trusted-types-for 'script'; trusted-types a 'allow-duplicates'",
    ),
    "webrtc": ({"webrtc": ["'block'"]}, "webrtc 'block'"),
    "a generator": ({"img-src": (source for source in ["data:"])}, "img-src data:"),
}


@pytest.mark.parametrize(("policy", "value"), GOOD.values(), ids=GOOD)
def test_good_policies(policy, value):
    assert content_security_policy(policy) == value


BAD = {
    "text": ("default-src 'self'", "must be a mapping"),
    "nothing": ({}, "or None for no policy"),
    "misspelt directive": ({"default-scr": []}, "unknown directive 'default-scr'; did you mean 'default-src'"),
    "directive in capitals": ({"Default-Src": []}, "unknown directive 'Default-Src'"),
    "directive of a wrong type": ({1: []}, "unknown directive 1"),
    "sources missing": ({"img-src": None}, "img-src=None must be a list"),
    "a flag": ({"upgrade-insecure-requests": True}, "upgrade-insecure-requests=True must be a list"),
    "self without quotes": ({"img-src": ["self"]}, r"""img-src='self' needs its quotes: write "'self'""" + '"'),
    "none without quotes": ({"img-src": "none"}, "needs its quotes"),
    "keyword in capitals without quotes": ({"img-src": ["SELF"]}, "needs its quotes"),
    "hash without quotes": ({"script-src": ["sha256-abc="]}, "needs its quotes"),
    "nonce without quotes": ({"script-src": ["nonce-abc"]}, "needs its quotes"),
    "misspelt keyword": ({"img-src": ["'sefl'"]}, "is no keyword in quotes; did you mean 'self'"),
    "half a quote": ({"img-src": ["'self"]}, "is no keyword in quotes; did you mean 'self'"),
    "two quotes": ({"img-src": ["''self''"]}, "is no keyword in quotes"),
    "none beside another": ({"img-src": ["'none'", "data:"]}, "'none' stands alone"),
    "NONE beside another": ({"img-src": ["'NONE'", "data:"]}, "'none' stands alone"),
    "semicolon": ({"img-src": ["a.example; script-src *"]}, "would end the source"),
    "semicolon in text": ({"img-src": "a.example; script-src *"}, "would end the source"),
    "comma": ({"img-src": ["a.example,b.example"]}, "would end the source"),
    "CVE-2020-7695 line feed": ({"img-src": ["a\r\nX:y"]}, "printable ASCII"),
    "non-ASCII": ({"img-src": ["grün.example"]}, "printable ASCII"),
    "bytes": ({"img-src": b"self"}, "printable ASCII"),
    "a number": ({"img-src": [1]}, "printable ASCII"),
    "an empty source": ({"img-src": [""]}, "printable ASCII"),
}


@pytest.mark.parametrize(("policy", "message"), BAD.values(), ids=BAD)
def test_slips_are_refused(policy, message):
    with pytest.raises(ValueError, match=message):
        content_security_policy(policy)
