"""`overcoat explain-proxy`: its table, its JSON, and what it says to mistakes."""

import json
import subprocess
import sys

import pytest

CHAIN = ["--header", "X-Forwarded-For: 6.6.6.6, 192.0.2.1", "--header", "x-forwarded-proto:https"]


def test_the_table(overcoat):
    ran = overcoat("explain-proxy", "--peer", "10.0.0.7", "--trusted", "10.0.0.0/8", *CHAIN)
    assert (ran.status, ran.err) == (0, "")
    assert ran.rows == [
        "peer    10.0.0.7   trusted by 10.0.0.0/8",
        "hop 1   192.0.2.1  not trusted: the client",
        "hop 2   6.6.6.6    not reached: nobody vouches for it",
        "client  192.0.2.1  X-Forwarded-For, hop 1: the first address that is not trusted",
        "scheme  https      X-Forwarded-Proto, hop 1",
        "host    localhost  kept: x_host=0",
        "port    80         kept: x_port=0",
        "prefix  -          kept: x_prefix=0",
    ]


CASES = {
    "a stranger": (["--peer", "8.8.8.8", "--trusted", "10.0.0.0/8", *CHAIN], "client", "8.8.8.8"),
    "nobody is trusted": (["--peer", "10.0.0.7", "--trusted", "", *CHAIN], "client", "10.0.0.7"),
    "by count": (["--peer", "8.8.8.8", "--x-for", "2", *CHAIN], "client", "6.6.6.6"),
    "a bound of 0": (["--peer", "10.0.0.7", "--trusted", "10.0.0.7", "--x-for", "0", *CHAIN], "client", "10.0.0.7"),
    "a Unix socket": (["--peer", "unix:", "--trusted", "unix:", *CHAIN], "client", "192.0.2.1"),
    "lists of networks": (["--peer", "::1", "--trusted", "10.0.0.0/8, ::1", *CHAIN], "client", "192.0.2.1"),
    "two options": (["--peer", "::1", "--trusted", "10.0.0.0/8", "--trusted", "::1", *CHAIN], "client", "192.0.2.1"),
    "headers of one name": (
        ["--peer", "10.0.0.7", "--trusted", "10.0.0.0/8", *CHAIN, "--header", "X-FORWARDED-FOR: 192.0.2.2"],
        "client",
        "192.0.2.2",
    ),
    "Forwarded": (
        ["--peer", "10.0.0.7", "--trusted", "10.0.0.7", "--forwarded", "--header", 'Forwarded: for="[2001:db8::1]:80"'],
        "client",
        "2001:db8::1",
    ),
    "a host": (
        ["--peer", "10.0.0.7", "--trusted", "10.0.0.7", "--x-host", "1", "--header", "X-Forwarded-Host: a.example"],
        "host",
        "a.example",
    ),
    "a host that is not allowed": (
        [
            *(
                "--peer",
                "10.0.0.7",
                "--trusted",
                "10.0.0.7",
                "--x-host",
                "1",
                "--allowed-host",
                "b.example,*.b.example",
            ),
            *("--header", "Host: inner:5000", "--header", "X-Forwarded-Host: a.example"),
        ],
        "host",
        "inner:5000",
    ),
    "a port": (["--peer", "::1", "--x-port", "1", "--header", "X-Forwarded-Port: 8443"], "port", "8443"),
    "a prefix": (["--peer", "::1", "--x-prefix", "1", "--header", "X-Forwarded-Prefix: /app"], "prefix", "/app"),
    "the connection's scheme": (["--peer", "::1", "--scheme", "https"], "scheme", "https"),
}


@pytest.mark.parametrize(("arguments", "field", "value"), CASES.values(), ids=CASES)
def test_the_json_tells_the_verdict(overcoat, arguments, field, value):
    ran = overcoat("explain-proxy", *arguments, "--json")
    assert ran.status == 0
    told = json.loads(ran.out)
    assert told[field]["value"] == value
    assert told["hops"][0]["number"] == 0
    assert value in overcoat("explain-proxy", *arguments).out


WRONG = {
    "no peer": ([], "the following arguments are required: --peer"),
    "no header": (["--peer", "::1", "--header", "X-Forwarded-For"], "'X-Forwarded-For' is no header: write"),
    "a bad name": (["--peer", "::1", "--header", "X Forwarded: a"], "is no header"),
    "host bits": (["--peer", "::1", "--trusted", "10.0.0.1/8"], "has host bits set); write '10.0.0.0/8'"),
    "a negative count": (["--peer", "::1", "--x-for", "-1"], "x_for=-1 must be a whole number"),
    "no number": (["--peer", "::1", "--x-for", "two"], "invalid int value: 'two'"),
    "no effect": (["--peer", "::1", "--forwarded", "--x-port", "1"], "x_port=1 has no effect"),
    "allowed hosts alone": (["--peer", "::1", "--allowed-host", "a.example"], "allowed_hosts has no effect"),
    "a shortened option": (["--peer", "::1", "--trust", "::1"], "unrecognized arguments"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_wrong_usage_is_2(overcoat, arguments, message):
    ran = overcoat("explain-proxy", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err
    assert "Traceback" not in ran.err


def test_nothing_typed_reaches_the_terminal_raw(overcoat):
    hostile = "\x1b[2J\u202e\x85\r\nscheme https"
    ran = overcoat(
        "explain-proxy",
        "--peer",
        hostile,
        "--trusted",
        "::1",
        "--x-host",
        "1",
        "--header",
        f"X-Forwarded-For: {hostile}",
    )
    assert all(line.isprintable() for line in ran.rows)
    assert len(ran.rows) == 8  # with the line of what was deleted
    assert all(
        line.isprintable() for line in overcoat("explain-proxy", "--peer", "::1", "--trusted", hostile).err.splitlines()
    )


def test_it_loads_nothing_of_an_extra():
    code = (
        "import sys; from overcoat.inspector.cli import main\n"
        "main(['explain-proxy', '--peer', '::1'])\n"
        "print({'duckdb', 'flask', 'sqlalchemy', 'waitress'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout.splitlines()[-1], done.stderr) == ("set()", "")
