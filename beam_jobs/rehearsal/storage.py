"""Cloud Storage for a rehearsal: an emulator on loopback, filled with the files that are named."""

import contextlib
import glob
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transforms.errors import ConfigError, MillraceError

BUCKET = "rehearsal"
_READY_SECONDS = 30.0


@dataclass(frozen=True)
class Storage:
    """An emulator that answers.

    Attributes:
      url: Where it listens.
      bucket: The name of its one bucket.
    """

    url: str
    bucket: str

    def put(self, local: str, name: str) -> str:
        """Stores a file, the files of a folder or those of a glob.

        Args:
          local: Where they are on this machine.
          name: The folder for them in the bucket.

        Returns: The URI that stands for them there.

        Raises:
          ConfigError: There are none.
        """
        path = Path(local)
        if path.is_dir():
            files = sorted(found for found in path.rglob("*") if found.is_file())
            for found in files:
                self.write(f"{name}/{path.name}/{found.relative_to(path)}", found)
            stored = path.name
        else:
            files = [Path(found) for found in sorted(glob.glob(local))]
            for found in files:
                self.write(f"{name}/{found.name}", found)
            stored = path.name
        if not files:
            raise ConfigError(f"--{name}: there is no file {local}")
        return f"gs://{self.bucket}/{name}/{stored}"

    def write(self, name: str, file: Path) -> None:
        """Stores a file as an object."""
        self._bucket().blob(name).upload_from_filename(str(file))

    def read(self, uri: str) -> bytes | None:
        """Returns the content of an object; None where there is none."""
        from google.api_core.exceptions import NotFound

        try:
            content: bytes = self._bucket().blob(self.name_of(uri)).download_as_bytes()
        except NotFound:
            return None
        return content

    def name_of(self, uri: str) -> str:
        """Returns the name of an object within the bucket."""
        return uri.removeprefix(f"gs://{self.bucket}/")

    def _bucket(self) -> Any:
        import google.cloud.storage as storage
        from google.auth.credentials import AnonymousCredentials

        client = storage.Client(
            project="rehearsal",
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": self.url},
        )
        return client.bucket(self.bucket)


@contextlib.contextmanager
def emulated(bucket: str = BUCKET) -> Iterator[Storage]:
    """Runs an emulator of Cloud Storage with one bucket, in memory, on a free port.

    Raises:
      ConfigError: The emulator isn't installed.
    """
    program = Path(sys.executable).with_name("gcp-storage-emulator")
    if not program.exists():
        raise ConfigError("Cloud Storage's emulator is needed: pip install gcp-storage-emulator")
    port = free_port()
    command = [str(program), "start", "--host=127.0.0.1", f"--port={port}", "--in-memory"]
    server = subprocess.Popen(
        [*command, f"--default-bucket={bucket}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}/")
        yield Storage(url, bucket)
    finally:
        server.kill()
        server.wait()


def free_port() -> int:
    """Returns a port of this machine that nothing listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(url: str, seconds: float = _READY_SECONDS) -> None:
    """Waits until a server answers, whatever it says.

    Raises:
      MillraceError: It does not in time.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except urllib.error.HTTPError as answer:
            answer.close()
            return
        except OSError as error:
            if time.monotonic() > end:
                raise MillraceError(f"nothing answers at {url}: {error}") from None
            time.sleep(0.1)
