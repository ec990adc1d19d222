"""The last step of a run: everything appears at once, or nothing does."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa

from transforms import progress
from transforms.commit.evidence import PUBLISHING, aside, clear_stale, restore
from transforms.commit.ledger import Entry, Gate, Target, count, final_names
from transforms.commit.manifest import now, read_manifest, versions, write_manifest
from transforms.commit.noted import noting
from transforms.commit.places import place_of
from transforms.commit.remains import release_staging
from transforms.errors import Refused
from transforms.files import filesystem
from transforms.verb import Verb

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """What the last step needs to know; shipped to the worker that publishes."""

    job: str
    run_id: str
    targets: tuple[Target, ...]
    gate: Gate
    manifest: str
    started: str
    overwrite: bool = False
    after: tuple[Callable[[], None], ...] = ()
    note: str = ""
    """The file that gets the reason of a refusal, where a runner must not: see `noted.py`."""


@dataclass
class Publish(Verb):
    """Publishes what was staged, once all of it is there.

    Args:
      plan: The run.

    Returns: The manifest, as JSON.
    """

    plan: Plan

    def expand(self, entries: Any) -> Any:
        """Publishes once all ledger entries, a tuple of collections, are there."""
        ledger = entries | "Ledger" >> beam.Flatten()
        once = ledger.pipeline | "Once" >> beam.Impulse()
        return once | "Publish" >> beam.Map(_publish, beam.pvalue.AsList(ledger), self.plan)


def _publish(_: bytes, entries: list[Entry], plan: Plan) -> str:
    try:
        with progress.phase("publishing"), noting(plan.note):
            return publish(entries, plan)
        return ""
    finally:
        do_after(plan.after)


def do_after(after: Iterable[Callable[[], None]]) -> None:
    """Does what is left to do at the end of a run; what fails does no harm to its outcome."""
    for each in after:
        try:
            each()
        except Exception as error:
            _log.warning("what the run no longer needs is still there: %s", type(error).__name__)


def publish(entries: Iterable[Entry], plan: Plan) -> str:
    """Publishes what was staged, or refuses; doing it twice does no harm.

    The evidence (dead letters, reports) goes first and the outputs' own manifest or folder last:
    an output that is there is whole.

    Args:
      entries: The ledger.
      plan: The run.

    Returns: The manifest, as JSON.

    Raises:
      Refused: A gate said no; only the evidence is published.
      MillraceError: The rows don't add up.
    """
    ledger = list(entries)
    counts = count(ledger, plan.targets)
    outputs = [target for target in plan.targets if not target.evidence]
    objection = plan.gate.objection(counts) if outputs else None
    staged = {
        aside(target, plan.run_id) if objection else target: _staged(ledger, target)
        for target in plan.targets
    }
    there = {t: [] if objection and not t.evidence else staged[t] for t in staged}
    manifest = {**_manifest(counts, there, plan), **json.loads(plan.manifest)}
    manifest["status"] = "refused" if objection else "committed"
    manifest["why"] = objection
    evidence = [place for place in staged if place.evidence and staged[place]]
    for target in evidence:
        # Until the outputs are there too, these are remnants if the run is killed.
        _put(target, staged[target], {**manifest, "status": PUBLISHING}, plan)
    try:
        for target in [] if objection else outputs:
            _put(target, staged[target], manifest, plan)
    except BaseException:
        for target in evidence:
            restore(target, target.staging)
        raise
    for target in evidence:
        write_manifest(target.manifest, manifest)
    if not objection:
        clear_stale(staged)
    for target in plan.targets:
        filesystem.delete(target.staging)
        release_staging(target)
        place_of(target).release(target)
    if objection:
        raise Refused(f"nothing was published: {objection}. {_evidence(evidence)}")
    return json.dumps(manifest)


def _evidence(targets: list[Target]) -> str:
    letters = ", ".join(target.root for target in targets if target.dead_letters) or "none"
    reports = ", ".join(target.root for target in targets if not target.dead_letters)
    return f"Dead letters: {letters}" + (f". What was found: {reports}" if reports else "")


def _staged(ledger: list[Entry], target: Target) -> list[Entry]:
    """Returns the staged files of a target, merged to one if the target is one file."""
    staged = [entry for entry in ledger if entry.target == target.root]
    if target.folder or target.beside or not target.dead_letters or not staged:
        return staged
    from transforms.commit.stage import staged_rows, write_file

    path = f"{target.staging}/whole{target.suffix}"
    if any(filesystem.exists(entry.path) for entry in staged):
        schema = pa.ipc.read_schema(pa.py_buffer(staged[0].schema))
        paths = [entry.path for entry, _ in final_names(target, staged)]
        write_file(target, path, schema, (rows for path in paths for rows in staged_rows(path)))
    (made,) = filesystem.list_files(path if filesystem.exists(path) else target.root)
    rows = sum(entry.rows for entry in staged)
    return [Entry("staged", "DeadLetters", target.root, path, rows, made.size)]


def _manifest(
    counts: dict[str, Any], staged: Mapping[Target, list[Entry]], plan: Plan
) -> dict[str, Any]:
    return {
        "run_id": plan.run_id,
        "job": plan.job,
        "started": plan.started,
        "finished": now(),
        "counts": counts,
        "outputs": [
            {
                "uri": target.root,
                "dead_letters": target.dead_letters,
                "evidence": target.evidence,
                "manifest": target.manifest,
                "files": _published(target, entries),
            }
            for target, entries in staged.items()
        ],
        "versions": versions(),
    }


def _published(target: Target, staged: list[Entry]) -> list[dict[str, Any]]:
    return [
        {"path": path, "rows": entry.rows, "bytes": entry.bytes}
        for entry, path in final_names(target, staged)
    ]


def _put(target: Target, staged: list[Entry], manifest: dict[str, Any], plan: Plan) -> None:
    """Publishes one output, unless that was done before."""
    there = read_manifest(target.manifest)
    done = ("committed", manifest["status"])
    if there and there["run_id"] == plan.run_id and there["status"] in done:
        return
    place_of(target).put(target, staged, manifest, plan.overwrite)
