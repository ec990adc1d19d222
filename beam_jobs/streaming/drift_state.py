"""What a local drift job on messages keeps beside its output, so that it survives a kill.

The local runner keeps nothing: here are counts of open windows, and what is known of incidents.
"""

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from transforms.families import FILES, family_of

if TYPE_CHECKING:
    import apache_beam as beam
    import pyarrow as pa

    from beam_jobs.running.run import Run
    from transforms.coders import Batches
    from transforms.drift.baseline import Baseline
    from transforms.drift.counting.journal import Journal
    from transforms.drift.incidents.notes import Notes
    from transforms.drift.resumed import Resumed
    from transforms.io.inputs import Input


@dataclass(frozen=True)
class DriftState:
    """What is kept.

    Attributes:
      journal: The counts of windows that may get more rows.
      resumed: That, and the verdicts that were written.
      notes: What is known of incidents; None where nobody asks for them.
    """

    journal: "Journal"
    resumed: "Resumed"
    notes: "Notes | None"

    def known(self, source: "Input") -> "Input":
        """Returns a source of messages that leaves out those of the journal."""
        from transforms.io.pubsub.source import PubSubSource

        assert isinstance(source, PubSubSource)
        return source.knowing(self.journal.log)

    def apart(self) -> "DriftState":
        """Returns it with a journal that leaves out by itself the messages that come again."""
        journal = replace(self.journal, known_from=self.journal.left())
        return replace(self, journal=journal)

    def with_published(self, root: "beam.Pipeline", verdicts: "Batches") -> "Batches":
        """Returns the verdicts, and before them those of earlier starts whose incidents go on."""
        import apache_beam as beam
        import pyarrow as pa

        start = root | "Start" >> beam.Create([self], reshuffle=False)
        before = start | "Published" >> beam.FlatMap(_published).with_output_types(pa.RecordBatch)
        every: Batches = (before, verdicts) | "AllVerdicts" >> beam.Flatten()
        return every


def state_of(options: Any, run: "Run", baseline: "Baseline") -> DriftState | None:
    """Returns what the run keeps; None where the runner keeps all, or the output is a topic.

    Args:
      options: Those of the drift job.
      run: The run.
      baseline: With what windows are compared.

    Raises:
      ConfigError: An earlier start of the run has counted with another baseline.
    """
    if run.setting.native or family_of(options.output) is not FILES:
        return None
    from transforms.drift.counting.journal import Journal
    from transforms.drift.counting.panes import Panes
    from transforms.drift.resumed import Resumed
    from transforms.io.pubsub import drain

    target = run.commit.target(options.output)
    windows = Panes.of(options.window, options.period)
    folder = f"{target.records}/windows"
    journal = Journal(folder, windows, baseline.hash, drain.asked)
    journal.panes(journal.left())
    lateness_us = round(options.allowed_lateness * 10**6)
    resumed = Resumed(target, journal, lateness_us, _verdicts_in)
    quality = options.quality_output
    place = quality if quality and family_of(quality) is FILES else None
    args = target.root, options.baseline, f"{target.records}/report.html", place
    run.commit.after.append(functools.partial(_report, *args))
    return DriftState(journal, resumed, _notes(options, run, baseline, target.records))


def _report(folder: str, baseline: str, output: str, quality: str | None) -> None:
    """Writes the report of a run that has ended, if a window has."""
    from beam_jobs.judging.drift_report import write_report
    from transforms.files import filesystem

    if filesystem.list_folder(f"{folder}/_millrace/panes"):
        there = quality and filesystem.list_folder(f"{quality.rstrip('/')}/_millrace/panes")
        write_report(folder, baseline, output, quality if there else None)


def _notes(options: Any, run: "Run", baseline: "Baseline", records: str) -> "Notes | None":
    from transforms.drift.incidents.notes import Notes
    from transforms.drift.judging.verdicts import policy_digest
    from transforms.io.pubsub import drain

    if options.alerts is None:
        return None
    monitor = f"{baseline.hash} {policy_digest(options.drift_policy)}"
    path = f"{records}/windows/incidents.json"
    if family_of(options.alerts) is not FILES:
        return Notes(path, monitor, drain.asked)
    target = run.commit.target(options.alerts, evidence=True)
    return Notes(path, monitor, drain.asked, Told(target))


@dataclass(frozen=True)
class Told:
    """Gives the ids of the events in a folder."""

    target: Any

    def __call__(self) -> frozenset[str]:
        """Returns the ids."""
        from transforms.commit.stage import staged_rows
        from transforms.commit.stream.panes import manifests
        from transforms.commit.stream.wal import left
        from transforms.drift.incidents.events import EVENTS

        found = [batch for file in left(self.target.staging) for batch in staged_rows(file.path)]
        for manifest in manifests(self.target):
            found += read_rows(manifest["file"], EVENTS)
        return frozenset(name for batch in found for name in batch["event_id"].to_pylist())


def _published(state: DriftState) -> "list[Any]":
    from apache_beam.transforms.window import TimestampedValue
    from apache_beam.utils.timestamp import Timestamp

    from transforms.drift.incidents.confirm import window_of

    noted = None if state.notes is None else state.notes.read()
    since = 0 if noted is None else noted["done"][0] - 1
    found = state.resumed.published(since)
    return [TimestampedValue(e, Timestamp(micros=window_of(e)[0] - 1000)) for e in found]


def _verdicts_in(path: str) -> "list[pa.RecordBatch]":
    from transforms.drift.judging.verdicts import VERDICTS

    return read_rows(path, VERDICTS)


def read_rows(path: str, schema: "pa.Schema") -> "list[pa.RecordBatch]":
    """Returns the rows of a file of an output."""
    from transforms.io.file_read import read_batches
    from transforms.io.file_source import Source

    return [rows for rows, _ in read_batches(Source.resolve(path, schema))]
