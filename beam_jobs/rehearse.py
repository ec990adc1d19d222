"""The launch of a Flex Template on this machine: python -m beam_jobs.rehearse score --input ..."""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from beam_jobs.rehearsal.rehearsal import rehearse
from beam_jobs.running.failures import report
from beam_jobs.running.logs import say
from transforms.errors import ConfigError

COMMAND = "python -m beam_jobs.rehearse"
_ABOUT = """\
Launches a job's Flex Template on this machine, as Dataflow's launcher would, and looks at the job
that Dataflow would start: wheel, parameters, arguments, time, job file. Nothing is started and
nothing leaves this machine; Cloud Storage is an emulator. Files that the parameters name are
copied into it.
"""
_EXAMPLES = """\
examples:
  python -m beam_jobs.rehearse score --input=day.csv --model=models/tips/3 --output=scored/
  python -m beam_jobs.rehearse --environment=.rehearsal score --input=day.csv --model=m.keras \\
      --output=scored/ --gpu=nvidia-l4:1 --machine_type=g2-standard-8

Exit codes: 0 the launch is fine, 1 it is not (the text tells why), 2 wrong usage.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Rehearses a launch; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--environment", metavar="FOLDER", help="keep the environment here")
    seconds = "how long the launcher may take (default: 120; Dataflow gives it some 600, on less)"
    parser.add_argument("--seconds", type=float, default=120.0, help=seconds)
    parser.add_argument("job", help="the job, such as score")
    about = "--name=value: the template's parameters, and options of its machines"
    parser.add_argument("parameters", nargs=argparse.REMAINDER, help=about)
    given = parser.parse_args(argv)
    try:
        with _folder(given.environment) as folder:
            asked = pairs(given.parameters)
            wrong = rehearse(given.job, asked, folder, given.seconds, _tell).faults
    except KeyboardInterrupt:
        return say("rehearse", "interrupted", 130)
    except Exception as error:
        return report("rehearse", error)
    for fault in wrong:
        say("rehearse", fault)
    return say("rehearse", "the launch fails" if wrong else "the launch is fine", int(bool(wrong)))


def _tell(line: str) -> None:
    print(line, flush=True)


@contextlib.contextmanager
def _folder(kept: str | None) -> Iterator[Path]:
    if kept:
        yield Path(kept).absolute()
        return
    with tempfile.TemporaryDirectory(prefix="millrace-rehearsal-") as folder:
        yield Path(folder)


def pairs(arguments: Sequence[str]) -> dict[str, str]:
    """Reads `--name=value` or `--name value`, as the jobs do.

    Raises:
      ConfigError: An argument is no option, or one is given twice: a template has each once.
    """
    found: dict[str, str] = {}
    waiting = list(arguments)
    while waiting:
        flag, equals, value = waiting.pop(0).partition("=")
        if not flag.startswith("--") or flag == "--":
            raise ConfigError(f"unexpected {flag!r}: every argument is --option=value")
        if not equals:
            alone = not waiting or waiting[0].startswith("--")
            value = "true" if alone else waiting.pop(0)
        if flag[2:] in found:
            raise ConfigError(f"{flag} is given twice, but a template passes each value once")
        found[flag[2:]] = value
    return found


if __name__ == "__main__":
    sys.exit(main())
