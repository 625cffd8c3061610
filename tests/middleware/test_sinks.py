import gc
import io
import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent

import pytest
from support.apps import ok
from support.wsgi import call

from overcoat.middleware import RequestLog, _file_sink, configure_logging
from overcoat.middleware._file_sink import FileSink
from overcoat.middleware._json import json_line
from overcoat.middleware._sinks import StreamSink

LIB = Path(__file__).parents[1] / "lib"
FDS = Path("/proc/self/fd")


@pytest.fixture
def always_looks(monkeypatch):
    """Look at the file before each line, not twice a second."""
    monkeypatch.setattr(_file_sink, "_LOOK_EVERY_S", -1)


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


def test_item_38_copytruncate_loses_what_the_docs_say_and_leaves_no_hole(tmp_path, always_looks):
    path = tmp_path / "x.log"
    sink = FileSink(path)
    sink.write(b"copied\n")
    (tmp_path / "x.log.1").write_bytes(path.read_bytes())
    sink.write(b"between\n")
    os.truncate(path, 0)
    sink.write(b"after\n")
    assert (tmp_path / "x.log.1").read_bytes() == b"copied\n"
    assert path.read_bytes() == b"after\n"


def test_between_two_looks_lines_go_to_the_old_file(tmp_path, monkeypatch):
    monkeypatch.setattr(_file_sink, "_LOOK_EVERY_S", 1e9)
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
        from overcoat.middleware._file_sink import FileSink
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
        from overcoat.middleware._file_sink import FileSink
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


def test_a_stream_that_comes_back_is_told_of_and_may_fail_again(monkeypatch, caplog):
    gc.collect()
    sink = StreamSink("stdout")
    for _ in range(2):
        monkeypatch.setattr(sys, "stdout", _Broken())
        sink.write(b"a\n")
        sink.write(b"a\n")
        assert sink.failing
        monkeypatch.setattr(sys, "stdout", io.StringIO())
        sink.write(b"b\n")
        sink.write(b"b\n")
        assert not sink.failing
        assert sys.stdout.getvalue() == "b\nb\n"
    assert [entry.levelname for entry in caplog.records] == ["ERROR", "WARNING"] * 2


class _Reentered(io.StringIO):
    """As a buffered stream is when a signal handler logs in the middle of a write."""

    def flush(self):
        raise RuntimeError("reentrant call inside <_io.BufferedWriter name='<stdout>'>")


def test_whatever_a_stream_raises_stays_here(monkeypatch, caplog):
    gc.collect()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", _Reentered())
        StreamSink("stdout").write(b"a\n")
    assert "reentrant call" in caplog.text


class _Around(BaseException):
    """Nothing catches it: what goes round and round ends there."""


class _Logging:
    """What many apps put in place of standard output: all that is printed is logged. It has nothing but a write."""

    def __init__(self):
        self.written = []

    def write(self, text):
        self.written.append(text)
        if len(self.written) > 9:
            raise _Around
        logging.getLogger("printed").info(text.rstrip())

    def flush(self):
        pass


@pytest.mark.parametrize("to", [None, "stdout"])
def test_item_29_a_stream_that_logs_what_it_is_given_gets_each_line_once(to, monkeypatch):
    own, logging_stream = io.StringIO(), _Logging()
    monkeypatch.setattr(sys, "__stdout__", own)
    monkeypatch.setattr(sys, "stdout", logging_stream)
    configure_logging()
    for _ in range(2):
        call(RequestLog(ok, to=to))
    logging.getLogger("shop").warning("sold out")
    lines = [json.loads(line) for line in own.getvalue().splitlines()]
    assert [line["logger"] for line in lines] == ["printed"] * 3
    assert [line["event"].count("http_request") for line in lines] == [1, 1, 0]
    assert "takes no lines" not in "".join(logging_stream.written)


def test_item_29_nothing_goes_round_where_the_first_stream_takes_nothing_either(monkeypatch):
    logging_stream = _Logging()
    monkeypatch.setattr(sys, "__stdout__", None)
    monkeypatch.setattr(sys, "stdout", logging_stream)
    configure_logging()
    for _ in range(3):
        assert call(RequestLog(ok)).sent == b"ok"
    assert len(logging_stream.written) == 3


def test_a_stream_with_nothing_but_a_write_is_no_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdout", _Logging())
    assert not StreamSink("stdout").isatty()


# Trouble


@pytest.mark.parametrize(
    ("there", "expected"),
    [(b"", b"a\nb\n"), (b"x\n", b"x\na\nb\n"), (b'{"cut":', b'{"cut":\na\nb\n')],
    ids=["empty", "whole lines", "cut short"],
)
def test_a_line_that_a_crash_cut_short_is_closed_off(tmp_path, there, expected):
    path = tmp_path / "x.log"
    path.write_bytes(there)
    sink = FileSink(path)
    sink.write(b"a\n")
    sink.write(b"b\n")
    assert path.read_bytes() == expected


def test_a_line_that_a_killed_process_cut_short_is_closed_off(tmp_path):
    path = tmp_path / "x.log"
    ours, theirs = FileSink(path), path.open("ab", buffering=0)
    for _ in range(3):
        ours.write(b"ours\n")
        theirs.write(b'{"cut":')
    ours.write(b"ours\n")
    assert path.read_bytes() == b'ours\n{"cut":\n' * 3 + b"ours\n"
    theirs.close()


def test_only_a_file_that_others_write_to_is_looked_at_before_each_line(tmp_path, monkeypatch):
    path, looks = tmp_path / "x.log", []
    path.write_bytes(b"old\n")
    monkeypatch.setattr(_file_sink, "_ends_in_mid_line", looks.append)
    clock_s = iter(range(100))
    monkeypatch.setattr(_file_sink, "monotonic", lambda: next(clock_s))
    ours = FileSink(path)

    def looked():
        looks.clear()
        ours.write(b"ours\n")
        return bool(looks)

    assert [looked() for _ in range(3)] == [True, False, False]
    theirs = FileSink(path)
    theirs.write(b"theirs\n")
    assert [looked() for _ in range(3)] == [True, False, False]
    path.rename(tmp_path / "x.log.1")
    assert [looked() for _ in range(3)] == [True, False, False]
    theirs.write(b"theirs\n")
    assert looked()


@pytest.mark.skipif(os.name != "posix", reason="no such rights here")
def test_a_file_that_may_not_be_read_is_written_to(tmp_path, monkeypatch):
    path = tmp_path / "x.log"
    really = os.open

    def refuse(path, flags, *mode):
        if flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied")
        return really(path, flags, *mode)

    monkeypatch.setattr(os, "open", refuse)
    sink = FileSink(path)
    sink.write(b"a\n")
    sink.write(b"b\n")
    assert path.read_bytes() == b"a\nb\n"


def test_a_line_that_another_process_is_writing_is_not(tmp_path, monkeypatch):
    path = tmp_path / "x.log"
    path.write_bytes(b"first page of a long line, ")

    def go_on(_):
        with path.open("ab") as file:
            file.write(b"and its end\n")

    monkeypatch.setattr(_file_sink, "sleep", go_on)
    FileSink(path).write(b"a\n")
    assert path.read_bytes() == b"first page of a long line, and its end\na\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_named_pipe_is_written_to_and_never_read(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    FileSink(path).write(b"a\n")
    assert os.read(reader, 100) == b"a\n"
    os.close(reader)


def test_a_handler_of_the_app_s_that_raises_breaks_no_request():
    class Raising(logging.Handler):
        def emit(self, record):
            raise ValueError("no room for this either")

    handler = Raising()
    logging.getLogger("overcoat").addHandler(handler)
    try:
        sink = FileSink("/dev/full")
        sink.write(b"a\n")
        assert sink.failing
    finally:
        logging.getLogger("overcoat").removeHandler(handler)


def test_many_threads_tell_of_a_full_disk_once(caplog):
    sink = FileSink("/dev/full")
    start = threading.Barrier(8)

    def work():
        start.wait(30)
        for _ in range(200):
            sink.write(b"a\n")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(caplog.records) == 1


TOLD = {
    "the file of configure_logging": (None, 'configure_logging(file="/dev/full")', 1),
    "and that of the request log": ("/dev/full", 'configure_logging(file="/dev/full")', 2),
    "standard output": (None, "configure_logging(); sys.stdout.close()", 1),
    "a pipe that nobody reads": (None, 'configure_logging(); sys.stdout = open(pipe[1], "w"); os.close(pipe[0])', 1),
    "without configure_logging": ("/dev/full", "", 1),
}


@pytest.mark.parametrize(("to", "setup", "times"), TOLD.values(), ids=TOLD)
def test_somebody_hears_that_the_log_takes_no_lines_and_every_response_stands(to, setup, times):
    """On standard error, once for each place, even where the log itself is all that the app logs to."""
    code = dedent(f"""
        import logging, os, sys
        import structlog
        from overcoat.middleware import RequestLog, configure_logging
        from support.apps import ok
        from support.wsgi import call
        pipe = os.pipe()
        {setup}
        app = RequestLog(ok, to={to!r})
        for _ in range(3):
            logging.getLogger("shop").warning("sold out")
            structlog.get_logger().info("sold out") if structlog.is_configured() else None
            assert call(app).sent == b"ok"
        os._exit(0)
    """)
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True, capture_output=True, text=True, timeout=60,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(LIB), os.environ.get("PYTHONPATH")]))},
    )  # fmt: skip
    assert done.stderr.count("takes no lines") == times
    assert "Traceback" not in done.stderr
