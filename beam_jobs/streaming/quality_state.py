"""What a local drift job with labels keeps, so that the quality of windows survives a kill."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from beam_jobs.streaming.drift_state import DriftState, Told, read_rows
from transforms.families import FILES, family_of

if TYPE_CHECKING:
    import apache_beam as beam
    import pyarrow as pa

    from beam_jobs.running.run import Run
    from transforms.coders import Batches
    from transforms.commit.ledger import Target
    from transforms.drift.baseline import Baseline
    from transforms.drift.incidents.notes import Notes
    from transforms.drift.quality.journal import SideJournal


@dataclass(frozen=True)
class QualityState:
    """What is kept.

    Attributes:
      journal: Predictions and labels whose windows are not measured yet.
      target: The folder of quality; None where it is a topic.
      notes: What is known of incidents of errors; None where nobody asks for them.
    """

    journal: "SideJournal"
    target: "Target | None"
    notes: "Notes | None"

    def fresh(self, quality: "Batches") -> "Batches":
        """Returns the windows that are not written yet, and forgets those that are."""
        import apache_beam as beam
        import pyarrow as pa

        keep = beam.FlatMap(_fresh, self).with_output_types(pa.RecordBatch)
        found: Batches = quality | "Fresh" >> keep
        return found

    def with_published(self, root: "beam.Pipeline", quality: "Batches") -> "Batches":
        """Returns the quality, and before it that of earlier starts whose incidents go on."""
        import apache_beam as beam
        import pyarrow as pa

        start = root | "StartQuality" >> beam.Create([self], reshuffle=False)
        published = beam.FlatMap(_published).with_output_types(pa.RecordBatch)
        before = start | "PublishedQuality" >> published
        again = quality | "AnyWindow" >> beam.WindowInto(beam.window.GlobalWindows())
        every: Batches = (before, again) | "AllQuality" >> beam.Flatten()
        return every


def quality_state(
    options: Any, run: "Run", baseline: "Baseline", drift: DriftState
) -> QualityState:
    """Returns what the run keeps, beside what it keeps of windows."""
    from transforms.drift.incidents.notes import Notes
    from transforms.drift.quality.journal import SideJournal
    from transforms.io.pubsub import drain

    folder = f"{drift.journal.folder}/quality"
    size_us, wait_us = (round(each * 10**6) for each in (options.window, options.label_wait))
    journal = SideJournal(folder, size_us, wait_us, draining=drain.asked).resumed()
    is_folder = family_of(options.quality_output) is FILES
    target = run.commit.target(options.quality_output) if is_folder else None
    if options.alerts is None:
        return QualityState(journal, target, None)
    path, monitor = f"{drift.journal.folder}/errors.json", f"{baseline.hash} errors"
    notes = Notes(path, monitor, drain.asked)
    if family_of(options.alerts) is FILES:
        told = Told(run.commit.target(options.alerts, evidence=True))
        notes = Notes(path, monitor, drain.asked, told)
    return QualityState(journal, target, notes)


_written: dict[str, set[str]] = {}
"""By folder the windows that are written, and those that this process has handed on."""
_last: dict[str, int] = {}


def _fresh(quality: "pa.RecordBatch", state: QualityState) -> "list[pa.RecordBatch]":
    from transforms.drift.incidents.confirm import window_of

    folder = state.journal.folder
    if folder not in _written:
        rows = [] if state.target is None else _rows(state.target)
        _written[folder] = {name for batch in rows for name in batch["quality_id"].to_pylist()}
    if folder in _last:
        # Those before the last one are on the disk: their bundles are done.
        state.journal.close(_last[folder] - state.journal.size_us)
    _last[folder] = max(_last.get(folder, 0), window_of(quality)[0])
    name = quality["quality_id"][0].as_py()
    if name in _written[folder]:
        return []
    return [quality]


def _rows(target: "Target") -> "list[pa.RecordBatch]":
    from transforms.commit.stage import staged_rows
    from transforms.commit.stream.panes import manifests
    from transforms.commit.stream.wal import left
    from transforms.drift.quality.judge import QUALITY

    found = [batch for file in left(target.staging) for batch in staged_rows(file.path)]
    for manifest in manifests(target):
        found += read_rows(manifest["file"], QUALITY)
    return [batch.select(QUALITY.names).cast(QUALITY) for batch in found]


def _published(state: QualityState) -> "list[Any]":
    from apache_beam.transforms.window import TimestampedValue
    from apache_beam.utils.timestamp import Timestamp

    from transforms.drift.incidents.confirm import window_of

    rows = [] if state.target is None else _rows(state.target)
    single = [batch.slice(at, 1) for batch in rows for at in range(batch.num_rows)]
    return [TimestampedValue(e, Timestamp(micros=window_of(e)[0] - 1000)) for e in single]
