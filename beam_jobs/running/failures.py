"""The error of a failed run, in a line or two: the root cause, without the runner's traceback."""

import errno
import os
import re
import shutil
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from transforms.errors import ConfigError, MillraceError, Refused

FAILED, WRONG_USAGE, GATE_SAID_NO = 1, 2, 3

_STEP = re.compile(r" \[while running '(?P<step>[^']*)'\](?P<quote>[\"']?)\s*$")
_TYPED = re.compile(r"(?P<kind>[A-Za-z_][\w.]*): (?P<text>.*)", re.S)
_WRAPPED = re.compile(r"RuntimeError: (?=[A-Za-z_][\w.]*(?:Error|Exception|File|Rows): )")
_ERRNO = re.compile(r"\[[Ee]rrno (?P<number>\d+)\]")
_PATH = re.compile(r": '(?P<path>[^']+)'\s*$")
_JAVA_FRAMES = re.compile(r"\s*^\tat .*", re.M | re.S)
_MAX_TEXT = 400
_ABOUT_OPTIONS = ("--", "missing: --", "unexpected ")
"""How texts begin where the options may help; the other texts say the way out themselves."""


@dataclass(frozen=True)
class Cause:
    """The root of a failure.

    Attributes:
      kind: The exception's type, by its whole name where it is known.
      text: Its text.
      step: The label of the step in which it happened, or "".
    """

    kind: str
    text: str
    step: str = ""


def cause(error: BaseException) -> Cause:
    """Returns the root of a failure; the local runner hides it in the text of a RuntimeError."""
    text = _JAVA_FRAMES.sub("", str(error))
    step = ""
    if found := _STEP.search(text):
        step = found["step"]
        text = text[: found.start()] + found["quote"]
    if type(error) is RuntimeError:
        last = _WRAPPED.sub("", _last_exception(text), count=1)
        if typed := _TYPED.fullmatch(last):
            return Cause(typed["kind"], typed["text"].strip(), step)
    return Cause(f"{type(error).__module__}.{type(error).__qualname__}", text.strip(), step)


def _last_exception(text: str) -> str:
    """Returns the text after the last frame of a traceback, or else the whole text."""
    lines = text.splitlines()
    frames = [index for index, line in enumerate(lines) if line.startswith('  File "')]
    start = frames[-1] + 1 if frames else 0
    while start < len(lines) and frames and lines[start].startswith("    "):
        start += 1
    return "\n".join(lines[start:]).strip()


def explain(error: BaseException, outputs: Sequence[str] = ()) -> tuple[int, str]:
    """Returns the exit code of a failure, and its text for the user.

    Args:
      error: What was raised in the launcher or, wrapped by the runner, in a worker.
      outputs: Where the run writes, to name them when a disk is full.
    """
    found = cause(error)
    own = _own_error(found.kind)
    if own is not None:
        code = 2 if issubclass(own, ConfigError) else 3 if issubclass(own, Refused) else 1
        return code, found.text
    if text := _system_error(found, outputs):
        return FAILED, text
    if found.kind.endswith("DefaultCredentialsError"):
        return FAILED, "no Google credentials: run `gcloud auth application-default login` first"
    where = f" in step {found.step!r}" if found.step else ""
    text = found.text if len(found.text) <= _MAX_TEXT else found.text[:_MAX_TEXT] + "..."
    short = " ".join(text.split())
    hint = "" if debug() else "\nMILLRACE_DEBUG=1 in the environment shows the whole traceback"
    return FAILED, f"{found.kind.rpartition('.')[2]}{where}: {short}{hint}"


def _own_error(kind: str) -> type[MillraceError] | None:
    module, _, name = kind.rpartition(".")
    found = getattr(sys.modules.get(module), name, None)
    return found if isinstance(found, type) and issubclass(found, MillraceError) else None


def _system_error(found: Cause, outputs: Sequence[str]) -> str | None:
    """Returns the text for a full disk and the like; None for other failures."""
    number = _ERRNO.search(found.text)
    if number is None:
        return None
    code, path = int(number["number"]), _PATH.search(found.text)
    place = path["path"] if path else ""
    if code == errno.EFBIG:
        return f"{place or ', '.join(outputs)}: a file may not be that large here (see ulimit -f)"
    if code in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full: {place or _disks(outputs)}. Make room, and run it again"
    if code in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{place or ', '.join(outputs)}: {os.strerror(code).lower()}"
    return f"{place}: {os.strerror(code).lower()}" if place else None


def _disks(outputs: Sequence[str]) -> str:
    """Returns the outputs that lie on this machine's disks, with the space left."""
    found = []
    for output in outputs:
        folder = os.path.abspath(output)
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        if "://" not in output:
            found.append(f"{output} ({shutil.disk_usage(folder).free / 1e6:,.0f} MB free)")
    return ", ".join(found) or "temporary files"


def debug() -> bool:
    """Returns whether tracebacks are wanted."""
    return os.environ.get("MILLRACE_DEBUG", "") not in ("", "0")


def report(job: str, error: BaseException, outputs: Sequence[str] = ()) -> int:
    """Prints a failure to stderr.

    Returns: The exit code.
    """
    code, text = explain(error, outputs)
    if debug():
        traceback.print_exception(error)
    print(f"{job}: error: {text}", file=sys.stderr)
    if code == WRONG_USAGE and text.startswith(_ABOUT_OPTIONS):
        print(f"`python -m beam_jobs.{job} --help` lists the options", file=sys.stderr)
    return code
