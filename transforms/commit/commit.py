"""All or nothing: writers stage, and one commit at the end publishes what they staged."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.transforms.window import GlobalWindows

from transforms.coders import Batches
from transforms.commit.evidence import aside
from transforms.commit.ledger import STAGING, Entry, Finding, Gate, Target
from transforms.commit.manifest import now, read_manifest
from transforms.commit.noted import raise_noted
from transforms.commit.outputs import TARGET_BYTES, Outputs
from transforms.commit.places import place_of
from transforms.commit.publish import Plan, Publish, do_after
from transforms.commit.remains import beside
from transforms.commit.summary import manifest_place, run_table
from transforms.errors import ConfigError
from transforms.families import STDOUT
from transforms.files import filesystem
from transforms.files.uris import Location


class Commit(Outputs):
    """Gathers what a run staged and counted, and publishes it in one step at the end.

    Use it as a context manager inside the pipeline's, or call `prepare` and `close` once the
    pipeline is built.

    Args:
      job: The job's name.
      run_id: The run's; a run that was committed under it is not done again.
      overwrite: Replace outputs that exist.
      gate: What must hold before anything is visible.
      manifest: What else to put into the manifest, such as the options.
      reads: What the run reads (files, folders, patterns): no output may take its place.
      retried: Whether the runner runs again what has failed. A refusal is then told by a file,
        which `raise_noted` looks for.
    """

    def __init__(
        self,
        job: str = "pipeline",
        run_id: str | None = None,
        *,
        overwrite: bool = False,
        gate: Gate | None = None,
        manifest: Mapping[str, Any] | None = None,
        reads: Iterable[str] = (),
        retried: bool = False,
    ) -> None:
        super().__init__(job, run_id, manifest, reads)
        self.overwrite, self.gate = overwrite, gate or Gate()
        self._entries: list[beam.PCollection[Entry]] = []
        self._outcome: dict[str, Any] | None = None
        self.retried = retried

    def _staging(self, location: Location) -> str:
        preview = location.family is STDOUT
        root = f"{tempfile.gettempdir()}/stdout" if preview else location.root
        return f"{beside(filesystem.followed(root))}{STAGING}{self.run_id}"

    def stage(
        self,
        batches: Batches,
        target: Target,
        step: str,
        *,
        count: str | None = None,
        shards: int | None = None,
        target_bytes: int = TARGET_BYTES,
        folder: str = "",
    ) -> None:
        """Writes batches to files that wait for the commit.

        Args:
          batches: What to write.
          target: Where it will be.
          step: The label under which it is counted.
          count: A column whose values are counted, such as a reject's reason.
          shards: How many files there will be; None lets bundles and sizes decide.
          target_bytes: A file is ended at about this size, where `shards` doesn't decide.
          folder: The folder within the target in which the files will be, without `shards`.
        """
        from transforms.commit.shards import StageShards
        from transforms.commit.stage import Stage

        if not batches.windowing.is_default():
            # There is one commit, whatever windows there are.
            batches = batches | "AllWindows" >> beam.WindowInto(GlobalWindows())
        # One file is made of what several steps stage: Arrow files can be joined.
        arrow = replace(target, format="arrow", compression="", settings=())
        staging = (
            Stage(
                target if target.folder or target.beside else arrow,
                step,
                count,
                target_bytes,
                folder=folder,
            )
            if shards is None
            else StageShards(target, step, shards)
        )
        label = "DeadLetters" if target.dead_letters else type(staging).__name__
        self.take(batches | label >> staging)

    def take(self, entries: "beam.PCollection[Entry]") -> None:
        """Adds ledger entries of a step."""
        self._entries.append(entries)

    def artifacts(self, made: "beam.PCollection[tuple[str, bytes]]", target: Target) -> None:
        """Adds files that are no rows: reports, say.

        Args:
          made: Their names and contents.
          target: The folder in which they will be.
        """
        self.take(made | "Artifacts" >> beam.Map(_artifact, target).with_output_types(Entry))

    def written(self, paths: "beam.PCollection[str]", target: Target) -> None:
        """Adds files that a step has written into the staging folder of a target by itself.

        Args:
          paths: Folders within that staging folder, once all is in them. What they hold will be
            found under the same names in the target.
          target: The folder in which they will be.
        """
        found = beam.FlatMap(_written, target).with_output_types(Entry)
        self.take(paths | "Written" >> found)

    def judged(self, findings: "beam.PCollection[tuple[Finding, ...]]") -> None:
        """Tells the manifest what is wrong with the data as a whole; the gate may go by it.

        Args:
          findings: One list of it.
        """
        self.take(findings | "Verdict" >> beam.Map(_verdict).with_output_types(Entry))

    def published(self, batches: Batches, uri: str) -> None:
        """Counts rows that are at a topic already, which knows no commit."""
        count = beam.Map(_published, uri).with_output_types(Entry)
        self.take(batches | "Tally" >> count)

    def prepare(self) -> dict[str, Any] | None:
        """Looks at what is there, before the run; clears the remains of runs that were killed.

        Returns: The manifest, if this run was committed before: there is nothing to do.

        Raises:
          ConfigError: An output exists and may not be overwritten.
        """
        try:
            self._claim()
            done = self._done()
            if done is None:
                for target in self.evidence_last:
                    place_of(target).check(target, self.reads, self.overwrite)
                for target in self.targets:
                    place_of(target).begin(target)
        except ConfigError:
            self.unlock()
            raise
        if done is not None:
            self.unlock()
        return done

    def _done(self) -> dict[str, Any] | None:
        """Returns the manifest of this very run, if it was committed."""
        found = [read_manifest(t.manifest) for t in self.targets if not t.evidence]
        if not found or not all(m and m["run_id"] == self.run_id for m in found):
            return None
        manifest = found[0]
        assert manifest is not None
        before, now = (_lasting(m.get("options", {})) for m in (manifest, self.manifest))
        if before != now:
            changed = sorted(key for key in before | now if before.get(key) != now.get(key))
            raise ConfigError(
                f"run {self.run_id} was committed with another {', '.join(changed)}: "
                "give this one another --run_id"
            )
        return manifest

    def outcome(self) -> dict[str, Any] | None:
        """Returns the manifest of this run, committed or refused; None before either."""
        if self._outcome is not None:
            return self._outcome
        places = [place for t in self.targets for place in (t, aside(t, self.run_id))]
        found = [read_manifest(place.manifest) for place in places]
        for target in self.targets:
            place_of(target).settle(target)
        self.unlock()
        self._outcome = next((m for m in found if m and m["run_id"] == self.run_id), None)
        return self._outcome

    def summary(self) -> str:
        """Returns what came of the run as text: rows, reasons of rejects, outputs.

        Ask for it when the pipeline has run.
        """
        manifest = self.outcome()
        if manifest is None:
            return "the run did not come to its end, and nothing was published"
        return run_table(manifest, manifest_place(manifest))

    def abandon(self) -> None:
        """Deletes what was staged."""
        for target in self.targets:
            filesystem.delete(target.staging)
        do_after(self.after)
        self.unlock()

    @property
    def _note(self) -> str:
        return f"{self.targets[0].staging}.note.json" if self.retried and self.targets else ""

    def raise_noted(self) -> None:
        """Raises what kept the last step from publishing, where the runner wasn't told.

        Raises:
          Refused: A gate said no.
          MillraceError: The rows don't add up.
        """
        raise_noted(self._note)

    def close(self) -> None:
        """Adds the last step: publish everything or nothing."""
        if not self._entries:
            return
        plan = Plan(
            self.job,
            self.run_id,
            tuple(self.targets),
            self.gate,
            json.dumps(self.manifest),
            now(),
            self.overwrite,
            tuple(self.after),
            self._note,
        )
        _ = tuple(self._entries) | "Commit" >> Publish(plan)

    def __enter__(self) -> "Commit":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.prepare()
            self.close()


def _lasting(options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the options that decide what comes out, as JSON gives them back."""
    passing = ("options_file", "overwrite", "run_id", "wait")
    kept = {key: value for key, value in options.items() if key not in passing}
    return dict(json.loads(json.dumps(kept)))


def _artifact(file: tuple[str, bytes], target: Target) -> Entry:
    name, content = file
    path = f"{target.staging}/{name}"
    filesystem.write_bytes(path, content)
    return Entry("artifact", "Artifacts", target.root, path, bytes=len(content))


def _written(folder: str, target: Target) -> Iterator[Entry]:
    for file in filesystem.list_files(f"{folder}/", hidden=True):
        yield Entry("artifact", "Artifacts", target.root, file.uri, bytes=file.size)


def _verdict(findings: tuple[Finding, ...]) -> Entry:
    return Entry("verdict", "Judge", findings=findings)


def _published(rows: pa.RecordBatch, uri: str) -> Entry:
    return Entry("published", "Write", uri, rows=rows.num_rows)
