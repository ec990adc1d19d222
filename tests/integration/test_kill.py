"""A job killed at any moment leaves nothing half-written, and runs again as if new."""

import random
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from tests.integration.kills import MOMENTS

pytestmark = pytest.mark.integration

ROWS = 400_000


def _command(folder, model):
    flags = {"input": folder / "in", "model": model, "output": folder / "out"}
    flags["map"] = "x=n;y=n"
    return [sys.executable, "-m", "beam_jobs.score", *(f"--{k}={v}" for k, v in flags.items())]


def _published(folder):
    if not (folder / "out").exists():
        return None
    return ds.dataset(folder / "out").to_table(columns=["n"])["n"].to_pylist()


@pytest.mark.timeout(900)
def test_killed_at_random_moments(linear_model, tmp_path):
    (tmp_path / "in").mkdir()
    for part in range(4):
        numbers = pa.array(range(part * ROWS // 4, (part + 1) * ROWS // 4), pa.float32())
        names = pa.array(["n"] * (ROWS // 4))
        table = pa.table({"n": numbers, "name": names})
        pq.write_table(table, tmp_path / f"in/{part}.parquet", row_group_size=10_000)
    command = _command(tmp_path, linear_model)
    start = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    whole = time.monotonic() - start
    expected = sorted(set(range(ROWS)) - {13})
    assert sorted(_published(tmp_path)) == expected
    draw = random.Random(0)
    survived = 0
    for _ in range(MOMENTS):
        subprocess.run(["rm", "-rf", tmp_path / "out", tmp_path / "out.dead_letters"], check=True)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(draw.uniform(0.5, 1.0) * whole)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.wait()
        rows = _published(tmp_path)
        survived += rows is not None
        assert rows is None or sorted(rows) == expected, "a partial output was visible"
        if rows is None:
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            assert sorted(_published(tmp_path)) == expected
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["in", "out", "out.dead_letters"]
    assert survived < MOMENTS, "no kill came before the end"
