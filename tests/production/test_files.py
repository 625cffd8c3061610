"""The files of docs/deploy.md that no test starts as they are: what of them can be checked without containers."""

import ipaddress
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support.proxies import binary

from overcoat.demo.config import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs" / "deploy"
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
NGINX = ("nginx.conf", "nginx.compose.conf")


def test_what_compose_mounts_and_builds_is_there():
    mounted = [
        volume.split(":")[0] for service in COMPOSE["services"].values() for volume in service.get("volumes", ())
    ]
    files = [ROOT / name for name in mounted if name.startswith("./")]
    files.append(ROOT / COMPOSE["services"]["app"]["build"]["dockerfile"])
    assert len(files) == 5
    assert [file for file in files if not file.is_file()] == []
    assert {name for name in mounted if not name.startswith("./")} == set(COMPOSE["volumes"])


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(
            [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"],
            id="compose.yaml by the specification's schema",
        ),
        pytest.param([Path(sys.executable).with_name("hadolint"), "docs/deploy/Dockerfile"], id="Dockerfile"),
    ],
)
def test_what_a_linter_says(command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_volume_has_one_writer():
    """Two that keep their place in a log under one name would each go on where the other was."""
    writers = [
        volume.split(":")[0]
        for service in COMPOSE["services"].values()
        for volume in service.get("volumes", ())
        if not volume.endswith(":ro")
    ]
    assert sorted(writers) == sorted(COMPOSE["volumes"])


def test_the_address_of_nginx_is_given_to_no_other():
    (config,) = COMPOSE["networks"]["inside"]["ipam"]["config"]
    nginx = ipaddress.ip_address(COMPOSE["services"]["nginx"]["networks"]["inside"]["ipv4_address"])
    handed_out, subnet = map(ipaddress.ip_network, (config["ip_range"], config["subnet"]))
    assert nginx in subnet
    assert nginx not in handed_out
    assert handed_out.subnet_of(subnet)
    assert ipaddress.ip_address(config["gateway"]) not in {nginx, *handed_out}


def test_compose_sets_settings_that_there_are():
    names = set(COMPOSE["services"]["app"]["environment"])
    # The driver of PostgreSQL reads PGPASSWORD itself.
    assert names - {name.upper() for name in Settings.__dataclass_fields__} == {"BIND", "WORKERS", "PGPASSWORD"}
    assert all(f'"{name}"' in (DEPLOY / "gunicorn.conf.py").read_text() for name in ("BIND", "WORKERS"))


def test_nginx_is_the_one_that_is_trusted():
    address = COMPOSE["services"]["nginx"]["networks"]["inside"]["ipv4_address"]
    assert COMPOSE["services"]["app"]["environment"]["TRUSTED_PROXIES"] == address


def test_the_orchestrator_waits_longer_than_gunicorn():
    own_s = int(re.search(r"^graceful_timeout = (\d+)", (DEPLOY / "gunicorn.conf.py").read_text(), re.MULTILINE)[1])
    assert int(COMPOSE["services"]["app"]["stop_grace_period"].removesuffix("s")) > own_s


def headers_of(file: Path) -> set[str]:
    return set(re.findall(r"proxy_set_header ([\w-]+) ", file.read_text()))


@pytest.mark.parametrize("name", NGINX)
def test_nginx_hands_on_no_other_headers_than_the_recommended_file(name):
    assert headers_of(DEPLOY / name) == headers_of(ROOT / "docs" / "proxies" / "nginx.conf")


@pytest.mark.skipif(not binary("nginx"), reason="nginx is not installed (apt-get install nginx)")
def test_nginx_reads_the_file_of_compose(tmp_path):
    text = (DEPLOY / "nginx.compose.conf").read_text()
    for old, new in {
        "user nginx;\n": "",
        "server app:8000": "server 127.0.0.1:8000",
        "/run/nginx": f"{tmp_path}/nginx",
    }.items():
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "nginx.conf").write_text(text)
    done = subprocess.run(
        [binary("nginx"), "-t", "-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "error.log")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_table_of_clickhouse_is_the_documented_one():
    ours = (DEPLOY / "clickhouse.sql").read_text()
    documented = (ROOT / "docs" / "clickhouse.md").read_text()
    (columns,) = re.findall(r"CREATE TABLE requests\n(\(.*?\n\))", documented, re.DOTALL)
    assert columns in ours


@pytest.mark.parametrize("name", ["vector-clickhouse.yaml", "vector-loki.yaml"])
def test_vector_reads_where_the_app_writes(name):
    vector = yaml.safe_load((DEPLOY / name).read_text())
    assert vector["sources"]["log"]["include"] == [COMPOSE["services"]["app"]["environment"]["LOG_FILE"]]
    known = {*vector["sources"], *vector["transforms"]}
    for part in (*vector["transforms"].values(), *vector["sinks"].values()):
        assert set(part["inputs"]) <= known
