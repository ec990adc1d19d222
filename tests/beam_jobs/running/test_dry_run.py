"""A dry run: what would run is shown, and nothing is started."""

import pytest

from beam_jobs.score import main
from tests.beam_jobs.flags import DATAFLOW


@pytest.fixture
def argv(tmp_path, linear_model):
    (tmp_path / "in.csv").write_text("x,y,name\n1,1,a\n")
    return [f"--input={tmp_path}/in.csv", f"--model={linear_model}", "--dry_run"]


def part(told, title):
    """The lines under a title."""
    after = told.split(f"{title}:\n", 1)[1].splitlines()
    end = next((at for at, line in enumerate(after) if not line.startswith("  ")), len(after))
    return [line[2:] for line in after[:end]]


def test_nothing_is_written_here(tmp_path, argv, capsys):
    assert main([*argv, f"--output={tmp_path}/out/", "--gpu=nvidia-l4:1"]) == 0
    out, err = capsys.readouterr()
    assert "score: a dry run: nothing was started" in err
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]
    names = [line.split()[0] for line in part(out, "steps") if not line.startswith(" ")]
    assert names == ["Read", "Score", "Write", "Commit"]
    (environment,) = part(out, "environments")
    assert "accelerator" not in environment
    assert "--gpu=nvidia-l4:1" in part(out, "options")


def test_dataflow_gets_hints_on_inference_alone(tmp_path, argv, capsys, monkeypatch):
    from beam_jobs import launch

    # The input stands for one in a bucket, which could not be looked at without a network.
    monkeypatch.setattr(launch, "_check_reach", lambda *_: None)
    flags = [*DATAFLOW, "--machine_type=g2-standard-8", "--gpu=nvidia-l4:1"]
    assert main([*argv, *flags, "--output=gs://bucket/out/"]) == 0
    out, _ = capsys.readouterr()
    first, second = sorted(part(out, "environments"), key=len)
    assert first.endswith(" registry/score:1")
    hint = "accelerator=type:nvidia-l4;count:1;install-nvidia-driver"
    assert second.endswith(f" registry/score:1 {hint}")
    number = second.split()[0]
    marked = [line.split()[0] for line in part(out, "steps") if number in line.split()[-1]]
    assert marked == ["Score", "RunInference"]
    assert "--machine_type=g2-standard-8" in part(out, "options of Beam")
