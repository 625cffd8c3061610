"""The benchmarks time what they say: the same job, done by all who are compared."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

COMPARE = """
import json, pathlib, sys
from benchmarks import variants
from benchmarks.interleave import ENVIRON

folder = pathlib.Path(sys.argv[1])
found = {}
for name, wear in {"ours": variants.ours, "hand-fused": variants.hand_fused}.items():
    app = wear(variants.bare().wsgi_app, folder)
    sent = []
    body = app(ENVIRON.copy(), lambda status, headers, exc_info=None: sent.append((status, headers)))
    content = b"".join(body)
    body.close()
    [(status, headers)] = sent
    record = json.loads((folder / f"{name}.log").read_text())
    found[name] = [status, content.decode(), sorted(n for n, _ in headers), record]
json.dump(found, sys.stdout)
"""

MEASURE = """
import json, sys
from benchmarks import request_cost
rows = request_cost.measure(rounds=3, requests=20)
json.dump({"rows": rows, "goals": request_cost.goals(rows)}, sys.stdout)
"""


def run(code: str, *arguments: Path) -> dict:
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, check=True)
    return json.loads(done.stdout)


def test_the_yardstick_does_the_same_job(tmp_path):
    found = run(COMPARE, tmp_path)
    (*ours, our_record), (*theirs, their_record) = found["ours"], found["hand-fused"]
    assert ours == theirs
    changing = {"timestamp", "duration_ms", "first_byte_ms", "request_id"}
    assert our_record.keys() == their_record.keys() >= changing
    assert {key: our_record[key] for key in our_record.keys() - changing} == {
        key: their_record[key] for key in their_record.keys() - changing
    }
    assert our_record["client"] == "192.0.2.7"


def test_every_variant_is_timed():
    measured = run(MEASURE)
    assert len({row["variant"] for row in measured["rows"]}) == len(measured["rows"]) == 12
    assert all(row["us"] > 0 for row in measured["rows"])
    assert {way for _, _, way, _ in measured["goals"]} == {"at most"}
