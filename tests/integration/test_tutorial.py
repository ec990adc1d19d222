"""docs/tutorial.md, from its first command to its last, as a reader would run it."""

import json
import os
import re
import subprocess

import pyarrow.parquet as pq
import pytest

from tests.support import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
TEXT = (ROOT / "docs" / "tutorial.md").read_text()


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What each block of commands says, and the folder of it all."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "tutorial").mkdir()
    for kind, name in (("yaml", "features.yaml"), ("python", "train.py")):
        (block,) = blocks(kind)
        (folder / "tutorial" / name).write_text(block)
    path = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    found = []
    for block in blocks("sh"):
        done = subprocess.run(
            ["bash", "-e", "-c", block], cwd=folder, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, block + done.stderr
        found.append(done.stdout + done.stderr)
    return found, folder / "tutorial"


def test_each_step_leaves_what_the_page_says(said):
    _, folder = said
    for name in ("statistics/report.html", "statistics/schema.pbtxt", "drift/report.html"):
        assert (folder / name).stat().st_size > 1000
    for name in ("prepared", "scored"):
        counts = json.loads((folder / name / "_millrace/run.json").read_text())["counts"]
        assert counts["rows_in"] == counts["rows_out"] + counts["rows_dead"] > 0


def test_the_scores_are_close_to_the_tips(said):
    _, folder = said
    scored = pq.read_table(folder / "scored")
    tip, predicted = (scored[name].to_numpy() for name in ("tip", "predicted_tip"))
    assert abs(tip - predicted).mean() < 0.6 * abs(tip - tip.mean()).mean()


def test_the_served_model_gives_the_same_scores(said):
    found, _ = said
    assert any("same bits by the pipeline and by both signatures" in text for text in found)


def test_nothing_drifted(said):
    _, folder = said
    verdicts = pq.read_table(folder / "drift" / "verdicts.parquet")
    assert set(verdicts["status"].to_pylist()) <= {"OK", "NOT_ENOUGH_DATA"}
