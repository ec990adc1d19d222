"""docs/scoring.md: every block runs, one after the other."""

import csv
import json
import re

import pytest

from tests.support import ROOT

TEXT = (ROOT / "docs" / "scoring.md").read_text()


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """What the blocks print, and the folder that they work in."""
    folder, printed = tmp_path_factory.mktemp("docs"), []
    names = {"print": lambda *words: printed.append(words[0])}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for number, block in enumerate(blocks("python")):
            exec(compile(block, f"docs/scoring.md, block {number}", "exec"), names)
    return printed, folder


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_in_a_notebook(ran):
    scored, rejected, *_ = ran[0]
    assert scored["id"].tolist() == ["a", "c"]
    assert scored["price"].tolist() == [23.0, 59.0]
    assert rejected == 0


def test_in_a_pipeline(ran):
    (_, _, summary, _), folder = ran
    told = dict(re.findall(r"^ *(rows \w+) +(\d+)$", summary, re.MULTILINE))
    assert told == {"rows in": "3", "rows out": "2", "rows dead": "1"}
    with (folder / "scored.csv").open() as file:
        lines = list(csv.reader(file))
    assert [line[:4] for line in lines[1:]] == [
        ["a", "1", "2", "23"],
        ["c", "4", "5", "59"],
    ]
    (dead,) = (json.loads(file.read_text()) for file in folder.glob("dead/*.jsonl"))
    assert dead["column"] == "f0"


def test_a_wrong_column(ran):
    error = ran[0][-1]
    assert 'mapping={"features": "f*"}' in str(error)


def test_the_job(ran, monkeypatch):
    from beam_jobs.score import main

    monkeypatch.chdir(ran[1])
    command, *_ = blocks("sh")
    words = command.replace("'", "").split()
    assert words[:3] == ["python", "-m", "beam_jobs.score"]
    assert main(words[3:]) == 0
    counts = json.loads((ran[1] / "scored/_millrace/run.json").read_text())["counts"]
    assert (counts["rows_in"], counts["rows_out"]) == (3, 2)
