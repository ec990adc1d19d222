"""The manifest of a run: where each output says what it is and where it came from."""

import datetime
import json
from collections.abc import Mapping
from typing import Any

from transforms.files import filesystem


def text_of(manifest: Mapping[str, Any]) -> bytes:
    """Returns a manifest as it is stored."""
    return json.dumps(manifest, indent=2).encode()


def write_manifest(uri: str, manifest: Mapping[str, Any]) -> None:
    """Writes a manifest."""
    filesystem.write_bytes(uri, text_of(manifest))


def read_manifest(uri: str) -> dict[str, Any] | None:
    """Returns a manifest, or None if there is none."""
    try:
        if not filesystem.exists(uri):
            return None
        manifest = json.loads(filesystem.read_bytes(uri))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and "run_id" in manifest else None


def now() -> str:
    """Returns the time in the form of manifests."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Returns the versions of what made the outputs."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in ("millrace", "apache-beam", "pyarrow", "tensorflow"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
