"""Makes the report of verdicts that a run without end has written so far."""

import argparse
from collections.abc import Sequence

from beam_jobs.running import failures
from beam_jobs.running.logs import say
from transforms.errors import ConfigError


def run_report(argv: Sequence[str]) -> int:
    """Runs `drift report`, and returns the exit code."""
    given = _parser().parse_args(argv[1:])
    try:
        _report(given)
    except Exception as error:
        return failures.report("drift", error)
    return 0


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m beam_jobs.drift report", description=__doc__)
    made.add_argument("verdicts", help="The folder of verdicts: --output of the drift job.")
    made.add_argument("--baseline", required=True, help="With what windows were compared.")
    made.add_argument("--output", required=True, help="The file of the report: report.html, say.")
    return made


def _report(given: argparse.Namespace) -> None:
    from transforms.drift.baseline import read_baseline
    from transforms.drift.judging.verdicts import VERDICTS
    from transforms.drift.outcome import report_of_verdicts
    from transforms.files import filesystem
    from transforms.io.file_read import read_batches
    from transforms.io.file_source import Source

    baseline = read_baseline(given.baseline)
    found = [rows for rows, _ in read_batches(Source.resolve(given.verdicts, VERDICTS))]
    if not any(batch.num_rows for batch in found):
        raise ConfigError(f"{given.verdicts} has no verdicts yet: windows are written as they end")
    page = report_of_verdicts(baseline, found, f"Drift in {given.verdicts}")
    filesystem.write_bytes(given.output, page.encode())
    say("drift", f"wrote {given.output}", 0)
