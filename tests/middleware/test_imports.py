"""What ``import overcoat.middleware`` loads: what requests need, and nothing that one option or a person asks for.

Every process pays for it at its start, and so does each worker that a server starts anew.
"""

import json
import subprocess
import sys

import pytest

LATE = {
    "a policy for content": ("_csp", "SecurityHeaders(content_security_policy={'default-src': \"'self'\"})"),
    "a policy for permissions": ("_permissions_policy", "SecurityHeaders(permissions_policy={'camera': []})"),
    "the grammar of Forwarded": ("_rfc7239", "ProxyFix(trusted=['127.0.0.1'], header='forwarded')"),
    "the grammar of traceparent": ("_traceparent", "TraceContext()"),
    "timers of whole functions": ("_timed", "timer('db')(len)"),
    "what explains": ("_explain", "ProxyFix(trusted=['127.0.0.1']).explain({})"),
    "what describes": ("_tree", "describe(RequestID(lambda environ, start_response: []))"),
    "the names of OpenTelemetry": ("_names_otel", "RequestLog(to='stderr', names='otel')"),
    "the names of Elastic": ("_names_ecs", "RequestLog(to='stderr', names='ecs')"),
    "the names of Google Cloud": ("_names_gcp", "RequestLog(to='stderr', names='gcp')"),
    "logfmt": ("_logfmt", "configure_logging(format='logfmt', stdlib=False)"),
}

# All that we need of the standard library has come with the dependencies.
SCRIPT = """
import json, re, sys
import orjson, structlog, werkzeug.http

before = set(sys.modules)
patterns, compile_one = [], re.compile
re.compile = lambda pattern, flags=0: patterns.append(pattern) or compile_one(pattern, flags)
from overcoat.middleware import *
told = {"loaded": sorted(set(sys.modules) - before), "patterns": len(patterns), "late": {}}
for name, (module, statement) in json.loads(sys.argv[1]).items():
    was = f"overcoat.middleware.{module}" in sys.modules
    eval(statement)
    told["late"][name] = was, f"overcoat.middleware.{module}" in sys.modules
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told():
    command = [sys.executable, "-c", SCRIPT, json.dumps(LATE)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)


def test_beside_its_dependencies_it_loads_itself_alone(told):
    assert [name for name in told["loaded"] if name.partition(".")[0] != "overcoat"] == []


@pytest.mark.parametrize("name", LATE)
def test_what_is_loaded_when_it_is_asked_for(told, name):
    assert told["late"][name] == [False, True]


def test_few_patterns_are_compiled(told):
    # Each costs up to a quarter of a millisecond; what only an option checks is for re.fullmatch, when it is given.
    assert 0 < told["patterns"] <= 25
