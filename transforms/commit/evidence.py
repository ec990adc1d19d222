"""Evidence of a run, dead letters and reports: published also where a gate says no.

It goes first, and what it replaces is kept until the outputs are there too.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from transforms.commit.ledger import MANIFEST, Entry, Target
from transforms.commit.manifest import read_manifest
from transforms.files import filesystem

PUBLISHING = "publishing"
"""The status of evidence that waits for the outputs beside it."""


def aside(target: Target, run_id: str) -> Target:
    """Returns where a refused run's evidence goes: beside the evidence of an output that stays."""
    if target.beside:
        # A table's rows are added to those of others.
        return target
    taken = target.evidence and filesystem.exists(target.root) and not is_remnant(target)
    manifest = read_manifest(target.manifest) if taken else None
    if not taken or (manifest and manifest["run_id"] == run_id):
        return target
    stem, dot, suffix = target.root.rpartition(".")
    root = f"{target.root}.{run_id}" if target.folder else f"{stem}.{run_id}{dot}{suffix}"
    return replace(target, root=root)


def restore(target: Target, staging: str) -> None:
    """Puts back the evidence that a run replaced which published nothing else.

    Args:
      target: The dead letters, say.
      staging: Where the run staged its files.
    """
    manifest = read_manifest(target.manifest)
    if manifest is None or manifest["status"] != PUBLISHING or _is_published(manifest):
        return
    replaced = _replaced(target, staging, manifest["run_id"])
    if filesystem.is_local(target.root) and replaced is not None:
        filesystem.delete(target.root)
        filesystem.move_folder(replaced, target.root)


def _replaced(target: Target, staging: str, run_id: str) -> str | None:
    """Returns where a staging keeps the evidence of the earlier run.

    A kill may come after the two folders were exchanged, and before the old one has its name.
    """
    for name in ("replaced", "whole", "whole.old"):
        place = f"{staging}/{name}"
        manifest = read_manifest(f"{place}/{MANIFEST}") if target.folder else None
        whole = filesystem.exists(place) if name == "replaced" else manifest is not None
        if whole and (manifest is None or manifest["run_id"] != run_id):
            return place
    return None


def is_remnant(target: Target) -> bool:
    """Returns whether the place holds evidence of a run that published nothing else."""
    manifest = read_manifest(target.manifest)
    if manifest is None or not target.evidence:
        return False
    return manifest["status"] == "refused" or (
        manifest["status"] == PUBLISHING and not _is_published(manifest)
    )


def clear_stale(staged: Mapping[Target, list[Entry]]) -> None:
    """Deletes evidence of an earlier run, lest it pass for this one's; no other."""
    for target, entries in staged.items():
        other = target.evidence and not target.beside
        if other and not entries and read_manifest(target.manifest):
            filesystem.delete(target.root)
            filesystem.delete(target.manifest)


def _is_published(manifest: Mapping[str, Any]) -> bool:
    """Returns whether the outputs of the run with this evidence manifest exist."""
    outputs = [output for output in manifest["outputs"] if not _is_evidence(output)]
    published = [read_manifest(output["manifest"]) for output in outputs]
    return any(other and other["run_id"] == manifest["run_id"] for other in published)


def _is_evidence(output: Mapping[str, Any]) -> bool:
    # Manifests of before there were reports know dead letters only.
    return bool(output.get("evidence", output["dead_letters"]))
