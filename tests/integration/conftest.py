"""Real processes on loopback, started for the session and stopped after it."""

import contextlib
import os
import shutil
import socket
import sys
from collections.abc import Iterator

import pytest

from beam_jobs.rehearsal.storage import emulated
from flink import cluster
from flink.settings import Settings
from tests.integration.streams import Process
from tests.support import ROOT


@pytest.fixture(autouse=True)
def no_job_outlives_its_test() -> Iterator[None]:
    yield
    for job in Process.started:
        if job.process.poll() is None:
            job.kill()
    Process.started.clear()


@pytest.fixture(scope="session")
def bucket() -> Iterator[str]:
    """A bucket of a Cloud Storage emulator, to which this process' clients talk."""
    import google.auth
    from google.auth.credentials import AnonymousCredentials

    with emulated("bucket") as storage, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", storage.url)
        patch.setenv("GOOGLE_CLOUD_PROJECT", "proj-12345")
        patch.setattr(
            google.auth, "default", lambda *_, **__: (AnonymousCredentials(), "proj-12345")
        )
        yield "gs://bucket"


@pytest.fixture(scope="session")
def pubsub() -> Iterator[type]:
    """Makes topics of a Pub/Sub emulator, to which the clients of this process talk."""
    from tests.integration.pubsub import Channel, command, running

    start = command()
    if start is None:
        pytest.skip("needs Java, gcloud's pubsub-emulator and Prism (make prism)")
    with running(start) as (host, _), pytest.MonkeyPatch.context() as patch:
        patch.setenv("PUBSUB_EMULATOR_HOST", host)
        yield Channel


@pytest.fixture(scope="session")
def flink() -> Iterator[Settings]:
    """A Flink cluster of this session, with a pool of workers that import this checkout."""
    if why := cluster.missing():
        pytest.skip(why)
    ports = dict(zip(("rest", "jobs", "artifacts", "workers", "rpc"), free_ports(5), strict=True))
    settings = Settings(
        cluster.FOLDER, sys.executable, python_path=str(ROOT), name=f"test-{os.getpid()}", **ports
    )
    cluster.start(settings)
    try:
        yield settings
    finally:
        cluster.stop(settings)
        shutil.rmtree(settings.place)


def free_ports(number: int) -> list[int]:
    """Returns ports of this machine that nobody listens at, all different."""
    with contextlib.ExitStack() as held:
        found = [held.enter_context(socket.socket()) for _ in range(number)]
        for each in found:
            each.bind(("localhost", 0))
        return [each.getsockname()[1] for each in found]
