"""The launch of a Flex Template on this machine: python -m beam_jobs.rehearse score --input ..."""

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from beam_jobs.rehearsal.rehearsal import Rehearsed, rehearse
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
  python -m beam_jobs.rehearse --keep=new/ score --input=day.csv --model=m.keras --output=scored/
  python -m beam_jobs.rehearse diff old/pipeline.pb new/pipeline.pb

`diff` compares two graphs, of this machine or gs://, and proposes the transform_name_mapping of an
update; a job file stands for the graph that it names.

Exit codes: 0 the launch is fine, or the update possible, 1 not (the text says why), 2 wrong usage.
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
    about = "store the job file and its graph here: job.json and pipeline.pb"
    parser.add_argument("--keep", metavar="FOLDER", help=about)
    seconds = "how long the launcher may take (default: 120; Dataflow gives it some 600, on less)"
    parser.add_argument("--seconds", type=float, default=120.0, help=seconds)
    parser.add_argument("job", help="the job, such as score; or diff")
    about = "--name=value: the template's parameters, and options of its machines"
    parser.add_argument("parameters", nargs=argparse.REMAINDER, help=about)
    given = parser.parse_args(argv)
    if given.job == "diff":
        return _diff(given.parameters)
    try:
        with _folder(given.environment) as folder:
            asked = pairs(given.parameters)
            found = rehearse(given.job, asked, folder, given.seconds, _tell)
            wrong = found.faults
            if given.keep:
                _keep(found, Path(given.keep))
    except KeyboardInterrupt:
        return say("rehearse", "interrupted", 130)
    except Exception as error:
        return report("rehearse", error)
    for fault in wrong:
        say("rehearse", fault)
    return say("rehearse", "the launch fails" if wrong else "the launch is fine", int(bool(wrong)))


def _keep(found: Rehearsed, folder: Path) -> None:
    if found.job is None or found.graph is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "job.json").write_text(json.dumps(found.job, indent=2))
    (folder / "pipeline.pb").write_bytes(found.graph)
    _tell(f"kept: {folder}/job.json, {folder}/pipeline.pb")


def _diff(files: Sequence[str]) -> int:
    """Compares two graphs; returns the exit code."""
    from beam_jobs.updates.compare import compare
    from beam_jobs.updates.files import graph_at
    from beam_jobs.updates.steps import steps_of

    try:
        if len(files) != 2:
            raise ConfigError("diff takes two graphs: diff OLD NEW")
        old, new = (steps_of(graph_at(file)) for file in files)
    except Exception as error:
        return report("rehearse", error)
    found = compare(old, new)
    for line in found.lines():
        _tell(line)
    if found.faults:
        return say("rehearse", "the update can't be made", 1)
    return say("rehearse", "the update can be made", 0)


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
