import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overcoat.middleware._csp import DIRECTIVES, compile_policy

SHA256 = f"'sha256-{'a' * 43}='"
SHA512 = f"'sha512-{'b' * 86}=='"


def policy_text(policy):
    return compile_policy("content_security_policy", policy).text


GOOD = {
    "lists": ({"default-src": ["'self'"], "img-src": ["'self'", "data:"]}, "default-src 'self'; img-src 'self' data:"),
    "text": ({"script-src": "'self'  https://cdn.example"}, "script-src 'self' https://cdn.example"),
    "upgrade": ({"upgrade-insecure-requests": []}, "upgrade-insecure-requests"),
    "sandbox": ({"sandbox": ["allow-scripts"]}, "sandbox allow-scripts"),
    "sandbox alone": ({"sandbox": []}, "sandbox"),
    "hash": ({"script-src": [SHA256]}, f"script-src {SHA256}"),
    "hash without padding": ({"style-src": [SHA512.replace("=", "")]}, f"style-src {SHA512.replace('=', '')}"),
    "hash and strict-dynamic": (
        {"script-src": [SHA256, "'strict-dynamic'"]},
        f"script-src {SHA256} 'strict-dynamic'",
    ),
    "keyword in capitals": ({"script-src": ["'Self'"]}, "script-src 'Self'"),
    "hosts and schemes": (
        {"connect-src": ["wss:", "*.a.example:8443", "*", "https://*", "http://b.example:*", "c.example/path/"]},
        "connect-src wss: *.a.example:8443 * https://* http://b.example:* c.example/path/",
    ),
    "localhost with a port": ({"connect-src": ["localhost:5001", "ws://127.0.0.1:*"]}, None),
    "trusted types": (
        {"require-trusted-types-for": ["'script'"], "trusted-types": ["a", "'allow-duplicates'"]},
        "require-trusted-types-for 'script'; trusted-types a 'allow-duplicates'",
    ),
    "no trusted types": ({"trusted-types": []}, "trusted-types"),
    "webrtc": ({"webrtc": ["'block'"]}, "webrtc 'block'"),
    "reports": ({"report-to": "csp", "report-uri": "/reports"}, "report-to csp; report-uri /reports"),
    "a generator": ({"img-src": (source for source in ["data:"])}, "img-src data:"),
    "ancestors": ({"frame-ancestors": ["'self'", "https://a.example"]}, "frame-ancestors 'self' https://a.example"),
}


@pytest.mark.parametrize(("policy", "value"), GOOD.values(), ids=GOOD)
def test_good_policies(policy, value):
    value = value or "; ".join(" ".join([name, *sources]) for name, sources in policy.items())
    assert policy_text(policy) == value


BAD = {
    "text": ("default-src 'self'", "must be a mapping"),
    "nothing": ({}, "or None for no policy"),
    "misspelt directive": ({"default-scr": []}, "unknown directive 'default-scr'; did you mean 'default-src'"),
    "directive in capitals": ({"Default-Src": []}, "unknown directive 'Default-Src'; did you mean 'default-src'"),
    "directive of a wrong type": ({1: []}, "unknown directive 1"),
    "obsolete directive": ({"plugin-types": []}, "'plugin-types' is obsolete; write \"object-src\""),
    "sources missing": ({"img-src": None}, "img-src=None must be a list"),
    "a flag": ({"upgrade-insecure-requests": True}, "upgrade-insecure-requests=True must be a list"),
    "no source": ({"img-src": []}, r"img-src=\[\] holds no source: write"),
    "value where there is none": ({"upgrade-insecure-requests": ["https:"]}, "takes no value"),
    "self without quotes": ({"img-src": ["self"]}, r"""img-src='self' needs its quotes: write "'self'""" + '"'),
    "none without quotes": ({"img-src": "none"}, "needs its quotes"),
    "keyword in capitals without quotes": ({"img-src": ["SELF"]}, "needs its quotes"),
    "hash without quotes": ({"script-src": ["sha256-abc="]}, "needs its quotes"),
    "nonce without quotes": ({"script-src": ["nonce"]}, "needs its quotes"),
    "a fixed nonce without quotes": ({"script-src": ["nonce-abc"]}, "needs its quotes"),
    "a fixed nonce": ({"script-src": ["'nonce-abc'"]}, "known to an attacker: write \"'nonce'\""),
    "nonce of an image": ({"img-src": ["'nonce'"]}, "has no effect there: write it in one of default-src, script-src"),
    "nonce of an attribute": ({"script-src-attr": ["'nonce'"]}, "has no effect there"),
    "nonce and unsafe-inline": ({"script-src": ["'nonce'", "'unsafe-inline'"]}, "where the nonce is not used"),
    "hash and unsafe-inline": ({"style-src": [SHA256, "'Unsafe-Inline'"]}, "is ignored beside a nonce or hash"),
    "strict-dynamic alone": ({"script-src": ["'strict-dynamic'", "https:"]}, "without a nonce or hash beside it"),
    "a cut hash": ({"script-src": ["'sha256-abc='"]}, "can match nothing: a sha256 has 43 letters"),
    "misspelt keyword": ({"img-src": ["'sefl'"]}, "is no keyword in quotes; did you mean 'self'"),
    "half a quote": ({"img-src": ["'self"]}, "is no keyword in quotes; did you mean 'self'"),
    "two quotes": ({"img-src": ["''self''"]}, "is no keyword in quotes"),
    "a keyword for ancestors": ({"frame-ancestors": ["'unsafe-inline'"]}, "is ignored there"),
    "none beside another": ({"img-src": ["'none'", "data:"]}, "'none' stands alone"),
    "NONE beside another": ({"img-src": ["'NONE'", "data:"]}, "'none' stands alone"),
    "twice": ({"img-src": ["data:", "'self'", "data:"]}, "holds 'data:' twice"),
    "twice in another spelling": ({"img-src": ["'SELF'", "'self'"]}, "holds \"'self'\" twice"),
    "semicolon": ({"img-src": ["a.example; script-src *"]}, "would end the source"),
    "semicolon in text": ({"img-src": "a.example; script-src *"}, "would end the source"),
    "comma": ({"img-src": ["a.example,b.example"]}, "would end the source"),
    "no colon": ({"img-src": ["data"]}, "needs its colon: write 'data:'"),
    "half a scheme": ({"img-src": ["https//a.example"]}, "is no source: write a scheme"),
    "a star in the middle": ({"img-src": ["cdn.*.example"]}, "is no source"),
    "a star in a label": ({"img-src": ["cdn*.example"]}, "is no source"),
    "a query": ({"img-src": ["a.example/?a=1"]}, "is no source"),
    "line feed": ({"img-src": ["a\r\nX:y"]}, "printable ASCII"),
    "non-ASCII": ({"img-src": ["grün.example"]}, "printable ASCII"),
    "bytes": ({"img-src": b"self"}, "printable ASCII"),
    "a number": ({"img-src": [1]}, "printable ASCII"),
    "a list in a list": ({"img-src": [["data:"]]}, "printable ASCII"),
    "an empty source": ({"img-src": [""]}, "printable ASCII"),
    "sandbox flag": ({"sandbox": ["allow-script"]}, "no sandbox flag; did you mean 'allow-scripts'"),
    "two endpoints": ({"report-to": ["a", "b"]}, "must hold exactly one"),
    "no endpoint": ({"report-to": []}, "must hold exactly one"),
    "an endpoint's URL": ({"report-to": ["https://a.example/"]}, "is no name of an endpoint"),
    "no address": ({"report-uri": []}, "holds no address"),
    "trusted types for styles": ({"require-trusted-types-for": ["'style'"]}, "is no sink group"),
    "name of a policy": ({"trusted-types": ["a!"]}, "is no name of a policy"),
    "webrtc": ({"webrtc": ["block"]}, "is no value of webrtc"),
}


@pytest.mark.parametrize(("policy", "message"), BAD.values(), ids=BAD)
def test_slips_are_refused(policy, message):
    with pytest.raises(ValueError, match=message) as caught:
        policy_text(policy)
    assert str(caught.value).startswith("content_security_policy")


@pytest.mark.parametrize("directive", ["sandbox", "upgrade-insecure-requests"])
def test_what_a_report_only_policy_ignores_is_refused_there(directive):
    policy = {"default-src": ["'self'"], directive: []}
    compile_policy("content_security_policy", policy)
    with pytest.raises(ValueError, match=f"report_only: '{directive}' is ignored in a policy that only reports"):
        compile_policy("content_security_policy_report_only", policy, report_only=True)


NONCED = {
    "beside others": (["'self'", "'nonce'"], "script-src 'self'", "script-src 'self' 'nonce-n0'"),
    "alone": (["'nonce'"], "script-src 'none'", "script-src 'nonce-n0'"),
    "in capitals": (["'NONCE'", "https:"], "script-src https:", "script-src 'nonce-n0' https:"),
    "with strict-dynamic": (
        ["'nonce'", "'strict-dynamic'"],
        "script-src 'strict-dynamic'",
        "script-src 'nonce-n0' 'strict-dynamic'",
    ),
}


@pytest.mark.parametrize(("sources", "without", "with_nonce"), NONCED.values(), ids=NONCED)
def test_the_place_of_the_nonce(sources, without, with_nonce):
    policy = compile_policy("content_security_policy", {"script-src": sources})
    assert (policy.text, policy.text_with("n0")) == (without, with_nonce)


def test_what_a_policy_says_of_itself():
    policy = compile_policy("content_security_policy", {"frame-ancestors": "'none'", "report-to": "csp"})
    assert (policy.ancestors, policy.report_to, policy.template) == (("'none'",), "csp", None)


@given(st.dictionaries(st.sampled_from(sorted(DIRECTIVES)) | st.text(), st.text() | st.lists(st.text() | st.none())))
@example({"img-src": "'self' *.example data:"})
def test_whatever_is_accepted_is_one_header_with_these_directives(policy):
    try:
        text = policy_text(policy)
    except ValueError:
        return
    assert text.isascii()
    assert text.isprintable()
    assert "," not in text
    assert [part.split()[0] for part in text.split(";")] == list(policy)
