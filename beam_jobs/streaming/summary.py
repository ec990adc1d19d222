"""What a run without end shows: a status line while it goes on, a table when it is drained."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from beam_jobs.running.summary import Meter
from transforms import progress
from transforms.progress import DEAD, FOUND, Count
from transforms.words import duration

if TYPE_CHECKING:
    from transforms.commit.stream.commit import StreamCommit

_ROWS = (
    ("messages", "read"),
    ("  duplicates", "duplicate"),
    ("  late, dropped", "late"),
    ("rows out", "write"),
    ("rows dead", "dead"),
)

_OF_POLICY = (("rows suppressed", "suppressed"), ("values untransformed", "untransformed"))
"""What a policy leaves out, or leaves as it is."""


class StreamMeter(Meter):
    """Shows messages a second, what came late or was rejected, and how far event time is."""

    def line(
        self, counts: Mapping[str, Count], rate: float, seconds: float, reading: float = 0.0
    ) -> str:
        """Returns the status line; an unbounded run has no time left."""
        parts = [f"{_of(counts, 'read'):,} messages", f"{rate:,.0f}/s", duration(seconds)]
        parts += [
            f"{_of(counts, step):,} {name}"
            for step, name in (("duplicate", "duplicate"), ("late", "late"), ("dead", "rejected"))
            if _of(counts, step)
        ]
        held = progress.gauges()
        if "in_flight" in held:
            parts.append(f"{held['in_flight']:,.0f} in flight")
        if "lag" in held:
            parts.append(f"{duration(max(0.0, held['lag']))} behind")
        return "  ".join(parts)


def stream_table(
    counts: Mapping[str, Count],
    manifests: Sequence[Mapping[str, Any]],
    commit: "StreamCommit",
    seconds: float,
) -> str:
    """Returns the counts of a run since this process started, and of all its starts.

    Args:
      counts: The process's counters.
      manifests: Those of its outputs.
      commit: What the run writes belongs to.
      seconds: How long it took.
    """
    rows = [(name, f"{_of(counts, step):,}") for name, step in _ROWS]
    reasons = sorted(step for step in counts if step.startswith(DEAD))
    rows += [(f"  {step.removeprefix(DEAD)}", f"{_of(counts, step):,}") for step in reasons]
    rows += [(name, f"{_of(counts, step):,}") for name, step in _OF_POLICY if _of(counts, step)]
    found = sorted(step for step in counts if step.startswith(FOUND))
    if found:
        rows.append(("findings", f"{sum(_of(counts, step) for step in found):,}"))
        rows += [(f"  {step.removeprefix(FOUND)}", f"{_of(counts, step):,}") for step in found]
    rows.append(("acknowledged", f"{_of(counts, 'acknowledged'):,}"))
    rows.append(("elapsed", duration(seconds)))
    rows += [("published to", topic) for topic in commit.topics]
    for manifest in sorted(manifests, key=lambda each: _rank(each)):
        if manifest["panes"] or not manifest["dead_letters"]:
            name = ("output", "evidence", "dead letters")[_rank(manifest)]
            held = f"{_some(manifest['rows'], 'row')} in {_some(manifest['panes'], 'file')}"
            rows.append((name, f"{manifest['uri']} ({held}, all starts together)"))
    rows.append(("run id", commit.run_id))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)


def _rank(manifest: Mapping[str, Any]) -> int:
    """Tells apart an output, evidence of the run, and dead letters, in this order."""
    return 2 if manifest["dead_letters"] else int(manifest.get("evidence", False))


def _some(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _of(counts: Mapping[str, Count], step: str) -> int:
    return counts.get(step, Count()).rows
