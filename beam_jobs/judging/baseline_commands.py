"""What is done with baselines that are made: show, diff, merge, import. No rows are read."""

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from beam_jobs.running import failures
from beam_jobs.running.logs import say
from beam_jobs.running.text_table import text_table
from transforms.errors import ConfigError

if TYPE_CHECKING:
    from transforms.drift.baseline import Baseline

JOB = "baseline"


def run_command(argv: Sequence[str]) -> int:
    """Runs the sub-command that the first argument names, and returns the exit code."""
    given = _parser().parse_args(argv)
    work: Callable[[argparse.Namespace], None] = COMMANDS[given.command]
    try:
        work(given)
    except Exception as error:
        return failures.report(JOB, error)
    return 0


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog=f"python -m beam_jobs.{JOB}", description=__doc__)
    parts = made.add_subparsers(dest="command", required=True)
    show = parts.add_parser("show", help="Show what a baseline counts, and of how many rows.")
    show.add_argument("baseline", help="A baseline: its file, or the folder of it.")
    diff = parts.add_parser("diff", help="Show how two baselines differ, column by column.")
    diff.add_argument("before", help="A baseline.")
    diff.add_argument("after", help="Another one.")
    merge = parts.add_parser("merge", help="Join baselines of the same cells: their counts add up.")
    merge.add_argument("baselines", nargs="+", help="Two or more baselines.")
    text = "Make a baseline of statistics: a FeatureStats.pb of a validation, of TFDV or of TFX."
    imported = parts.add_parser("import", help=text)
    imported.add_argument("statistics", help="A FeatureStats.pb, or the folder of one.")
    text = "The feature of event times, which is not counted."
    imported.add_argument("--event_time_column", help=text, metavar="COLUMN")
    for part in (merge, imported):
        part.add_argument("--output", required=True, help="A folder for the baseline.")
        part.add_argument("--overwrite", action="store_true", help="Replace one that is there.")
    return made


def _show(given: argparse.Namespace) -> None:
    from transforms.drift.baseline import read_baseline
    from transforms.drift.baselines.describe import COLUMNS, columns_of, facts_of

    baseline = read_baseline(given.baseline)
    width = max(len(name) for name, _ in facts_of(baseline))
    for name, text in facts_of(baseline):
        print(f"{name:<{width}}  {text}")
    print()
    print(text_table(COLUMNS, columns_of(baseline)))


def _diff(given: argparse.Namespace) -> None:
    from transforms.drift.baseline import read_baseline
    from transforms.drift.baselines.describe import DIFFERENCES, differences

    before, after = read_baseline(given.before), read_baseline(given.after)
    if before.hash == after.hash:
        print("They are the same.")
        return
    for name in ("slices", "ignored"):
        one, other = getattr(before.layout, name), getattr(after.layout, name)
        if one != other:
            print(f"{name}: {', '.join(one) or 'none'}, then {', '.join(other) or 'none'}")
    rows = (f"{int(each.counts.rows[0]):,}" for each in (before, after))
    print(f"rows: {', then '.join(rows)}\n")
    print(text_table(DIFFERENCES, differences(before, after)))


def _merge(given: argparse.Namespace) -> None:
    from transforms.drift.baseline import read_baseline
    from transforms.drift.baselines.merge import merge_baselines

    if len(given.baselines) < 2:
        raise ConfigError("merge takes two baselines or more")
    _write(merge_baselines([read_baseline(uri) for uri in given.baselines]), given)


def _import(given: argparse.Namespace) -> None:
    from transforms.drift.baselines.imported import baseline_of_statistics
    from transforms.gate.places import read_statistics

    ignored = () if given.event_time_column is None else (given.event_time_column,)
    _write(baseline_of_statistics(read_statistics(given.statistics), ignored), given)


def _write(baseline: "Baseline", given: argparse.Namespace) -> None:
    from transforms.drift.baseline import FILE
    from transforms.files import filesystem

    place = f"{given.output.rstrip('/')}/{FILE}"
    if filesystem.exists(place) and not given.overwrite:
        raise ConfigError(f"{place} exists: pass --overwrite to replace it")
    filesystem.write_bytes(place, baseline.to_bytes())
    rows = int(baseline.counts.rows[0])
    say(JOB, f"wrote {place}: baseline {baseline.hash} of {rows:,} rows", 0)


COMMANDS = {"show": _show, "diff": _diff, "merge": _merge, "import": _import}
