"""A call that never returns ends the run."""

import subprocess
import sys
import threading

import pytest

from inference import Model
from inference.time_limit import ModelTimeoutError, TimeLimit
from tests.support import ROOT
from transforms.errors import ConfigError


def test_results_and_errors_come_back():
    limit = TimeLimit(60.0)
    assert [limit.call(lambda i=i: i * 2, 1) for i in range(3)] == [0, 2, 4]
    with pytest.raises(KeyError, match="gone"):
        limit.call(lambda: {}["gone"], 1)
    assert TimeLimit(None).call(threading.current_thread, 1) is threading.current_thread()


def test_a_thread_has_a_helper_of_its_own_that_it_uses_again():
    limit = TimeLimit(60.0)
    first = limit.call(threading.current_thread, 1)
    assert first is limit.call(threading.current_thread, 1)
    assert first.daemon
    assert first is not threading.current_thread()


def test_a_call_that_does_not_return_is_given_up_and_the_next_one_works():
    limit, released = TimeLimit(0.05), threading.Event()
    with pytest.raises(ModelTimeoutError, match=r"step Score.*1,024 rows within 0\.05 s"):
        limit.call(released.wait, 1024)
    assert TimeLimit(60.0).call(lambda: 1, 1) == 1
    released.set()


def test_the_option_is_above_zero(zoo):
    with pytest.raises(ConfigError, match="model_timeout= is above 0"):
        Model.resolve(zoo, model_timeout=0.0)


@pytest.mark.integration
def test_a_job_ends_although_its_model_does_not(zoo, tmp_path):
    (tmp_path / "in.csv").write_text("x\n1\n2000\n")
    command = [sys.executable, "-m", "beam_jobs.score", "--model", zoo, "--signature=hanging"]
    command += [f"--input={tmp_path}/in.csv", f"--output={tmp_path}/out/", "--model_timeout=3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert "step Score: the model has not returned from a call with 2 rows" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
