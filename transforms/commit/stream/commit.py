"""The commit of an unbounded run: each window's rows appear together, when the window is full."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import apache_beam as beam

from transforms import progress
from transforms.coders import Batches
from transforms.commit.ledger import Entry, Target
from transforms.commit.manifest import now, read_manifest, write_manifest
from transforms.commit.outputs import Outputs
from transforms.commit.places import place_of
from transforms.commit.publish import do_after
from transforms.commit.stream.panes import clear_drafts, manifests
from transforms.commit.stream.wal import left
from transforms.commit.stream.write import WriteWindows
from transforms.errors import ConfigError
from transforms.families import family_of
from transforms.files import filesystem
from transforms.files.uris import Location

REJECTS_SECONDS = 60.0
_DAY = 86_400.0


class StreamCommit(Outputs):
    """Publishes the windows of an unbounded run as they fill.

    After a kill, the next run with the same run id publishes the rows that were staged.

    Args:
      job: The job's name.
      run_id: The run's id. Set it yourself to be able to continue after a kill.
      window: The length of the windows in seconds.
      allowed_lateness: For how many seconds after its end a window takes rows.
      late_wait: For how many seconds on the clock late rows of a window are gathered in one file.
      manifest: Further entries of the manifest, such as the options.
      reads: What the run reads.

    Attributes:
      status: How the run ended: "ended" or "failed".
      topics: Where rows are published, rather than staged.
      told_first: A message for the user when the run begins, if any.
    """

    endless = True

    def __init__(
        self,
        job: str = "pipeline",
        run_id: str | None = None,
        *,
        window: float = 60.0,
        allowed_lateness: float = 0.0,
        late_wait: float = 0.0,
        manifest: Mapping[str, Any] | None = None,
        reads: Iterable[str] = (),
    ) -> None:
        super().__init__(job, run_id, manifest, reads)
        self.window, self.allowed_lateness = window, allowed_lateness
        self.late_wait = late_wait
        self._started, self.status = now(), "ended"
        self.topics: list[str] = []
        self._held_until = 0.0
        self.told_first = ""

    def target(
        self,
        uri: str,
        dead_letters: bool = False,
        evidence: bool = False,
        in_sight: tuple[str, ...] = (),
    ) -> Target:
        """Declares an output: a folder, and so no preview.

        Raises:
          ConfigError: It is a file, or stdout.
        """
        target = super().target(uri, dead_letters, evidence, in_sight)
        if not target.folder and not target.beside:
            raise ConfigError(f"{uri!r}: rows without end are written to a folder, not to one file")
        return target

    def _staging(self, location: Location) -> str:
        # Not named like the folders of bounded runs, which are cleared once their process is gone.
        folder, slash, name = location.root.rpartition("/")
        return f"{folder}{slash}.{name}.stream-{self.run_id}"

    def stage(self, batches: Batches, target: Target, step: str, **_: Any) -> Batches | None:
        """Writes batches to the log of a target, and commits its windows.

        Returns: Rejects: the rows that the output refuses, where that is known at the commit only.
        """
        size, lateness = self.window, self.allowed_lateness
        family = family_of(target.uri)
        if target.dead_letters and not family.holds(target.uri):
            return family.load("append", target.uri)(batches, target)
        if target.dead_letters:
            # They are put into windows by when they were found, which may be after theirs.
            size, lateness = REJECTS_SECONDS, lateness + _DAY
        write = WriteWindows(target, self.run_id, size, lateness, self.late_wait)
        refusing = bool(target.beside) and not target.dead_letters
        refused: Batches = batches | ("Append" if refusing else "Windows") >> write
        return refused if refusing else None

    def take(self, entries: "beam.PCollection[Entry]") -> None:
        """Ignores tallies: panes have manifests of their own, and no sum is ever due."""

    def published(self, batches: Batches, uri: str) -> None:
        """Notes where rows are published; an unbounded run has no sum."""
        self.topics.append(uri)

    def hold(self, seconds: float) -> None:
        """Notes that event time stands still for so long, so that the run can't end before."""
        self._held_until = time.monotonic() + seconds
        self.told_first = (
            f"run {self.run_id} goes on after a kill: windows wait {seconds:.0f} s "
            "for the messages that it had pulled"
        )

    def was_cut_short(self) -> bool:
        """Returns whether an earlier start of this run was killed before its end."""
        found = [read_manifest(target.manifest) for target in self.targets]
        mine = [there for there in found if there and there["run_id"] == self.run_id]
        return any(there["status"] != "ended" for there in mine)

    def prepare(self) -> dict[str, Any] | None:
        """Checks the places of the outputs before the run.

        Raises:
          ConfigError: An output is there that this run did not begin, another run left rows in
            its log, or a process still works under this run id.
        """
        try:
            self._claim()
            for target in self.targets:
                there = read_manifest(target.manifest)
                mine = there is not None and there["run_id"] == self.run_id
                if not mine and place_of(target).taken(target):
                    raise ConfigError(_exists(target, there))
                if there is not None and there.get("window", self.window) != self.window:
                    raise ConfigError(
                        f"--window: run {self.run_id} has windows of {there['window']:g} s: pass "
                        f"--window={there['window']:g}, or another --run_id and output"
                    )
        except ConfigError:
            self.unlock()
            raise
        manifest = {
            "run_id": self.run_id,
            "job": self.job,
            "window": self.window,
            "started": self._started,
        }
        for target in self.targets:
            clear_drafts(target)
            write_manifest(target.manifest, {**manifest, "status": "running", **self.manifest})
        return None

    def close(self) -> None:
        """Adds no step: each window is committed as it fills."""

    def outcome(self) -> dict[str, Any] | None:
        """Writes the manifests of a run that has ended; returns the output's manifest."""
        found = self.end()
        found.sort(key=lambda manifest: (manifest["dead_letters"], manifest["evidence"]))
        return next(iter(found), None)

    def end(self) -> list[dict[str, Any]]:
        """Writes the manifests of a run that has ended, and returns them."""
        if self.status == "ended" and time.monotonic() < self._held_until:
            # What an earlier start had pulled may be still to come: the next one waits too.
            self.status = "drained early"
        found = [self._ended(target) for target in self.targets]
        for target in self.targets:
            if not left(target.staging):
                filesystem.delete(target.staging)
        do_after(self.after)
        self.unlock()
        return found

    def _ended(self, target: Target) -> dict[str, Any]:
        panes = list(manifests(target))
        timing = Counter[str]()
        for pane in panes:
            timing[pane["timing"]] += pane["rows"]
        manifest = {
            "run_id": self.run_id,
            "job": self.job,
            "window": self.window,
            "started": self._started,
            "finished": now(),
            "status": self.status,
            "dead_letters": target.dead_letters,
            "evidence": target.evidence,
            "uri": target.root,
            "panes": len(panes),
            "rows": sum(pane["rows"] for pane in panes),
            "rows_by_timing": dict(sorted(timing.items())),
            "last_start": _counts(),
            **self.manifest,
        }
        if panes or target.beside or filesystem.exists(target.root):
            write_manifest(target.manifest, manifest)
        return manifest


def _counts() -> dict[str, Any]:
    """Returns the counts of this process since the run was started anew."""
    rows = {step: count.rows for step, count in progress.snapshot().items()}
    names = {
        "messages": "read",
        "duplicates": "duplicate",
        "late_dropped": "late",
        "rows_out": "write",
        "rows_dead": "dead",
        "acknowledged": "acknowledged",
    }
    reasons = {
        step.removeprefix(progress.DEAD): n
        for step, n in rows.items()
        if step.startswith(progress.DEAD)
    }
    by_name = {name: rows.get(step, 0) for name, step in names.items()}
    found = {
        step.removeprefix(progress.FOUND): n
        for step, n in sorted(rows.items())
        if step.startswith(progress.FOUND)
    }
    told: dict[str, Any] = {"findings_by_info_type": found} if found else {}
    for name, step in (
        ("rows_suppressed", "suppressed"),
        ("values_untransformed", "untransformed"),
    ):
        told |= {name: rows[step]} if rows.get(step) else {}
    return {**by_name, "dead_by_reason": dict(sorted(reasons.items())), **told}


def _exists(target: Target, there: dict[str, Any] | None) -> str:
    if there is None:
        return f"{target.root} exists, and no run of Millrace wrote it: name another place"
    return (
        f"{target.root} is of run {there['run_id']}: pass --run_id={there['run_id']} to go on with "
        "it, or name another place"
    )
