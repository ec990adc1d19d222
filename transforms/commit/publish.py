"""The last step of a run: everything appears at once, or nothing does."""

import datetime
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import apache_beam as beam
import pyarrow as pa

from transforms.commit.ledger import MANIFEST, Entry, Gate, Target, count, final_names
from transforms.errors import Refused
from transforms.files import filesystem
from transforms.files.locks import unlock

PUBLISHING = "publishing"
"""The status of evidence that waits for the outputs beside it."""


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


@dataclass
class Publish(beam.PTransform):
    """Publishes what was staged, once all of it is there.

    Args:
      plan: The run.

    Returns: The manifest, as JSON.
    """

    plan: Plan

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, entries: Any) -> Any:
        """Applies it to a tuple of collections of ledger entries."""
        ledger = entries | "Ledger" >> beam.Flatten()
        once = ledger.pipeline | "Once" >> beam.Impulse()
        return once | "Publish" >> beam.Map(_publish, beam.pvalue.AsList(ledger), self.plan)


def _publish(_: bytes, entries: list[Entry], plan: Plan) -> str:
    return publish(entries, plan)


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
        _clear_stale(staged)
    for target in plan.targets:
        filesystem.delete(target.staging)
        unlock(target.root)
    if objection:
        raise Refused(f"nothing was published: {objection}. {_evidence(evidence)}")
    return json.dumps(manifest)


def _evidence(targets: list[Target]) -> str:
    letters = ", ".join(target.root for target in targets if target.dead_letters) or "none"
    reports = ", ".join(target.root for target in targets if not target.dead_letters)
    return f"Dead letters: {letters}" + (f". What was found: {reports}" if reports else "")


def _clear_stale(staged: Mapping[Target, list[Entry]]) -> None:
    """Deletes evidence of an earlier run, lest it pass for this one's; no other."""
    for target, entries in staged.items():
        if target.evidence and not entries and read_manifest(target.manifest):
            filesystem.delete(target.root)
            filesystem.delete(target.manifest)


def aside(target: Target, run_id: str) -> Target:
    """Where the evidence of a refused run goes: not in the place of that of what stays."""
    taken = target.evidence and filesystem.exists(target.root) and not is_remnant(target)
    manifest = read_manifest(target.manifest) if taken else None
    if not taken or (manifest and manifest["run_id"] == run_id):
        return target
    stem, dot, suffix = target.root.rpartition(".")
    root = f"{target.root}.{run_id}" if target.folder else f"{stem}.{run_id}{dot}{suffix}"
    return replace(target, root=root)


def restore(target: Target, staging: str) -> None:
    """Puts evidence back that was replaced by that of a run that published nothing else.

    Args:
      target: The dead letters, say.
      staging: Where the run staged its files.
    """
    replaced, manifest = f"{staging}/replaced", read_manifest(target.manifest)
    if not filesystem.is_local(target.root) or not filesystem.exists(replaced):
        return
    if manifest and manifest["status"] == PUBLISHING and not _is_published(manifest):
        filesystem.delete(target.root)
        filesystem.move_folder(replaced, target.root)


def _staged(ledger: list[Entry], target: Target) -> list[Entry]:
    """What waits for a target; what becomes one file is made one."""
    staged = [entry for entry in ledger if entry.target == target.root]
    if target.folder or not target.dead_letters or not staged:
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
        "versions": _versions(),
    }


def _published(target: Target, staged: list[Entry]) -> list[dict[str, Any]]:
    return [
        {"path": path, "rows": entry.rows, "bytes": entry.bytes}
        for entry, path in final_names(target, staged)
    ]


def _put(target: Target, staged: list[Entry], manifest: dict[str, Any], plan: Plan) -> None:
    """Publishes one output."""
    there = read_manifest(target.manifest)
    done = ("committed", manifest["status"])
    if there and there["run_id"] == plan.run_id and there["status"] in done:
        return
    if not plan.overwrite and filesystem.exists(target.root) and not is_remnant(target):
        raise Refused(f"nothing was published: {target.root} came to be while this run worked")
    moves = [(entry.path, path) for entry, path in final_names(target, staged)]
    if not moves:
        moves = _empty_output(target, staged)
    content = _text(manifest)
    if target.family == "stdout":
        from transforms.commit.stdout import show

        show(target, [staged for staged, _ in moves])
        filesystem.write_bytes(target.manifest, content)
    elif not target.folder:
        _put_file(target, moves[0] if moves else None, content)
    elif filesystem.is_local(target.root):
        _put_local_folder(target, moves, content, plan.overwrite or is_remnant(target))
    else:
        filesystem.delete(target.root)
        filesystem.move(moves)
        filesystem.write_bytes(target.manifest, content)


def _put_local_folder(
    target: Target, moves: list[tuple[str, str]], manifest: bytes, replaces: bool
) -> None:
    """Builds the folder beside its place, and puts it there by one rename."""
    whole = f"{target.staging}/whole"
    filesystem.move([(staged, whole + path[len(target.root) :]) for staged, path in moves])
    filesystem.write_bytes(f"{whole}/{MANIFEST}", manifest)
    # What is replaced is deleted with the staging, at the very end.
    filesystem.swap_in(whole, target.root, f"{target.staging}/replaced" if replaces else None)


def _put_file(target: Target, move: tuple[str, str] | None, manifest: bytes) -> None:
    filesystem.delete(target.manifest)
    if move is not None:
        filesystem.move([move])
    filesystem.write_bytes(target.manifest, manifest)


def _empty_output(target: Target, staged: list[Entry]) -> list[tuple[str, str]]:
    """A file without rows, so that readers find the columns."""
    schemas = [entry.schema for entry in staged if entry.kind == "schema"]
    if not schemas:
        return []
    from transforms.commit.stage import write_file

    path = f"{target.staging}/empty{target.suffix}"
    write_file(target, path, pa.ipc.read_schema(pa.py_buffer(schemas[0])), [])
    name = f"{target.root}/part-00000-of-00001{target.suffix}"
    return [(path, name if target.folder else target.root)]


def is_remnant(target: Target) -> bool:
    """Whether what stands there is evidence of a run that published nothing else."""
    manifest = read_manifest(target.manifest)
    if manifest is None or not target.evidence:
        return False
    return manifest["status"] == "refused" or (
        manifest["status"] == PUBLISHING and not _is_published(manifest)
    )


def _is_published(manifest: Mapping[str, Any]) -> bool:
    """Whether the outputs of a run are there, of which this is the evidence's manifest."""
    outputs = [output for output in manifest["outputs"] if not _is_evidence(output)]
    published = [read_manifest(output["manifest"]) for output in outputs]
    return any(other and other["run_id"] == manifest["run_id"] for other in published)


def _is_evidence(output: Mapping[str, Any]) -> bool:
    # Manifests of before there were reports know dead letters only.
    return bool(output.get("evidence", output["dead_letters"]))


def _text(manifest: Mapping[str, Any]) -> bytes:
    return json.dumps(manifest, indent=2).encode()


def write_manifest(uri: str, manifest: Mapping[str, Any]) -> None:
    """Writes a manifest."""
    filesystem.write_bytes(uri, _text(manifest))


def read_manifest(uri: str) -> dict[str, Any] | None:
    """A manifest, or None where there is none."""
    try:
        if not filesystem.exists(uri):
            return None
        manifest = json.loads(filesystem.read_bytes(uri))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and "run_id" in manifest else None


def now() -> str:
    """The time, as manifests tell it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in ("millrace", "apache-beam", "pyarrow", "tensorflow"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
