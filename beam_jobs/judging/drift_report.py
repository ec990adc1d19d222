"""Makes the report of verdicts that were written, also while a run without end goes on."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from beam_jobs.running import failures
from beam_jobs.running.logs import say
from transforms.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa


def run_report(argv: Sequence[str]) -> int:
    """Runs `drift report`, and returns the exit code."""
    given = _parser().parse_args(argv[1:])
    try:
        write_report(given.verdicts, given.baseline, given.output, given.quality, given.last)
        say("drift", f"wrote {given.output}", 0)
    except Exception as error:
        return failures.report("drift", error)
    return 0


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m beam_jobs.drift report", description=__doc__)
    made.add_argument("verdicts", help="The folder of verdicts: --output of the drift job.")
    made.add_argument("--baseline", required=True, help="With what windows were compared.")
    made.add_argument("--output", required=True, help="The file of the report: report.html, say.")
    made.add_argument("--quality", help="Of messages: the folder of --quality_output.")
    made.add_argument("--last", type=_number, help="Show only so many windows, the last ones.")
    return made


def _number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def write_report(
    folder: str, baseline: str, output: str, quality: str | None = None, last: int | None = None
) -> None:
    """Writes the report of a folder.

    Args:
      folder: Of verdicts, by a job on files or on messages.
      baseline: The URI of that with which windows were compared.
      output: The file to write.
      quality: The folder of quality, by a job on messages.
      last: Only so many windows, the last ones, are shown.

    Raises:
      ConfigError: There are no verdicts, or they are of another baseline.
    """
    from transforms.drift.baseline import read_baseline
    from transforms.drift.judging.verdicts import VERDICTS
    from transforms.drift.outcome import report_of_verdicts
    from transforms.drift.quality.judge import QUALITY
    from transforms.files import filesystem

    known = read_baseline(baseline)
    found = _rows(_files(folder, "verdicts"), VERDICTS)
    if not any(batch.num_rows for batch in found):
        raise ConfigError(f"{folder} has no verdicts yet: windows are written as they end")
    is_whole = bool(filesystem.list_folder(folder.rstrip("/"), "verdicts."))
    place = quality or (folder if is_whole else None)
    measured = [] if place is None else _by_row(_rows(_files(place, "quality"), QUALITY))
    page = report_of_verdicts(known, found, f"Drift in {folder}", measured, last)
    filesystem.write_bytes(output, page.encode())


def _files(folder: str, name: str) -> list[str]:
    """Returns the one file of a job on files, or those of a job on messages, by window."""
    from transforms.files import filesystem

    root = folder.partition("?")[0].rstrip("/")
    if filesystem.list_folder(root, "verdicts."):
        return filesystem.list_folder(root, f"{name}.")
    return [file.uri for file in filesystem.list_files(f"{root}/")]


def _rows(uris: list[str], schema: "pa.Schema") -> "list[pa.RecordBatch]":
    from transforms.io.file_read import read_batches
    from transforms.io.file_source import Source

    # One by one: read together, the folders' names would take the place of the windows' starts.
    found = (rows for uri in uris for rows, _ in read_batches(Source.resolve(uri, schema)))
    return [rows.select(schema.names) for rows in found]


def _by_row(batches: "list[pa.RecordBatch]") -> "list[pa.RecordBatch]":
    """Returns each row as a batch: that is a window of quality."""
    return [batch.slice(at, 1) for batch in batches for at in range(batch.num_rows)]
