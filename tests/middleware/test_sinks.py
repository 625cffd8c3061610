import gc
import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent

import pytest

from overcoat.middleware import _sinks
from overcoat.middleware._json import json_line
from overcoat.middleware._sinks import FileSink, StreamSink

FDS = Path("/proc/self/fd")


@pytest.fixture
def always_looks(monkeypatch):
    """Look at the file before each line, not twice a second."""
    monkeypatch.setattr(_sinks, "_LOOK_EVERY_S", -1)


def test_it_appends(tmp_path):
    path = tmp_path / "x.log"
    path.write_bytes(b"old\n")
    sink = FileSink(path)
    sink.write(b"new\n")
    assert path.read_bytes() == b"old\nnew\n"
    assert repr(sink) == f"FileSink({str(path)!r})"
    assert not sink.isatty()


def test_a_later_chdir_does_not_move_it(tmp_path, monkeypatch, always_looks):
    monkeypatch.chdir(tmp_path)
    sink = FileSink("x.log")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    sink.write(b"a\n")
    (tmp_path / "x.log").rename(tmp_path / "x.log.1")
    sink.write(b"b\n")
    assert (tmp_path / "x.log.1").read_bytes() == b"a\n"
    assert (tmp_path / "x.log").read_bytes() == b"b\n"


@pytest.mark.parametrize("way", ["rename", "unlink", "replace"])
def test_item_38_it_follows_logrotate(tmp_path, always_looks, way):
    path = tmp_path / "x.log"
    sink = FileSink(path)
    sink.write(b"a\n")
    if way == "unlink":
        path.unlink()
    else:
        path.rename(tmp_path / "x.log.1")
    if way == "replace":
        path.write_bytes(b"made by logrotate\n")
    sink.write(b"b\n")
    sink.write(b"c\n")
    assert path.read_bytes() == (b"made by logrotate\n" if way == "replace" else b"") + b"b\nc\n"


def test_between_two_looks_lines_go_to_the_old_file(tmp_path, monkeypatch):
    monkeypatch.setattr(_sinks, "_LOOK_EVERY_S", 1e9)
    sink = FileSink(tmp_path / "x.log")
    (tmp_path / "x.log").rename(tmp_path / "x.log.1")
    sink.write(b"a\n")
    assert (tmp_path / "x.log.1").read_bytes() == b"a\n"


@pytest.mark.skipif(not FDS.exists(), reason="no /proc")
def test_no_descriptor_is_lost_or_inherited(tmp_path, always_looks):
    gc.collect()
    before = len(list(FDS.iterdir()))
    sink = FileSink(tmp_path / "x.log")
    for _ in range(5):
        (tmp_path / "x.log").unlink()
        sink.write(b"a\n")
    assert len(list(FDS.iterdir())) == before + 1
    assert not os.get_inheritable(sink._fd)
    sink.close()
    sink.close()
    FileSink(tmp_path / "x.log")
    assert len(list(FDS.iterdir())) == before


def test_a_folder_that_is_gone_is_told_once_and_its_return_too(tmp_path, always_looks, caplog):
    folder = tmp_path / "logs"
    folder.mkdir()
    sink = FileSink(folder / "x.log")
    folder.rename(tmp_path / "away")
    for _ in range(3):
        sink.write(b"a\n")
    assert [entry.levelname for entry in caplog.records] == ["ERROR"]
    assert str(folder / "x.log") in caplog.text
    folder.mkdir()
    sink.write(b"b\n")
    sink.write(b"c\n")
    assert [entry.levelname for entry in caplog.records] == ["ERROR", "WARNING"]
    assert (folder / "x.log").read_bytes() == b"b\nc\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_told_once_and_breaks_nothing(caplog):
    sink = FileSink("/dev/full")
    for _ in range(3):
        sink.write(b"a\n")
    assert len(caplog.records) == 1
    assert "No space left on device" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limit here")
def test_a_line_cut_short_is_closed_off_by_the_next(tmp_path):
    code = dedent("""
        import resource, signal, sys
        from overcoat.middleware._sinks import FileSink
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        sink = FileSink(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_FSIZE, (25, resource.RLIM_INFINITY))
        for line in (b'{"n":1}\\n', b'{"n":2}\\n', b'{"n":3333333333}\\n', b'{"n":4}\\n'):
            sink.write(line)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        sink.write(b'{"n":5}\\n')
        sink.write(b'{"n":6}\\n')
    """)
    path = tmp_path / "x.log"
    done = subprocess.run([sys.executable, "-c", code, path], check=True, capture_output=True, text=True, timeout=60)
    assert path.read_text() == '{"n":1}\n{"n":2}\n{"n":3333\n{"n":5}\n{"n":6}\n'
    assert done.stderr.count("takes no lines") == 1
    assert done.stderr.count("takes lines again") == 1


def test_item_38_lines_of_many_processes_and_threads_never_mix(tmp_path):
    code = dedent("""
        import sys, threading
        from overcoat.middleware._sinks import FileSink
        sink = FileSink(sys.argv[1])
        def work(thread):
            for n in range(200):
                sink.write(f"{sys.argv[2]}-{thread}-{n}-".encode().ljust(1 + n * 97, b"x") + b"\\n")
        threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    """)
    path = tmp_path / "x.log"
    workers = [subprocess.Popen([sys.executable, "-c", code, path, str(worker)]) for worker in range(4)]
    assert [worker.wait(timeout=60) for worker in workers] == [0] * 4
    lines = path.read_text().splitlines()
    keys = {tuple(line.rstrip("x").rstrip("-").split("-")) for line in lines}
    assert len(lines) == len(keys) == 4 * 4 * 200
    for line in lines:
        n = int(line.rstrip("x").rstrip("-").rsplit("-", 1)[1])
        assert len(line) == max(1 + n * 97, len(line.rstrip("x")))


def test_threads_survive_a_rotation(tmp_path, always_looks):
    path = tmp_path / "x.log"
    sink = FileSink(path)

    def work(name):
        for n in range(300):
            sink.write(f"{name}-{n}\n".encode())

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for n in range(20):
        if path.exists():
            path.rename(tmp_path / f"x.log.{n}")
    for thread in threads:
        thread.join()
    lines = [line for file in tmp_path.iterdir() for line in file.read_text().splitlines()]
    assert sorted(lines) == sorted(f"{name}-{n}" for name in range(4) for n in range(300))


@pytest.mark.parametrize("path", ["/", "/nowhere/x.log", "a\0b"], ids=repr)
def test_what_cannot_be_opened(path):
    with pytest.raises((OSError, ValueError)):
        FileSink(path)


# Standard streams


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_the_stream_of_the_moment(name, monkeypatch):
    sink = StreamSink(name)
    for _ in range(2):
        stream = io.StringIO()
        monkeypatch.setattr(sys, name, stream)
        sink.write("é\n".encode())
        assert stream.getvalue() == "é\n"
    assert not sink.isatty()
    assert repr(sink) == f"StreamSink({name!r})"


class _Broken(io.StringIO):
    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("make", [closed, lambda: None, _Broken], ids=["closed", "none", "a broken pipe"])
def test_a_stream_that_takes_nothing_is_told_once(make, monkeypatch, caplog):
    gc.collect()  # a response that an earlier test never closed would log its end into this one's stream
    sink = StreamSink("stdout")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", make())
        for _ in range(3):
            sink.write(b"a\n")
        assert not sink.isatty()
    assert len(caplog.records) == 1
    assert "stdout takes no lines" in caplog.text


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_stream_without_unicode_gets_json_still(encoding, monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    record = {"a": "é", "b": "日本", "c": "😀", "d": "\x9b"}
    StreamSink("stdout").write(json_line(record))
    assert json.loads(raw.getvalue().decode(encoding)) == record
