"""A job on messages as a process, and what it leaves."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import ClassVar

import pyarrow as pa
import pyarrow.dataset as ds

START = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


class Process:
    """A job with these options, as a process; it ends with its test at the latest."""

    started: ClassVar = []

    def __init__(self, job, **flags):
        command = [sys.executable, "-m", f"beam_jobs.{job}"]
        command += [f"--{name}={value}" for name, value in flags.items()]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.started.append(self)

    def drain(self):
        """Asks it to end, and returns what it said."""
        self.process.send_signal(signal.SIGINT)
        return self.ended(0)

    def ended(self, code, seconds=120):
        """Waits until it has ended so, and returns what it said."""
        told = self.process.communicate(timeout=seconds)[0]
        assert self.process.returncode == code, told
        return told

    def kill(self):
        """Ends it at once, and returns what it said."""
        self.process.kill()
        return self.process.communicate()[0]


class Job(Process):
    """A score job that reads messages."""

    def __init__(self, channel, model, **flags):
        flags = {
            "input": f"{channel.source}?attributes=time",
            "model": model,
            "map": "x=n;y=n",
            "event_time_column": "time",
            "max_disorder": 10,
            "idle_after": 600,
            # After so many seconds Beam's client would no longer wait for the job.
            "job_server_timeout": 2,
            **flags,
        }
        super().__init__("score", **flags)


def payload(number):
    return json.dumps({"n": number, "name": "x"}).encode()


def at(seconds):
    return {"time": datetime.fromtimestamp(START + seconds, UTC).isoformat()}


def rows_of(folder):
    if not folder.exists():
        return []
    schema = pa.schema([("n", pa.float64()), ("message_id", pa.string())])
    return ds.dataset(folder, partitioning="hive", schema=schema).to_table().to_pylist()


def wait_until(job, condition, seconds=90):
    until = time.monotonic() + seconds
    while not condition():
        assert job.process.poll() is None, job.kill()
        assert time.monotonic() < until, job.kill()
        time.sleep(0.1)


def letters(folder):
    lines = [line for path in folder.rglob("*.jsonl") for line in path.read_text().splitlines()]
    return [json.loads(line) for line in lines]


def staged(folder):
    """Rows that are committed, or wait in the log."""
    found = letters(folder) if folder.name.endswith(".dead_letters") else rows_of(folder)
    for path in folder.parent.glob(f".{folder.name}.stream-*/log/*.arrow"):
        with contextlib.suppress(OSError, pa.ArrowInvalid):
            found += pa.ipc.open_file(str(path)).read_all().to_pylist()
    return found


def manifests(folder):
    return [json.loads(path.read_text()) for path in folder.glob("_millrace/panes/*.json")]
