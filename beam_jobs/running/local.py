"""A run in this process, or waited for by it: progress, orderly end, closing table."""

import contextlib
import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from beam_jobs.running import failures
from beam_jobs.running.interrupts import Interrupts
from beam_jobs.running.logs import say
from beam_jobs.running.summary import Meter
from beam_jobs.running.verdict import anomaly_table
from transforms import progress

if TYPE_CHECKING:
    import apache_beam as beam

    from transforms.commit.commit import Commit
    from transforms.commit.outputs import RunCommit

_SETTLE_SECONDS = 2.0


def run_here(
    job: str,
    root: "beam.Pipeline",
    commit: "Commit",
    in_process: bool,
    cancel: Callable[[], None] | None = None,
) -> int:
    """Runs a pipeline and waits for its end; shows how far it is, and what came of it.

    Args:
      job: The job's name.
      root: The pipeline, all but its last step.
      commit: What it writes belongs to.
      in_process: Whether its workers are threads of this process.
      cancel: Ends the job where it runs, if that is elsewhere.

    Returns: The exit code.
    """
    failure: BaseException | None = None
    run = _Running(cancel)
    stop = run.cancel if cancel else progress.stop
    with Interrupts(in_process or cancel is not None, stop) as interrupts, Meter() as meter:
        if commit.prepare() is not None:
            return say(job, committed_before(commit), 0)
        commit.close()
        try:
            run.wait(root)
            commit.raise_noted()
        except (Exception, KeyboardInterrupt) as error:
            failure = error
            _clean_up(commit)
    if failure is not None and interrupts.signal:
        return say(job, "stopped; nothing was published", interrupts.exit_code)
    if isinstance(failure, KeyboardInterrupt):
        raise failure
    code = 0
    if failure is not None:
        code = failures.report(job, failure, [target.root for target in commit.targets])
    if code in (0, failures.GATE_SAID_NO):
        _show_table(job, commit, meter.seconds)
    return code


class _Running:
    """A pipeline that may be cancelled, also while it is still being submitted."""

    def __init__(self, cancel: Callable[[], None] | None) -> None:
        self._result: Any = None
        self._cancel, self._cancelled = cancel, False

    def wait(self, root: "beam.Pipeline") -> None:
        """Runs the pipeline, and waits for its end."""
        self._result = root.run()
        if self._cancelled:
            self.cancel()
        self._result.wait_until_finish()

    def cancel(self) -> None:
        """Ends the job where it runs."""
        self._cancelled = True
        if self._result is not None:
            if self._cancel is not None:
                self._cancel()
            self._result.cancel()


def committed_before(commit: "RunCommit") -> str:
    """Returns the message for a run that was committed before."""
    return f"run {commit.run_id} was committed before: nothing to do"


def _clean_up(commit: "Commit") -> None:
    """Deletes what was staged, again until no worker thread that still runs adds to it."""
    progress.stop()
    until = time.monotonic() + _SETTLE_SECONDS
    staged = True
    while staged and time.monotonic() < until:
        # A thread that still writes may hinder the deletion; it ends at its next batch.
        with contextlib.suppress(OSError):
            commit.abandon()
        time.sleep(0.1)
        staged = any(os.path.exists(target.staging) for target in commit.targets)
    # What else this process counts has nothing to do with this run.
    progress.reset()


def _show_table(job: str, commit: "Commit", seconds: float) -> None:
    from transforms.commit.summary import manifest_place, run_table

    manifest = commit.outcome()
    if manifest is not None:
        table = run_table(manifest, manifest_place(manifest), seconds)
        say(job, f"{'done' if manifest['status'] == 'committed' else 'refused'}\n{table}", 0)
        _show_findings(job, manifest)


def _show_findings(job: str, manifest: Mapping[str, Any]) -> None:
    """Shows the findings of a gate, as in the report beside the output."""
    found = manifest["counts"].get("findings", ())
    from transforms.commit.summary import has_findings

    places = [output["uri"] for output in manifest["outputs"] if has_findings(output)]
    if found and places:
        folder = places[0].rstrip("/")
        say(job, f"what the gate found\n{anomaly_table(found, folder)}")
