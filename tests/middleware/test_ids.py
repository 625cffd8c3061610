import os
import random

import pytest

from overcoat.middleware import _ids


def test_an_id_is_never_all_zero(monkeypatch):
    monkeypatch.setattr(_ids, "_bits", lambda _: 0)
    assert _ids.new_id() == "0" * 31 + "1"
    assert _ids.new_span_id() == "0" * 15 + "1"


@pytest.mark.parametrize("make", [_ids.new_id, _ids.new_span_id])
def test_cve_2019_14806_ids_do_not_follow_the_global_seed(make):
    made = set()
    for _ in range(10):
        random.seed(1)
        made.add(make())
    assert len(made) == 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("make", [_ids.new_id, _ids.new_span_id])
def test_item_67_cve_2019_14806_forked_workers_do_not_repeat_each_other(make):
    made = []
    for _ in range(3):
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(writer, make().encode())
            os._exit(0)
        os.close(writer)
        made.append(os.read(reader, 64).decode())
        os.close(reader)
        os.waitpid(pid, 0)
    assert len({*made, make()}) == 4
