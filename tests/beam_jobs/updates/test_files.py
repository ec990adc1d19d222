"""Graphs of files, compared by the command."""

import json

import apache_beam as beam
import pytest
from apache_beam.transforms import window

from beam_jobs.rehearse import main


def stored(path, label="Sum", seconds=60):
    root = beam.Pipeline()
    _ = (
        root
        | "Make" >> beam.Create([("a", 1)], reshuffle=False)
        | "Window" >> beam.WindowInto(window.FixedWindows(seconds))
        | label >> beam.GroupByKey()
    )
    path.mkdir()
    (path / "pipeline.pb").write_bytes(root.to_runner_api().SerializeToString())
    (path / "job.json").write_text(json.dumps({"name": "x", "environment": {}}))
    return path


def test_a_renamed_step(tmp_path, capsys):
    old, new = stored(tmp_path / "old"), stored(tmp_path / "new", "Total")
    assert main(["diff", f"{old}/pipeline.pb", f"{new}/job.json"]) == 0
    out, err = capsys.readouterr()
    assert "renamed: Sum -> Total\n" in out
    assert '--transform_name_mapping=\'{"Sum": "Total"}\'\n' in out
    assert err == "rehearse: the update can be made\n"


def test_other_windows(tmp_path, capsys):
    old, new = stored(tmp_path / "old"), stored(tmp_path / "new", seconds=300)
    assert main(["diff", str(old / "job.json"), str(new / "job.json")]) == 1
    assert "not compatible: Sum has other windows: fixed_windows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "there is no file"),
        (b"no graph", "is no graph and no job file"),
        (b"{", "is no graph and no job file"),
        (b'{"name": "x"}', "names no graph"),
        (b"", "holds no steps"),
    ],
)
def test_what_is_no_graph(tmp_path, capsys, content, told):
    path = tmp_path / "x"
    if content is not None:
        path.write_bytes(content)
    assert main(["diff", str(path), str(path)]) == 2
    assert told in capsys.readouterr().err


def test_two_graphs_are_needed(capsys):
    assert main(["diff", "one"]) == 2
    assert "diff takes two graphs: diff OLD NEW" in capsys.readouterr().err
