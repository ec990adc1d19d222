"""Real processes on loopback, started for the session and stopped after it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

JAR = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"
EMULATOR = f"usr/lib/google-cloud-sdk/{JAR}"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(url: str, seconds: float = 30) -> None:
    """Waits until a server answers, whatever it says."""
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=1)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


@pytest.fixture(scope="session")
def bucket() -> Iterator[str]:
    """A bucket of a Cloud Storage emulator, to which this process' clients talk."""
    import google.auth
    from google.auth.credentials import AnonymousCredentials

    port = free_port()
    command = [os.path.join(os.path.dirname(sys.executable), "gcp-storage-emulator"), "start"]
    flags = ["--host=127.0.0.1", f"--port={port}", "--in-memory", "--default-bucket=bucket"]
    server = subprocess.Popen(
        [*command, *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    patch = pytest.MonkeyPatch()
    try:
        wait_for(f"http://127.0.0.1:{port}/")
        patch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
        patch.setenv("GOOGLE_CLOUD_PROJECT", "proj-12345")
        patch.setattr(
            google.auth, "default", lambda *_, **__: (AnonymousCredentials(), "proj-12345")
        )
        yield "gs://bucket"
    finally:
        patch.undo()
        server.kill()
        server.wait()


@pytest.fixture(scope="session")
def pubsub() -> Iterator[type]:
    """Makes topics of a Pub/Sub emulator, to which the clients of this process talk."""
    jars = sorted(Path("/").glob(EMULATOR)) + sorted(Path.home().glob(f"google-cloud-sdk/{JAR}"))
    java, prism = shutil.which("java"), shutil.which("prism", path=os.path.dirname(sys.executable))
    if not (jars and java and prism):
        pytest.skip("needs Java, gcloud's pubsub-emulator and Prism (make prism)")
    port = free_port()
    command = [java, "-Xmx512m", "-jar", str(jars[-1]), "--host=127.0.0.1", f"--port={port}"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    patch = pytest.MonkeyPatch()
    try:
        wait_for(f"http://127.0.0.1:{port}/")
        patch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{port}")
        from tests.integration.pubsub import Channel

        yield Channel
    finally:
        patch.undo()
        server.kill()
        server.wait()
