"""Interrupts: a signal stops a local run in order, and publishes nothing."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_jobs.running.interrupts import Interrupts
from transforms import progress

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.usefixtures("fresh_counts")


def test_a_first_signal_stops_the_workers_and_handlers_come_back():
    before = signal.getsignal(signal.SIGTERM)
    with Interrupts() as interrupts:
        assert interrupts.signal == 0
        os.kill(os.getpid(), signal.SIGTERM)
        _wait_for(lambda: interrupts.signal)
        assert (interrupts.signal, interrupts.exit_code) == (signal.SIGTERM, 143)
        with pytest.raises(progress.Stopped):
            progress.add("read", rows=1)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_is_met_while_the_main_thread_waits():
    lock = threading.Lock()
    lock.acquire()
    with Interrupts(stop=lock.release) as interrupts:
        killer = f"import os, time; time.sleep(0.2); os.kill({os.getpid()}, {signal.SIGINT:d})"
        with subprocess.Popen([sys.executable, "-c", killer]):
            assert lock.acquire(timeout=30)
    assert interrupts.exit_code == 130


def _wait_for(condition):
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_signals_to_a_run_elsewhere_do_what_they_always_do():
    before = signal.getsignal(signal.SIGINT)
    with Interrupts(in_process=False):
        assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_ends_a_local_run_in_order(tmp_path):
    pq.write_table(pa.table({"id": range(20_000)}), tmp_path / "in.parquet", row_group_size=100)
    jobs = {}
    # Long enough that the run is not over when it is looked at, on a machine that is busy too.
    slow = {**os.environ, "TINY_SECONDS": "4"}
    for number in (signal.SIGINT, signal.SIGTERM):
        flags = [f"--input={tmp_path}/in.parquet", f"--output={tmp_path}/{number}/", "--fault=slow"]
        command = [sys.executable, "-m", "tests.beam_jobs.tiny_job", *flags]
        jobs[number] = subprocess.Popen(
            command, cwd=ROOT, env=slow, stderr=subprocess.PIPE, text=True
        )
    for number, job in jobs.items():
        _wait_for(lambda n=number: list(tmp_path.glob(f".{int(n)}.millrace-*/Write-*")))
        job.send_signal(number)
    for number, job in jobs.items():
        told = job.communicate(timeout=60)[1]
        assert job.returncode == 128 + number, told
        assert told.splitlines()[-1] == "tiny_job: stopped; nothing was published"
        assert "Traceback" not in told
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


def test_signals_at_the_same_moment_count_as_one():
    """As `timeout` sends them: to the process, and to its group."""
    stopped = threading.Event()
    with Interrupts(stop=stopped.set):
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGINT)
        assert stopped.wait(30)
        time.sleep(0.1)
