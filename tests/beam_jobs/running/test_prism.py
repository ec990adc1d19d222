"""Prism, found and run beside this process."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from beam_jobs.running import prism
from transforms.errors import ConfigError, MillraceError

ROOT = Path(__file__).parents[3]


def program(path, text="#!/bin/sh\nexit 0\n"):
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", f"{tmp_path}/bin/python")
    monkeypatch.setenv("PATH", f"{tmp_path}/path")
    for name in ("bin", "path"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_as_given(nowhere):
    program(nowhere / "bin/prism")
    assert prism.find(program(nowhere / "mine")) == f"{nowhere}/mine"


def test_beside_python_before_the_path(nowhere):
    program(nowhere / "path/prism")
    assert prism.find(None) == f"{nowhere}/path/prism"
    program(nowhere / "bin/prism")
    assert prism.find(None) == f"{nowhere}/bin/prism"


def test_nowhere(nowhere):
    with pytest.raises(ConfigError, match=r"`make prism` builds it.*--prism_location"):
        prism.find(None)


@pytest.mark.parametrize("mode", [None, 0o644])
def test_no_program(nowhere, mode):
    path = nowhere / "mine"
    if mode is not None:
        path.touch(mode)
    with pytest.raises(ConfigError, match=f"--prism_location: {path} is no program"):
        prism.find(str(path))


SERVER = """#!{python}
import os, sys, time, grpc
from concurrent.futures import ThreadPoolExecutor
server = grpc.server(ThreadPoolExecutor(1))
port = next(flag.split("=")[1] for flag in sys.argv if flag.startswith("--job_port="))
server.add_insecure_port("localhost:" + port)
server.start()
open({pid!r}, "w").write(str(os.getpid()))
time.sleep(600)
"""


def test_runs_as_long_as_the_context(tmp_path):
    text = SERVER.format(python=sys.executable, pid=f"{tmp_path}/pid")
    with prism.running(program(tmp_path / "prism", text)) as address:
        assert address.startswith("localhost:")
        until = time.monotonic() + 60
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            assert time.monotonic() < until
        pid = int((tmp_path / "pid").read_text())
        assert os.getsid(pid) == pid, "a session of its own: Ctrl-C does not reach it"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_ends_with_the_process_that_started_it(tmp_path):
    server = program(
        tmp_path / "prism", SERVER.format(python=sys.executable, pid=f"{tmp_path}/pid")
    )
    code = (
        "import os, signal; from beam_jobs.running import prism\n"
        f"with prism.running({server!r}): os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    pid, until = int((tmp_path / "pid").read_text()), time.monotonic() + 60
    while running(pid):
        assert time.monotonic() < until


def running(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except OSError:
        return False


def test_one_that_does_not_start(tmp_path, monkeypatch):
    monkeypatch.setattr(prism, "START_SECONDS", 1)
    with (
        pytest.raises(MillraceError, match=r"did not start in 1 s|Prism ended with"),
        prism.running(program(tmp_path / "prism")),
    ):
        pass


def served(folder):
    text = SERVER.format(python=sys.executable, pid=f"{folder}/pid")
    return prism.running(program(folder / "prism", text))


def test_one_that_is_killed_is_named(tmp_path):
    def lose():
        until = time.monotonic() + 60
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            assert time.monotonic() < until
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        raise RuntimeError("the stream was removed")

    why = r"Prism, which runs the job, was ended from outside \(signal 9\)"
    with pytest.raises(MillraceError, match=why), served(tmp_path):
        lose()


def test_a_failure_of_the_job_is_told_as_it_is(tmp_path):
    with pytest.raises(RuntimeError, match="of the job"), served(tmp_path):
        raise RuntimeError("of the job")
