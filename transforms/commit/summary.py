"""What came of a run, as a table for people."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from transforms.commit.manifest import read_manifest
from transforms.words import duration


def run_table(manifest: Mapping[str, Any], place: str, seconds: float | None = None) -> str:
    """Returns a table of what came of a run: rows, reasons of rejects, outputs.

    Args:
      manifest: The run's manifest, with counts and outputs.
      place: Where it is stored.
      seconds: How long the run took, where that is known.
    """
    counts = manifest["counts"]
    suppressed = counts.get("rows_suppressed", 0)
    handled = counts["rows_out"] + counts["rows_dead"] + suppressed
    rows = [("rows in", _number(handled)), ("rows out", _number(counts["rows_out"]))]
    rows.append(("rows dead", _number(counts["rows_dead"])))
    rows += [(f"  {why}", _number(n)) for why, n in counts["dead_by_reason"].items()]
    rows += [(name, _number(value)) for name, value in counts.get("measures", {}).items()]
    rows += [("rows suppressed", _number(suppressed))] if suppressed else []
    left = counts.get("values_untransformed", 0)
    rows += [("values untransformed", _number(left))] if left else []
    if seconds is not None:
        rows.append(("elapsed", duration(seconds)))
        rows.append(("rows/s", _number(handled / seconds if seconds else 0)))
    preview = any(output["uri"].startswith("stdout:") for output in manifest["outputs"])
    findings = counts.get("findings", ())
    for output in manifest["outputs"]:
        if preview and not output["files"]:
            continue
        name = _kind(output)
        rows.append((name, _output(output, manifest["status"])))
        if name == "findings":
            # A gate has them; other evidence, such as drift beside a job, only files.
            found, findings = Counter(each["severity"].lower() for each in findings), ()
            rows += [(f"  {severity}s", _number(n)) for severity, n in sorted(found.items())]
    rows += [] if preview else [("manifest", place)]
    rows.append(("run id", manifest["run_id"]))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)


def _kind(output: Mapping[str, Any]) -> str:
    if output["dead_letters"]:
        return "dead letters"
    if not output["evidence"]:
        return "output"
    return "findings" if has_findings(output) else "evidence"


def has_findings(output: Mapping[str, Any]) -> bool:
    """Returns whether a gate wrote there what it found; other evidence has reports of its own."""
    return bool(output["evidence"]) and str(output["uri"]).rstrip("/").endswith(".validation")


def _output(output: Mapping[str, Any], status: str) -> str:
    files = output["files"]
    if status != "committed" and not output["evidence"]:
        return f"{output['uri']} (not published)"
    if not files:
        return f"{output['uri']} (none)" if output["evidence"] else str(output["uri"])
    size = sum(file["bytes"] for file in files)
    noun = "file" if len(files) == 1 else "files"
    amount = f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size / 1e3:,.1f} kB"
    return f"{output['uri']} ({len(files)} {noun}, {amount})"


def _number(value: float) -> str:
    return f"{value:,.0f}"


def manifest_place(manifest: Mapping[str, Any]) -> str:
    """Returns where a run's manifest is: at an output, else beside its evidence.

    Rows that went to a topic have none there, nor has an output that was refused.
    """
    outputs = sorted(manifest["outputs"], key=lambda output: bool(output["evidence"]))
    places = [str(output["manifest"]) for output in outputs]
    found = (place for place in places if _is_of(place, manifest["run_id"]))
    return next(found, places[0])


def _is_of(place: str, run_id: str) -> bool:
    manifest = read_manifest(place)
    return manifest is not None and manifest["run_id"] == run_id
