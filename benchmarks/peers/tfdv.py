"""TFDV 1.16.1 in an environment of its own, .venv-tfdv, and programs that run beside ours.

It is the last version that installs on glibc below 2.38. It needs other versions of TensorFlow,
Arrow and numpy than we do, so it is never imported here.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
OURS = sys.executable
THEIRS = str(ROOT / ".venv-tfdv/bin/python")
# TFDV does not say that it needs dill, which newer versions of Beam no longer bring.
_PACKAGES = ("tensorflow-data-validation==1.16.1", "dill", "setuptools<81")


def install() -> None:
    """Makes the environment of TFDV, where it isn't there."""
    if not Path(THEIRS).exists():
        uv = [str(Path(OURS).parent / "uv")]
        folder = str(Path(THEIRS).parents[1])
        subprocess.run([*uv, "venv", "-q", "--python", OURS, folder], check=True)
        into = [*uv, "pip", "install", "-q", "--python", THEIRS]
        subprocess.run([*into, *_PACKAGES], check=True)


def run(python: str, *arguments: str | Path) -> Any:
    """What a program says in its last line, which is JSON.

    Args:
      python: `OURS` or `THEIRS`.
      arguments: The interpreter's, such as `-m` and a module, and the program's.

    Raises:
      RuntimeError: It failed; the text is the end of what it complained.
    """
    command = [python, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])
