"""An export killed at any moment shows nothing half-made, and runs again as if new."""

import shutil
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from inference import score_table
from tests.inference.export.networks import TEXT, network, preprocessing_fn, save_model, table
from tests.integration.kills import MOMENTS, killed_at_random_moments
from tests.support import run_on
from tests.transforms.preprocess.small import schema
from transforms.preprocess import Analyze

pytestmark = pytest.mark.integration


@pytest.mark.timeout(900)
def test_killed_at_random_moments(tmp_path):
    (batch,) = table().to_batches()
    batch = batch.set_column(1, "company", pa.array(["a", "b"] * 32))
    graph = f"{tmp_path}/graph"
    run_on([batch], lambda rows: rows | Analyze(preprocessing_fn, schema(TEXT), graph))
    save_model(network(), tmp_path / "net.keras")
    pq.write_table(table(), tmp_path / "rows.parquet")
    flags = [f"--model={tmp_path}/net.keras", f"--transform_graph={graph}", "--label=tip"]
    flags += [f"--rows={tmp_path}/rows.parquet", f"--output={tmp_path}/out"]

    def published(folder):
        """The scores of what is there; None if there is nothing."""
        if not (folder / "out").exists():
            return None
        shutil.rmtree(folder / "copy", ignore_errors=True)
        shutil.copytree(folder / "out", folder / "copy")
        scored, dead = score_table(table(), f"{folder}/copy")
        shutil.rmtree(folder / "copy")
        assert len(dead) == 0
        return scored["guess"].to_pylist()

    command = [sys.executable, "-m", "beam_jobs.export", *flags]
    expected = killed_at_random_moments(command, tmp_path, published, max(1, MOMENTS // 5))
    assert len(expected) == 64
