"""A job of the tests': copies rows, and fails in the ways it is told to."""

import os
import sys
import time
from dataclasses import dataclass
from typing import Any

from beam_jobs import launch
from beam_jobs.options.declare import JobOptions, option


@dataclass(frozen=True, kw_only=True)
class Options(JobOptions):
    """Copies rows.

    Every job's plumbing, without a model.

    Examples:
      python -m tests.beam_jobs.tiny_job --input=in.parquet --output=out/
    """

    input: str = option("Files to read.", kind="GCS_READ_FILE", group="Input")
    output: str = option("Where the rows go.", kind="GCS_WRITE_FOLDER", group="Output")
    fault: str = option(
        "What goes wrong.",
        default="none",
        choices=("none", "value", "disk", "permission", "reject", "slow", "resolve"),
    )


def resolve(options: Options) -> Any:
    """Reads the input's schema."""
    from transforms.io.file_source import Source

    if options.fault == "resolve":
        raise FileNotFoundError(2, "No such file or directory", "gone.pb")
    return Source.resolve(options.input, limit=options.limit)


def build(root: Any, source: Any, options: Options, run: launch.Run) -> None:
    """Read, break, write."""
    import apache_beam as beam
    import pyarrow as pa

    from transforms.commit.dead_letters import split_rejects
    from transforms.io.read import Read
    from transforms.io.write import Write
    from transforms.rejects import Outcome

    outcomes = (
        root
        | "Read" >> Read(source, dead_letters=run.dead_letters)
        | "Break" >> beam.Map(break_batch, options.fault).with_output_types(Outcome)
    )
    rows = split_rejects(outcomes, run.dead_letters, "Break")
    rows.element_type = pa.RecordBatch
    _ = rows | "Write" >> Write(options.output, commit=run.commit)


def break_batch(batch: Any, fault: str) -> Any:
    """Rejects every row, raises, or does nothing."""
    from transforms.reasons import Reason
    from transforms.rejects import NO_REJECTS, reject_rows

    if fault == "value":
        raise ValueError("a number was expected")
    if fault == "disk":
        raise OSError(28, "No space left on device")
    if fault == "permission":
        raise PermissionError(13, "Permission denied", "/locked/part-0")
    if fault == "reject":
        return batch.slice(0, 0), reject_rows(batch, Reason.OUTPUT_ERROR, "not wanted")
    if fault == "slow":
        time.sleep(float(os.environ.get("TINY_SECONDS", "0.2")))
    return batch, NO_REJECTS


def main(argv: list[str] | None = None) -> int:
    """Runs the job."""
    return launch.run(Options, resolve, build, argv)


if __name__ == "__main__":
    sys.exit(main())
