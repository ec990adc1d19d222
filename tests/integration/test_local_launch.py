"""Jobs at emulators alone: what `--profile=local` connects to, and topics as input."""

import contextlib
import json
import os
import socket
import threading
import time

import google.auth
import grpc
import pyarrow.dataset as ds
import pytest
from google.api_core.exceptions import NotFound
from google.cloud import pubsub_v1

from tests.integration.streams import Process, wait_until
from transforms.files import filesystem
from transforms.io.pubsub import drain

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

SCHEMA = 'feature { name: "n" type: INT }'


class Job(Process):
    """An ingest job of the local profile."""

    def __init__(self, folder, **flags):
        (folder / "schema.pbtxt").write_text(SCHEMA)
        flags = {"schema": folder / "schema.pbtxt", "window": 1, "profile": "local", **flags}
        super().__init__("ingest", **flags)


def subscriptions(channel):
    """Those of its topic that a job made."""
    found = pubsub_v1.PublisherClient().list_topic_subscriptions(topic=channel.topic)
    return [name for name in found if "/millrace-" in name]


def rows_of(folder):
    if not folder.exists():
        return []
    return sorted(ds.dataset(folder, partitioning="hive").to_table()["n"].to_pylist())


def numbers(*values):
    return [json.dumps({"n": value}).encode() for value in values]


def waiting(channel, name):
    with contextlib.suppress(NotFound):
        return pubsub_v1.SubscriberClient().get_subscription(subscription=name)
    return None


def test_a_topic_from_start_to_drain(pubsub, tmp_path):
    channel, out = pubsub("watched"), tmp_path / "out"
    channel.publish(numbers(0))
    job = Job(tmp_path, input=channel.sink, output=f"{out}/")
    wait_until(job, lambda: subscriptions(channel))
    (name,) = subscriptions(channel)
    assert waiting(channel, name).ack_deadline_seconds == 60
    channel.publish(numbers(*range(1, 500)))
    wait_until(job, lambda: staged(tmp_path) >= 1)
    time.sleep(3)
    told = job.drain()
    assert rows_of(out) == list(range(1, 500)), "what was published before is not the run's"
    assert f"reads subscription {name}, made on {channel.topic}" in told
    assert f"subscription {name} is deleted: nothing waited in it" in told
    assert subscriptions(channel) == []
    manifest = json.loads((out / "_millrace/run.json").read_text())
    assert manifest["options"]["input"] == channel.sink
    assert name.endswith(f"/millrace-{manifest['run_id']}")


def staged(folder):
    """How many files of rows there are, committed or not."""
    return len([*folder.glob("out/**/*.parquet"), *folder.glob(".out.stream-*/log/*.arrow")])


def test_the_same_run_goes_on_with_what_came_meanwhile(pubsub, tmp_path):
    channel, out = pubsub("resumed"), tmp_path / "out"
    flags = {"input": channel.sink, "output": f"{out}/", "run_id": "mine"}
    job = Job(tmp_path, **flags)
    wait_until(job, lambda: subscriptions(channel))
    channel.publish(numbers(*range(100)))
    wait_until(job, lambda: staged(tmp_path) >= 1)
    time.sleep(3)
    told = job.drain()
    (name,) = subscriptions(channel)
    assert name.endswith("/millrace-mine")
    assert f"subscription {name} stays: --run_id was given" in told
    # The emulator would give messages to pulls of the process that is gone, and lease them.
    time.sleep(6)
    channel.publish(numbers(*range(100, 200)))
    job = Job(tmp_path, **flags)
    wait_until(job, lambda: staged(tmp_path) >= 2)
    time.sleep(3)
    told = job.drain()
    assert f"reads subscription {name}, of {channel.topic}: with what waits in it" in told
    assert rows_of(out) == list(range(200))
    elsewhere = pubsub("elsewhere")
    flags |= {"input": elsewhere.sink, "output": f"{tmp_path}/other/"}
    told = Job(tmp_path, **flags).ended(2)
    assert f"is there already, on {channel.topic} and not on {elsewhere.topic}" in told
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("flag", ["input", "output"])
def test_what_is_not_there_ends_the_launch(pubsub, tmp_path, flag):
    channel = pubsub(f"there-{flag}")
    flags = {"input": channel.source, "output": channel.sink}
    flags[flag] += "-gone"
    told = Job(tmp_path, dead_letters=f"{tmp_path}/dead/", **flags).ended(2)
    command = "subscriptions create" if flag == "input" else "topics create"
    assert f"ingest: error: --{flag}: {flags[flag]} does not exist; `" in told
    assert f"gcloud pubsub {command} {flags[flag].removeprefix('pubsub://')}" in told


@pytest.fixture
def connections(monkeypatch):
    """The addresses that this process connects to or asks for, by Python or by gRPC."""
    found = set()

    def recorded(kind, name):
        real = getattr(kind, name)

        def call(*args, **settings):
            found.add(str(settings.get("target") or args[1 if kind is socket.socket else 0]))
            return real(*args, **settings)

        monkeypatch.setattr(kind, name, call)

    recorded(socket.socket, "connect")
    recorded(socket.socket, "connect_ex")
    recorded(socket, "getaddrinfo")
    recorded(grpc, "insecure_channel")
    recorded(grpc, "secure_channel")
    return found


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_local_profile_connects_to_the_emulators_alone(
    bucket, pubsub, tmp_path, monkeypatch, connections
):
    """Files and messages, with all that would lead elsewhere in the environment.

    Threads of Beam's worker fail when Prism ends; a job's own process is gone by then.
    """
    from apache_beam.internal.gcp.auth import _Credentials

    from beam_jobs.ingest import main

    def looked_up(*_, **__):
        raise AssertionError("credentials were looked up")

    def drain_later():
        until = time.monotonic() + 60
        while len(found) < 2 and time.monotonic() < until:
            found.extend(out.drain(1.0))
        drain.ask()

    channel, out, found = pubsub("only"), pubsub("only-out"), []
    channel.publish(numbers(1, 2))
    for name, content in (("in.jsonl", b'{"n": 1}\n{"n": 2}\n'), ("s.pbtxt", SCHEMA.encode())):
        with filesystem.open_write(f"{bucket}/only/{name}") as stream:
            stream.write(content)
    hosts = {os.environ[f"{name}_EMULATOR_HOST"] for name in ("STORAGE", "PUBSUB")}
    ports = {host.rpartition(":")[2] for host in hosts}
    monkeypatch.setattr(google.auth, "default", looked_up)
    monkeypatch.setattr(_Credentials, "_credentials_init", False)
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setenv("http_proxy", "http://proxy.invalid:3128")
    monkeypatch.setenv("API_ENDPOINT_OVERRIDE", "https://storage.invalid")
    connections.clear()
    flags = [f"--schema={bucket}/only/s.pbtxt", "--profile=local"]
    assert main([*flags, f"--input={bucket}/only/in.jsonl", f"--output={bucket}/only/out/"]) == 0
    waiter = threading.Thread(target=drain_later)
    waiter.start()
    dead = f"--dead_letters={tmp_path}/dead/"
    assert main([*flags, f"--input={channel.source}", f"--output={out.sink}", dead]) == 0
    waiter.join()
    assert sorted(json.loads(message.data)["n"] for message in found) == [1, 2]
    # Beam's runner serves its own workers on this machine.
    here = ("localhost", "127.0.0.1", "('127.0.0.1'", "[::1]", "('::1'")
    assert {at for at in connections if not at.startswith(here)} == set()
    assert {port for port in ports if any(port in at for at in connections)} == ports
