"""A preprocess job killed at any moment shows nothing half-made, and runs again as if new."""

import json
import random
import shutil
import sys
import time

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.integration.kills import MOMENTS, killed_at_random_moments, run_or_kill

pytestmark = pytest.mark.integration

ROWS = 60_000
PARTS = 4
FEATURES = """
import tensorflow_transform as tft


def preprocessing_fn(inputs):
    return {
        "fare": tft.scale_to_0_1(inputs["fare"]),
        "ride": inputs["ride"],
        "company": tft.compute_and_apply_vocabulary(inputs["company"], num_oov_buckets=1),
    }
"""
SCHEMA = """
feature { name: "fare" type: FLOAT presence { min_fraction: 1 } shape {} }
feature { name: "company" type: BYTES value_count { min: 0 max: 1 } }
feature { name: "ride" type: INT presence { min_fraction: 1 } shape {} }
"""


def _write(folder):
    """Rows of 300 companies, none as frequent as another, and a broken line in each file."""
    folder.mkdir()
    draw = np.random.default_rng(0)
    companies = np.repeat(np.arange(300), np.arange(1, 301))
    for part in range(PARTS):
        rides = range(part * ROWS // PARTS, (part + 1) * ROWS // PARTS)
        lines = [
            json.dumps(
                {"fare": round(fare, 2), "company": f"c{companies[ride % 45150]}", "ride": n}
            )
            for n, ride, fare in zip(
                rides, draw.permutation(ROWS // PARTS), draw.uniform(1, 99, len(rides)), strict=True
            )
        ]
        lines.insert(part * 1000, "{broken")
        (folder / f"{part}.jsonl").write_text("\n".join(lines))


def _published(folder):
    """What a reader of the output finds; None if there is none."""
    out = folder / "out"
    if not out.exists():
        return None
    assert {path.name for path in out.iterdir()} == {
        "Split-eval",
        "Split-train",
        "_millrace",
        "transform_graph",
    }
    letters = "".join(path.read_text() for path in (folder / "out.dead_letters").glob("*.jsonl"))
    assert len(letters.splitlines()) == PARTS
    graph = out / "transform_graph"
    (vocabulary,) = (graph / "transform_fn" / "assets").iterdir()
    splits = [pq.read_table(out / f"Split-{name}").sort_by("ride") for name in ("train", "eval")]
    schemas = [(graph / f"{name}/schema.pbtxt").read_bytes() for name in ("metadata",)]
    return vocabulary.read_bytes(), *schemas, *(table.to_pydict() for table in splits)


@pytest.mark.timeout(900)
def test_killed_at_random_moments(tmp_path):
    _write(tmp_path / "in")
    (tmp_path / "schema.pbtxt").write_text(SCHEMA)
    (tmp_path / "features.py").write_text(FEATURES)
    flags = {"input": "in", "schema": "schema.pbtxt", "preprocessing_fn": "features.py"}
    given = [f"--{name}={tmp_path / value}" for name, value in flags.items()]
    command = [sys.executable, "-m", "beam_jobs.preprocess", *given, f"--output={tmp_path}/out/"]
    expected = killed_at_random_moments(command, tmp_path, _published, max(1, MOMENTS // 5))
    _, _, train, held = expected
    assert sorted(train["ride"] + held["ride"]) == list(range(ROWS))
    assert (min(train["fare"]), max(train["fare"])) == (0.0, 1.0)


STEPS = """
features:
  fare: {steps: [fill: median, scale_to_0_1]}
  ride: {steps: [fill: {value: 0}]}
  company: {steps: [compute_and_apply_vocabulary: {num_oov_buckets: 1}]}
"""


@pytest.mark.timeout(900)
def test_killed_with_a_cache_and_run_again(tmp_path):
    """A kill leaves whole spans in the cache or none; the rerun goes on, and the result is one."""
    _write(tmp_path / "in")
    for part in range(PARTS):
        (tmp_path / "in" / f"{part}.jsonl").rename(tmp_path / "in" / f"day-{part}.jsonl")
    (tmp_path / "steps.yaml").write_text(STEPS)

    def command(cache):
        given = {"input": f"{tmp_path}/in/day-{{SPAN}}.jsonl", "steps": f"{tmp_path}/steps.yaml"}
        given |= {"output": f"{tmp_path}/out/", "cache": f"{tmp_path}/{cache}"}
        flags = [f"--{name}={value}" for name, value in given.items()]
        return [sys.executable, "-m", "beam_jobs.preprocess", *flags]

    start = time.monotonic()
    assert run_or_kill(command("whole"))
    whole = time.monotonic() - start
    expected = _published(tmp_path)
    draw, killed = random.Random(1), 0
    for moment in range(max(1, MOMENTS // 5)):
        for name in ("out", "out.dead_letters"):
            shutil.rmtree(tmp_path / name)
        # A cache of its own for each kill, which the rerun finds as the kill has left it.
        cache = f"cache-{moment}"
        start = time.monotonic()
        if run_or_kill(command(cache), seconds=draw.uniform(0.4, 1.0) * whole):
            whole = min(whole, time.monotonic() - start)
        if _published(tmp_path) is None:
            killed += 1
            assert run_or_kill(command(cache))
        assert _published(tmp_path) == expected
        names = {path.name.partition(".")[0] for path in (tmp_path / cache).iterdir()}
        assert names == {str(part) for part in range(PARTS)}
    assert killed, "no kill came before the end"
