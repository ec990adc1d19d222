"""Notes which versions an image is built with, and checks at each start that they still are so.

A worker whose packages differ from those of the launcher fails with errors that name neither: of
pickles, of protos, of symbols. Here it ends at once, and says which.

usage: versions.py record BEAM_VERSION | versions.py check
"""

import importlib.metadata
import json
import platform
import sys
from pathlib import Path

NOTED = Path(__file__).with_name("versions.json")
CHECKED = (
    "apache-beam",
    "grpcio",
    "keras",
    "millrace",
    "numpy",
    "protobuf",
    "pyarrow",
    "tensorflow",
    "tensorflow-metadata",
    "tensorflow-transform",
    "tfx-bsl",
)


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that workers and launchers must share."""
    found = {"python": platform.python_version()}
    for name in CHECKED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "none"
    return found


def record(beam: str) -> list[str]:
    """Notes the versions; returns what is wrong with them.

    Args:
      beam: The version of the image that the SDK's boot program is from.
    """
    found = versions()
    wrong = [f"{name} is not installed" for name, version in found.items() if version == "none"]
    if found["apache-beam"] != beam:
        wrong.append(f"apache-beam is {found['apache-beam']}, but its boot program is of {beam}")
    if not wrong:
        NOTED.write_text(json.dumps(found, indent=2) + "\n")
    return wrong


def check() -> list[str]:
    """Returns how the versions differ from those that were noted."""
    noted, found = json.loads(NOTED.read_text()), versions()
    return [
        f"{name} is {found.get(name)}, but the image was built with {version}"
        for name, version in noted.items()
        if found.get(name) != version
    ]


def main(argv: list[str]) -> int:
    """Notes or checks; returns the exit code."""
    wrong = record(argv[1]) if argv[0] == "record" else check()
    for fault in wrong:
        # As Cloud Logging reads it.
        print(json.dumps({"severity": "ERROR", "message": f"millrace: {fault}"}), file=sys.stderr)
    if wrong:
        hint = "install packages in the image (templates/Dockerfile), not at a worker's start"
        print(json.dumps({"severity": "ERROR", "message": f"millrace: {hint}"}), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
