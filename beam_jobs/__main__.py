"""All jobs by one command: python -m beam_jobs, or millrace, lists them and runs one."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

import beam_jobs
from beam_jobs.metadata import jobs
from beam_jobs.options.command_line import describe, parser
from beam_jobs.options.declare import declared
from transforms.nearest import nearest

_HELP = """\
usage: millrace JOB [options]     or: python -m beam_jobs.JOB [options]

{jobs}

millrace JOB --help lists the options of a job, with examples.
Completion in bash: eval "$(register-python-argcomplete millrace)"
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the job that the first argument names, or lists all; returns the exit code."""
    if "_ARGCOMPLETE" in os.environ:
        complete()
    given = sys.argv[1:] if argv is None else argv
    job, *rest = given or [""]
    if job in ("", "-h", "--help"):
        print(_HELP.format(jobs=_table()), end="")
        return 0 if job else 2
    if job == "--version":
        print(f"millrace {beam_jobs.__version__}")
        return 0
    if job not in jobs():
        print(f"millrace: there is no job {job!r}{nearest(job, jobs())}\n", file=sys.stderr)
        print(_table(), file=sys.stderr)
        return 2
    return int(importlib.import_module(f"beam_jobs.{job}").main(rest))


def _table() -> str:
    """Returns the jobs, each with the first sentence of its description."""
    about = {job: describe(kind)[0].split("\n\n")[0] for job, kind in jobs().items()}
    width = max(map(len, about))
    return "\n".join(f"  {job:{width}}  {' '.join(text.split())}" for job, text in about.items())


def complete() -> None:
    """Answers the shell that asks how a command line may go on, and ends the process."""
    import argcomplete

    argcomplete.autocomplete(whole_parser())


def whole_parser() -> argparse.ArgumentParser:
    """Returns a parser of all jobs, each a command with its own options."""
    whole = argparse.ArgumentParser("millrace", add_help=False)
    commands = whole.add_subparsers()
    for job, kind in jobs().items():
        commands.add_parser(job, parents=[parser(kind, declared(kind))], add_help=False)
    return whole


if __name__ == "__main__":
    sys.exit(main())
