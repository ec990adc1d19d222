"""Plans the windows of drift: which length finds how small a difference at a given traffic."""

import argparse
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from beam_jobs.options.durations import duration_text, seconds_of
from beam_jobs.running import failures
from beam_jobs.running.text_table import text_table
from transforms.errors import ConfigError

if TYPE_CHECKING:
    from transforms.drift.baselines.plan import Planned

HEADS = ("window", "rows", "judged", "PSI found: half", "nine in ten", "all", "confirmed after")
_RATE = re.compile(r"(?P<rows>[0-9.e+]+)/(?P<unit>s|min|h|d)")
_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


def run_plan(argv: Sequence[str]) -> int:
    """Runs `drift plan`, and returns the exit code."""
    given = _parser().parse_args(argv[1:])
    try:
        _plan(given)
    except Exception as error:
        return failures.report("drift", error)
    return 0


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m beam_jobs.drift plan", description=__doc__)
    made.add_argument("--baseline", required=True, help="With what windows will be compared.")
    made.add_argument("--traffic", required=True, help="Rows in a time: 5000/h, or 20/s, min, d.")
    made.add_argument("--psi", type=float, default=0.1, help="The difference to find. (0.1)")
    made.add_argument("--window", help="Tell the columns that windows of this length judge, as 1h.")
    return made


def _plan(given: argparse.Namespace) -> None:
    from transforms.drift.baseline import read_baseline
    from transforms.drift.baselines.plan import plan, plan_window

    rate = rows_per_second(given.traffic)
    baseline = read_baseline(given.baseline)
    if given.window is not None:
        try:
            seconds = seconds_of(given.window)
        except ValueError as error:
            raise ConfigError(f"--window: {error}") from None
        one = plan_window(baseline, round(rate * seconds), seconds)
        lines = sorted(one.detectable.items(), key=lambda each: (each[1] != each[1], each[1]))
        told = [(name, "too few rows" if psi != psi else f"{psi:.3f}") for name, psi in lines]
        print(text_table(("column", "PSI found"), told))
        return
    plans = plan(baseline, rate)
    print(text_table(HEADS, [_line(each) for each in plans]))
    fine = next((each for each in plans if each.found(given.psi) >= 1), None)
    print()
    if fine is None:
        print(f"No window up to 7d finds a PSI of {given.psi:g} in every column at this traffic.")
        return
    print(
        f"Windows of {duration_text(fine.seconds)} are the shortest of these to find a PSI of "
        f"{given.psi:g} nine times in ten, in any column; two of them confirm it."
    )


def rows_per_second(traffic: str) -> float:
    """Reads a traffic such as 5000/h.

    Raises:
      ConfigError: It is none.
    """
    found = _RATE.fullmatch(traffic)
    try:
        rows = float(found["rows"]) if found else 0.0
    except ValueError:
        rows = 0.0
    if found is None or not rows > 0:
        raise ConfigError(f"--traffic: {traffic!r} is no number of rows in a time, as 5000/h is")
    return rows / _UNITS[found["unit"]]


def _line(planned: "Planned") -> tuple[str, ...]:
    judged, columns = planned.judged, len(planned.detectable)
    told = [f"{judged[min(int(share * len(judged)), len(judged) - 1)]:.3f}" if len(judged) else "-"
            for share in (0.5, 0.9, 1.0)]  # fmt: skip
    confirmed = duration_text(2 * planned.seconds) if len(judged) else "-"
    return (
        duration_text(planned.seconds), f"{planned.rows:,}", f"{len(judged):,} of {columns:,}",
        *told, confirmed,
    )  # fmt: skip
