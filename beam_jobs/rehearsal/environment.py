"""The environment of an image, made here: our wheel installed, and the checkout out of reach.

Clean are our packages: they come from the wheel alone, built of what templates/Dockerfile copies.
The heavy dependencies are those of the running environment. Their versions are checked against
what the wheel asks for, but they were not installed anew.
"""

import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from transforms.errors import ConfigError, MillraceError

ROOT = Path(__file__).parents[2]
DOCKERFILE = Path("templates/Dockerfile")
_COPY = re.compile(r"^COPY (?!--)(?P<sources>.+) \S+$", re.M)
_DIGEST = "rehearsal.digest"
_SEEN = """\
import importlib, json, sys
names = json.loads(sys.argv[1])
files = [importlib.import_module(name).__file__ for name in names]
print(json.dumps({"files": files, "path": sys.path}))
"""


@dataclass(frozen=True)
class Environment:
    """An environment that a launcher may run in.

    Attributes:
      python: Its interpreter.
      folder: Where it is.
      packages: The packages that the wheel brought.
    """

    python: Path
    folder: Path
    packages: tuple[str, ...]


def environment(folder: Path, root: Path = ROOT) -> Environment:
    """Makes an environment with our wheel in it, or takes one that was made of the same sources.

    Args:
      folder: Where it goes. One of other sources that is there is replaced.
      root: The checkout.

    Raises:
      ConfigError: This is no checkout, or the folder holds something else.
      MillraceError: The wheel can't be built or installed, lacks what it needs, or the checkout
        can be imported in spite of it.
    """
    if not (root / DOCKERFILE).exists():
        raise ConfigError(
            f"{root} is no checkout: a rehearsal builds the wheel as {DOCKERFILE} does"
        )
    sources = sorted(sources_of(root))
    digest, stamp = _digest(root, sources), folder / _DIGEST
    if not stamp.exists() or stamp.read_text() != digest:
        _make(folder, root, sources)
        stamp.write_text(digest)
    packages = tuple(sorted({path.parts[0] for path in sources if path.suffix == ".py"} - {""}))
    made = Environment(folder / "bin/python", folder, tuple(p for p in packages if "." not in p))
    check_isolated(made, root)
    check_requirements(made)
    return made


def sources_of(root: Path) -> Iterator[Path]:
    """Yields the files that the image's build copies, without what interpreters leave there.

    Raises:
      MillraceError: It copies what is not there.
    """
    for match in _COPY.finditer((root / DOCKERFILE).read_text()):
        for name in match["sources"].split():
            if name.startswith(("requirements/", "templates/")):
                continue
            if not (root / name).exists():
                raise MillraceError(f"{DOCKERFILE} copies {name}, which is not there")
            found = (root / name).rglob("*") if (root / name).is_dir() else [root / name]
            yield from (
                path.relative_to(root)
                for path in found
                if path.is_file() and "__pycache__" not in path.parts
            )


def _digest(root: Path, sources: Sequence[Path]) -> str:
    content = hashlib.sha256(sys.version.encode())
    content.update(sysconfig.get_path("purelib").encode())
    for path in sources:
        content.update(f"{path}\0".encode())
        content.update((root / path).read_bytes())
    return content.hexdigest()


def _make(folder: Path, root: Path, sources: Sequence[Path]) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").exists():
        raise ConfigError(f"--environment: {folder} holds something else: name an empty folder")
    venv.create(folder, clear=True)
    wheel = build_wheel(root, sources, folder / "wheel")
    _pip("--python", str(folder / "bin/python"), "install", "--no-deps", "--no-index", str(wheel))
    # As a plain path: the .pth files in it, which may lead to a checkout, are not obeyed.
    own = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    (own / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")


def build_wheel(root: Path, sources: Sequence[Path], folder: Path) -> Path:
    """Builds our wheel of copied sources, so that the checkout is left as it is.

    Args:
      root: The checkout.
      sources: The files to build it of, relative to the root.
      folder: Where the copies and the wheel go.

    Raises:
      MillraceError: The build fails, or the wheel would install what it must not.
    """
    copy = folder / "src"
    for path in sources:
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / path, copy / path)
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(copy))
    shutil.rmtree(copy)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as stored:
        tops = {name.partition("/")[0] for name in stored.namelist()}
    wrong = tops & {"tests", "templates", "benchmarks", "examples"}
    if wrong:
        raise MillraceError(f"the wheel would install {', '.join(sorted(wrong))} beside ours")
    return wheel


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    # A checkout on the path may hold what an earlier build left, which pip takes for installed.
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, env=clean)
    if done.returncode:
        told = (done.stderr or done.stdout).strip()
        raise MillraceError(f"pip {arguments[0]} failed:\n{told}")


def check_isolated(made: Environment, root: Path) -> None:
    """Checks, in the environment itself, that our packages come from it and not from the checkout.

    Raises:
      MillraceError: One does not, or the checkout is on the path.
    """
    command = [str(made.python), "-c", _SEEN, json.dumps(made.packages)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=made.folder, env={})
    if done.returncode:
        raise MillraceError(f"the wheel can't be imported:\n{done.stderr.strip()}")
    seen = json.loads(done.stdout)
    outside = [file for file in seen["files"] if not Path(file).is_relative_to(made.folder)]
    if outside:
        raise MillraceError(f"not from the wheel, but importable: {', '.join(outside)}")
    if str(root) in seen["path"]:
        raise MillraceError(f"the checkout {root} is on the environment's path")


def check_requirements(made: Environment) -> None:
    """Checks that the packages that the wheel asks for are there, in versions that it allows.

    Raises:
      MillraceError: Some are not; the text names all.
    """
    from packaging.requirements import Requirement

    own = sysconfig.get_path("purelib", vars={"base": str(made.folder)})
    (ours,) = importlib.metadata.distributions(name="millrace", path=[own])
    wrong = []
    for text in ours.requires or ():
        wanted = Requirement(text)
        if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            there = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            there = ""
        if not there or not wanted.specifier.contains(there, prereleases=True):
            wrong.append(f"{text} ({there or 'not there'})")
    if wrong:
        raise MillraceError(f"the wheel needs other packages than are here: {', '.join(wrong)}")
