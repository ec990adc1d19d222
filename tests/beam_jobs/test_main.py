import os
import subprocess
import sys

import pytest

import beam_jobs
from beam_jobs.__main__ import main
from beam_jobs.metadata import jobs
from beam_jobs.options.command_line import parse
from beam_jobs.score import Options
from tests.support import ROOT


def test_it_lists_the_jobs(capsys):
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(f"\n  {job} " in told for job in jobs())
    assert "score" in told
    assert "Scores rows of files, or messages, with a TensorFlow model" in told


def test_a_job_that_is_not_there(capsys):
    assert main(["scroe"]) == 2
    assert "there is no job 'scroe'; did you mean score?" in capsys.readouterr().err


def test_a_job_is_run(capsys):
    assert main(["score", "--modle=m"]) == 2
    assert "did you mean --model?" in capsys.readouterr().err


def test_the_version(capsys):
    assert main(["--version"]) == 0
    with pytest.raises(SystemExit, match="0"):
        parse(Options, ["--version"])
    assert capsys.readouterr().out == f"millrace {beam_jobs.__version__}\n" * 2


def test_the_shell_completes_jobs_and_options(tmp_path):
    found = tmp_path / "found"
    line = "millrace score --mod"
    told = {
        "_ARGCOMPLETE": "1",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "_ARGCOMPLETE_STDOUT_FILENAME": str(found),
    }
    code = "import sys; sys.argv = ['millrace']; from beam_jobs.__main__ import main; main([])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **told}, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert "--model" in found.read_text().split("\x0b")[0]
