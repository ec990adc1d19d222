"""docs/tutorial.md and docs/dead_letters.md, from first command to last, as a reader would."""

import json
import os
import re
import subprocess

import pyarrow.parquet as pq
import pytest

from tests.support import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def blocks(page, kind):
    text = (ROOT / "docs" / page).read_text()
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run(commands, folder):
    """Runs a block of commands there; returns what they say."""
    path = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-e", "-c", commands], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, commands + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What each block of the tutorial says, and the folder of it all."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "tutorial").mkdir()
    for kind, name in (("yaml", "features.yaml"), ("python", "train.py")):
        (block,) = blocks("tutorial.md", kind)
        (folder / "tutorial" / name).write_text(block)
    return [run(block, folder) for block in blocks("tutorial.md", "sh")], folder / "tutorial"


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


def test_dead_letters_become_rows_again(tmp_path):
    run("python -m examples.demo --rows 20000", tmp_path)
    _, schema = blocks("dead_letters.md", "json")
    (tmp_path / "demo" / "trips.json").write_text(schema)
    _, counts, _ = (run(block, tmp_path) for block in blocks("dead_letters.md", "sh"))
    assert re.search(r"model_error +NaN +6\b", counts)
    assert pq.read_table(tmp_path / "demo/again").num_rows == 14
