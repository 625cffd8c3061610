"""Real proxies as ordinary processes on free ports of 127.0.0.1, from configuration files that stand ready for use.

A file is used as it is, but for its ports, addresses and paths. Each replacement must find its text, so that a file
that has changed cannot be tested as something else.
"""

import contextlib
import os
import pwd
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from support.doors import Certificate, Door
from support.servers import ending, free_port, wait_for

ROOT = Path(__file__).parents[3]
RECOMMENDED = ROOT / "docs" / "proxies"
BARE = ROOT / "tests" / "proxies" / "bare"
#: In the files the proxy in front is 10.0.0.1; here all stand on one machine.
IN_FRONT = {"10.0.0.1": "127.0.0.1"}
#: And here it is somebody else, so that whoever comes is a client.
ELSEWHERE = {"10.0.0.1": "10.9.9.9"}

COMMANDS: Mapping[str, Sequence[str]] = {
    "nginx": ["nginx", "-c", "{file}", "-e", "{folder}/error.log", "-g", "daemon off;"],
    "haproxy": ["haproxy", "-db", "-f", "{file}"],
    "apache2": ["apache2", "-DFOREGROUND", "-f", "{file}"],
    "Caddyfile": ["caddy", "run", "--adapter", "caddyfile", "--config", "{file}"],
}

#: What stands in the files of each proxy, and what stands there in a test; a text that is absent may be so.
_PLACES: Mapping[str, Mapping[str, str]] = {
    "nginx": {
        "user www-data;": "user {user};",
        "pid /run/": "pid {folder}/",
        "error_log /var/log/nginx/": "error_log {folder}/",
        "http {\n": "http {\n    client_body_temp_path {folder}/body;\n    proxy_temp_path {folder}/proxy;\n"
        "    fastcgi_temp_path {folder}/fastcgi;\n    scgi_temp_path {folder}/scgi;\n"
        "    uwsgi_temp_path {folder}/uwsgi;\n",
        "access_log /var/log/nginx/": "access_log {folder}/",
        "/etc/ssl/certs/example.com.pem": "{certificate}",
        "/etc/ssl/private/example.com.key": "{key}",
        "listen 80": "listen 127.0.0.1:{http}",
        "listen [::]:80": "listen [::1]:{http}",
        "listen 443": "listen 127.0.0.1:{https}",
        "listen [::]:443": "listen [::1]:{https}",
        "127.0.0.1:8000": "{app}",
    },
    "haproxy": {
        "/etc/haproxy/example.com.pem": "{pem}",
        "bind :80\n": "bind 127.0.0.1:{http}\n",
        "bind :::80 v6only": "bind ::1:{http} v6only",
        "bind :443": "bind 127.0.0.1:{https}",
        "bind :::443 v6only": "bind ::1:{https} v6only",
        "127.0.0.1:8000": "{app}",
        "10.0.0.2:80 ": "{app} ",
        "10.0.0.2:443 ": "{app_tls} ",
    },
    "apache2": {
        "DefaultRuntimeDir /run/apache2": "DefaultRuntimeDir {folder}",
        "PidFile /run/apache2/": "PidFile {folder}/",
        "ErrorLog /var/log/apache2/": "ErrorLog {folder}/",
        "/etc/ssl/certs/example.com.pem": "{certificate}",
        "/etc/ssl/private/example.com.key": "{key}",
        "Listen 80\n": "Listen 127.0.0.1:{http}\nListen [::1]:{http}\n",
        "Listen 443\n": "Listen 127.0.0.1:{https}\nListen [::1]:{https}\n",
        "*:80>": "*:{http}>",
        "*:443>": "*:{https}>",
        "127.0.0.1:8000": "{app}",
    },
    "Caddyfile": {
        "example.com {\n": "example.com {\n\tbind 127.0.0.1 ::1\n",
        "\tadmin off\n": "\tadmin off\n\thttp_port {http}\n\thttps_port {https}\n",
        "/etc/ssl/certs/example.com.pem": "{certificate}",
        "/etc/ssl/private/example.com.key": "{key}",
        "127.0.0.1:8000": "{app}",
    },
}

_IN_EVERY_FILE = {
    "nginx": ["user www-data;", "pid /run/", "http {\n", "listen 80"],
    "haproxy": ["bind :80\n"],
    "apache2": ["PidFile /run/apache2/", "Listen 80\n", "127.0.0.1:8000"],
    "Caddyfile": ["\tadmin off\n", "example.com {\n", "127.0.0.1:8000"],
}


def kind_of(file: Path) -> str:
    """Which proxy a file is for."""
    return next(kind for kind in COMMANDS if file.name.startswith(kind))


def binary(name: str) -> str | None:
    """The path of a program; those of daemons are not on everyone's PATH."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def configured(text: str, kind: str, values: Mapping[str, str], replacements: Mapping[str, str]) -> str:
    """A configuration with the ports and paths of a test.

    Raises:
        AssertionError: A text that should be replaced does not stand there.
    """
    for old in [*_IN_EVERY_FILE[kind], *replacements]:
        assert old in text, f"{old!r} is not in the configuration"
    for old, new in [*replacements.items(), *_PLACES[kind].items()]:
        text = text.replace(old, re.sub(r"{([a-z_]+)}", lambda match: values[match[1]], new))
    return text


@contextlib.contextmanager
def proxying(
    file: Path, app: str, folder: Path, certificate: Certificate, replacements: Mapping[str, str] | None = None
) -> Iterator[Door]:
    """Run a proxy for the length of a block.

    Args:
        file: Its configuration.
        app: Where the app, or the next proxy, is: ``"127.0.0.1:8000"``; with TLS at another port ``"...:80 ...:443"``.
        folder: An empty folder of its own.
        certificate: For where it ends TLS.
        replacements: Texts of the file and what to put there beside ports and paths.
    """
    kind, (plain, _, tls) = kind_of(file), app.partition(" ")
    door = Door(free_port(), free_port(), certificate)
    values = {"folder": str(folder), "user": pwd.getpwuid(os.geteuid()).pw_name, "app": plain, "app_tls": tls or plain}
    values |= {
        "http": str(door.http),
        "https": str(door.https),
        **{k: str(v) for k, v in certificate._asdict().items()},
    }
    target = folder / file.name
    text = configured(file.read_text(encoding="utf-8"), kind, values, replacements or {})
    target.write_text(text, encoding="utf-8")
    command = [part.format(file=target, folder=folder) for part in COMMANDS[kind]]
    command[0] = binary(command[0]) or command[0]
    with running(command, folder, *_listening(kind, text, door)):
        yield door


def _listening(kind: str, text: str, door: Door) -> list[tuple[str, int]]:
    """Where a proxy with this configuration listens: it takes one address after the other."""
    if kind == "Caddyfile":
        ports = [door.http, door.https] if "\ttls " in text else [door.http]
        return [(host, port) for port in ports for host in ("127.0.0.1", "::1")]
    written = {"127.0.0.1:": "127.0.0.1", "[::1]:": "::1", " ::1:": "::1"}
    return [(host, port) for port in (door.http, door.https) for at, host in written.items() if f"{at}{port}" in text]


@contextlib.contextmanager
def running(command: Sequence[str], folder: Path, *doors: tuple[str, int] | Path, **environment: str) -> Iterator[None]:
    """Run a process for the length of a block, from when it listens at all of these addresses or Unix sockets."""
    output = folder / "output"
    environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(folder), "TMPDIR": str(folder)} | environment
    with output.open("wb") as stream:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=environ,
            cwd=folder,
            start_new_session=True,
        )

    def listens(door: tuple[str, int] | Path) -> bool:
        said = output.read_text(encoding="utf-8", errors="backslashreplace")
        assert process.poll() is None, f"{command} ended with {process.returncode}:\n{said}"
        with contextlib.suppress(OSError), _connected(door):
            return True
        return False

    with ending(process):
        for door in doors:
            wait_for(lambda door=door: listens(door), f"{command} to listen at {door}")
        yield


def _connected(door: tuple[str, int] | Path) -> socket.socket:
    if not isinstance(door, Path):
        return socket.create_connection(door, timeout=1)
    client = socket.socket(socket.AF_UNIX)
    try:
        client.connect(str(door))
    except OSError:
        client.close()
        raise
    return client
