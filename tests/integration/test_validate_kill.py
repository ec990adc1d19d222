"""A validation killed at any moment shows nothing half-written, and runs again as if new."""

import json
import sys

import numpy as np
import pytest

from tests.integration.kills import MOMENTS, killed_at_random_moments
from transforms.gate.places import ANOMALIES, REPORT, STATE, STATISTICS, read_statistics

pytestmark = pytest.mark.integration

ROWS = 120_000
PARTS = 4
SCHEMA = """
feature { name: "fare" type: FLOAT presence { min_fraction: 1 } float_domain { min: 0 } }
feature { name: "company" type: BYTES }
"""


def _write(folder):
    """Rows with a fare below 0, more companies than are counted exactly, and a broken line each."""
    folder.mkdir()
    draw = np.random.default_rng(0)
    for part in range(PARTS):
        fares = draw.normal(20, 5, ROWS // PARTS)
        companies = draw.zipf(1.3, ROWS // PARTS) % 20_000
        lines = [
            json.dumps({"fare": fare, "company": f"c{company}"})
            for fare, company in zip(fares, companies, strict=True)
        ]
        lines.insert(part * 1000, "{broken")
        (folder / f"{part}.jsonl").write_text("\n".join(lines))


def _published(folder):
    """What a reader of the output finds; None if there is none."""
    out = folder / "out"
    if not out.exists():
        return None
    names = {path.name for path in out.iterdir()}
    assert names == {STATISTICS, STATE, ANOMALIES, REPORT, "_millrace"}
    letters = "".join(path.read_text() for path in (folder / "out.dead_letters").glob("*.jsonl"))
    assert len(letters.splitlines()) == PARTS
    return {name: (out / name).read_bytes() for name in (STATISTICS, STATE, ANOMALIES)}


@pytest.mark.timeout(600)
def test_killed_at_random_moments(tmp_path):
    _write(tmp_path / "in")
    (tmp_path / "schema.pbtxt").write_text(SCHEMA)
    flags = {"input": "in", "schema": "schema.pbtxt", "output": "out"}
    given = (f"--{name}={tmp_path / value}" for name, value in flags.items())
    command = [sys.executable, "-m", "beam_jobs.validate", *given]
    killed_at_random_moments(command, tmp_path, _published, max(1, MOMENTS // 5), code=3)
    assert read_statistics(f"{tmp_path}/out").datasets[0].num_examples == ROWS
