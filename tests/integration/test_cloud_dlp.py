"""The redact job through Cloud DLP's API: the official client, and the emulator as a process."""

import contextlib
import json
import os
import subprocess
import sys

import pytest

from tests.integration.streams import Process
from tests.privacy.policies import REDACT_CARDS as POLICY

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

NOTES = (
    "write to user{}@example.com",
    "My phone number is 435991{:04d}.",
    "nothing in note {}",
    "",
)
CANARIES = ("@example.com", "@example.org", "4111111111111111", "555-0132", "My phone number is 4")


@pytest.fixture
def trips(tmp_path):
    lines = [f"{i},{4111111111111111 if i % 3 else i},{NOTES[i % 4].format(i)}" for i in range(400)]
    lines[7] = "7,13,call (415) 555-0132 or bob@example.com"
    lines[301] = "301,14,ragged,amy@example.org"
    path = tmp_path / "trips.csv"
    path.write_text("\n".join(["id,card,note", *lines, ""]))
    return path


@contextlib.contextmanager
def emulator(*flags):
    """The emulator as a process; yields its address, and then fills in what it said at the end."""
    command = [sys.executable, "-m", "privacy.server", "--port=0", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        told = [process.stdout.readline().split()[-1]]
        try:
            yield told
        finally:
            process.terminate()
            told.append(process.communicate(timeout=30)[0])


def redacted(folder, trips, engine, code=0, **flags):
    """Runs the job; returns its rows, its dead letters, and what it said."""
    policy = folder / f"{engine}.yaml"
    policy.write_text(
        POLICY.replace("engine: local", f"engine: {engine}").replace(
            "[card]", "[card], leave: [id]"
        )
    )
    out = folder / engine
    job = Process("redact", input=trips, policy=policy, output=f"{out}/?format=jsonl", **flags)
    told = job.ended(code)
    return _lines(out), _lines(folder / f"{engine}.dead_letters"), told


def _lines(folder):
    found = sorted(folder.glob("*.jsonl"))
    return [json.loads(line) for path in found for line in path.read_text().splitlines()]


def _kept(letters):
    """What two runs have in common: not the policy's name, DLP's code, the run and the time."""
    names = ("reason", "step", "source", "column", "payloadString")
    return sorted([str(letter[name]) for name in names] for letter in letters)


@pytest.mark.parametrize("flags", [[], ["--fault=quota:first=4"]], ids=["calm", "storm of 429s"])
def test_both_engines_give_the_same(tmp_path, trips, monkeypatch, flags):
    monkeypatch.setenv("PHONE_KEY", "YWJjZGVmZ2hpamtsbW5vcA==")
    expected, expected_dead, _ = redacted(tmp_path, trips, "local")
    with emulator(*flags) as said:
        monkeypatch.setenv("DLP_EMULATOR_HOST", said[0])
        rows, dead, told = redacted(tmp_path, trips, "cloud", profile="local")
    assert len(rows) == 398
    assert rows == expected
    assert [letter["reason"] for letter in dead] == ["ragged_line", "not_redacted"]
    assert _kept(dead) == _kept(expected_dead)
    assert int(said[1].split()[0]) >= (7 if flags else 3)
    for path in [*tmp_path.rglob("*"), None]:
        if path is None or (path.is_file() and path != trips):
            content = told if path is None else path.read_bytes().decode(errors="replace")
            assert not [canary for canary in CANARIES if canary in content], path


def test_a_lost_permission_stops_the_run_and_nothing_is_published(tmp_path, trips, monkeypatch):
    monkeypatch.setenv("PHONE_KEY", "YWJjZGVmZ2hpamtsbW5vcA==")
    with emulator("--fault=denied:after=1") as said:
        monkeypatch.setenv("DLP_EMULATOR_HOST", said[0])
        rows, dead, told = redacted(tmp_path, trips, "cloud", code=1)
    assert rows == dead == []
    assert "PERMISSION_DENIED: give the worker's account the role roles/dlp.user" in told
    assert not [canary for canary in CANARIES if canary in told]


def test_without_an_emulator_or_project_the_launch_is_refused(tmp_path, trips, monkeypatch):
    monkeypatch.setenv("PHONE_KEY", "YWJjZGVmZ2hpamtsbW5vcA==")
    for name in ("DLP_EMULATOR_HOST", "GOOGLE_CLOUD_PROJECT"):
        if name in os.environ:
            monkeypatch.delenv(name)
    assert "needs the project that is billed" in redacted(tmp_path, trips, "cloud", code=2)[2]
    monkeypatch.setenv("DLP_EMULATOR_HOST", "127.0.0.1:9")
    told = redacted(tmp_path, trips, "cloud", code=2, profile="local")[2]
    assert "--profile=local: DLP_EMULATOR_HOST: nothing listens at 127.0.0.1:9" in told
