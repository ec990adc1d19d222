"""What goes wrong while a job reads messages: nothing is lost, and the user is told."""

import os
import signal
import subprocess
import sys
import time

import pytest

from beam_jobs.rehearsal.storage import free_port
from tests.integration.pubsub import Channel, command, running, times
from tests.integration.streams import Job, at, letters, payload, rows_of, staged, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def published(channel, numbers):
    channel.publish([payload(n) for n in numbers], [at(n / 100) for n in numbers])


def expected(numbers):
    return sorted(float(n) for n in numbers if n != 13)


def test_the_service_stands_still_for_20_s(linear_model, tmp_path, monkeypatch):
    start = command()
    if start is None:
        pytest.skip("needs Java, gcloud's pubsub-emulator and Prism (make prism)")
    out = tmp_path / "out"
    with running(start) as (host, server):
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", host)
        channel = Channel("outage")
        published(channel, range(20_000))
        # Event time would go on after 5 s of quiet: an outage is none.
        job = Job(channel, linear_model, output=f"{out}/", idle_after=5, window=1000)
        wait_until(job, lambda: staged(out))
        server.send_signal(signal.SIGSTOP)
        time.sleep(20)
        server.send_signal(signal.SIGCONT)
        published(channel, range(20_000, 22_000))
        wait_until(job, lambda: len({row["n"] for row in staged(out)}) >= 21_999)
        told = job.drain()
    found = rows_of(out)
    assert not times(row["message_id"] for row in found)
    assert sorted(row["n"] for row in found) == expected(range(22_000))
    assert "Pub/Sub can't be reached; trying again until it can" in told
    assert "Pub/Sub is back after " in told


def test_the_service_is_started_anew_without_its_subscriptions(linear_model, tmp_path, monkeypatch):
    """As an emulator is, which keeps nothing on disk: what was not acknowledged is gone with it."""
    start, port, out = command(), free_port(), tmp_path / "out"
    if start is None:
        pytest.skip("needs Java, gcloud's pubsub-emulator and Prism (make prism)")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{port}")
    settings = {"output": f"{out}/", "run_id": "anew", "allowed_lateness": 3600}
    with running(start, port):
        channel = Channel("anew")
        published(channel, range(2000))
        job = Job(channel, linear_model, **settings)
        wait_until(job, lambda: len({row["n"] for row in staged(out)}) >= 1999)
        time.sleep(2)
    time.sleep(20)
    with running(start, port):
        told = job.ended(2)
        assert "Pub/Sub can't be reached; trying again until it can" in told
        assert f"{channel.source} does not exist" in told
        assert "Traceback" not in told
        channel = Channel("anew")
        # The ids of its messages begin anew too, and within a window they tell what is there.
        published(channel, range(10_000, 11_000))
        job = Job(channel, linear_model, **settings)
        wait_until(job, lambda: len({row["n"] for row in staged(out)}) >= 2999)
        job.drain()
    found = rows_of(out)
    assert not times(row["n"] for row in found)
    assert sorted(row["n"] for row in found) == expected([*range(2000), *range(10_000, 11_000)])


def test_leases_end_while_the_job_stands_still(pubsub, linear_model, tmp_path):
    channel, out = pubsub("leases"), tmp_path / "out"
    published(channel, range(30_000))
    job = Job(channel, linear_model, output=f"{out}/")
    wait_until(job, lambda: staged(out))
    os.kill(job.process.pid, signal.SIGSTOP)
    time.sleep(15)
    os.kill(job.process.pid, signal.SIGCONT)
    wait_until(job, lambda: len({row["n"] for row in staged(out)}) >= 29_999)
    # What is delivered again comes now.
    time.sleep(12)
    told = job.drain()
    found = rows_of(out)
    assert not times(row["message_id"] for row in found)
    assert sorted(row["n"] for row in found) == expected(range(30_000))
    assert int(told.split("duplicates")[1].split()[0].replace(",", "")) > 0, told


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", folder])
    if made.returncode:
        pytest.skip("needs the right to mount a disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk(pubsub, linear_model, small_disk):
    channel, out = pubsub("full"), small_disk / "out"
    filler = small_disk / "filler"
    filler.write_bytes(bytes((4 << 20) - (300 << 10)))
    numbers = range(30_000)
    settings = {"output": f"{out}/", "run_id": "full", "allowed_lateness": 3600}
    job = Job(channel, linear_model, **settings)
    published(channel, numbers)
    told = job.ended(1)
    assert "the disk is full" in told
    assert "Traceback" not in told
    assert "--run_id=full" in told.split("the disk is full")[1]
    assert not times(row["message_id"] for row in rows_of(out))
    filler.unlink()
    job = Job(channel, linear_model, **settings)
    wait_until(job, lambda: len({row["n"] for row in staged(out)}) >= len(numbers) - 1)
    job.drain()
    found = rows_of(out)
    assert not times(row["message_id"] for row in found)
    assert sorted(row["n"] for row in found) == expected(numbers)


def test_a_refused_row_is_a_dead_letter_and_the_others_are_published(pubsub, tmp_path):
    """Of what the emulator knows to refuse, a message without anything in it is one."""
    channel = pubsub("refused")
    (tmp_path / "in.jsonl").write_text('{"text": "x"}\n{"text": ""}\n{"text": "y"}\n')
    command = [sys.executable, "-m", "beam_jobs.ingest", f"--input={tmp_path}/in.jsonl"]
    command += [f"--output={channel.sink}?format=text", f"--dead_letters={tmp_path}/dead/"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert sorted(message.data for message in channel.drain()) == [b"x", b"y"]
    (letter,) = letters(tmp_path / "dead")
    assert letter["reason"] == "publish_error"
