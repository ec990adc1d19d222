"""A validation killed at any moment shows nothing half-written, and runs again as if new."""

import json
import os
import random
import subprocess
import sys
import time

import numpy as np
import pytest

from transforms.gate.places import ANOMALIES, REPORT, STATE, STATISTICS, read_statistics

pytestmark = pytest.mark.integration

ROWS = 120_000
PARTS = 4
MOMENTS = max(1, int(os.environ.get("MILLRACE_KILLS", "20")) // 5)
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


def _run(command, seconds=None):
    """The job's exit code; None where it was killed after so many seconds."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        _, told = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None
    assert process.returncode == 3, told
    return 3


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
    start = time.monotonic()
    _run(command)
    whole = time.monotonic() - start
    expected = _published(tmp_path)
    assert read_statistics(f"{tmp_path}/out").datasets[0].num_examples == ROWS
    draw = random.Random(0)
    killed = 0
    for _ in range(MOMENTS):
        subprocess.run(["rm", "-rf", tmp_path / "out", tmp_path / "out.dead_letters"], check=True)
        start = time.monotonic()
        if _run(command, draw.uniform(0.5, 1.0) * whole) is not None:
            # The first run took longer than runs take, as on a machine that was busy.
            whole = min(whole, time.monotonic() - start)
        found = _published(tmp_path)
        assert found in (None, expected), "something else was visible"
        if found is None:
            killed += 1
            _run(command)
            assert _published(tmp_path) == expected
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["in", "out", "out.dead_letters", "schema.pbtxt"]
    assert killed, "no kill came before the end"
