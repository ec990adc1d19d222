"""What a run without end shows: a status line while it goes on, a table when it is drained."""

from collections.abc import Mapping
from typing import Any

from beam_jobs.summary import Meter, duration
from transforms import progress
from transforms.progress import Count

_ROWS = (
    ("messages", "read"),
    ("  duplicates", "duplicate"),
    ("  late, dropped", "late"),
    ("rows out", "write"),
    ("rows dead", "dead"),
)


class StreamMeter(Meter):
    """Shows messages a second, what came late or was rejected, and how far event time is."""

    def line(self, counts: Mapping[str, Count], rate: float, seconds: float) -> str:
        """The status line."""
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
    counts: Mapping[str, Count], manifest: Mapping[str, Any] | None, run_id: str, seconds: float
) -> str:
    """What came of a run since this process started.

    Args:
      counts: The process's counters.
      manifest: The output's manifest, where it is files.
      run_id: The run.
      seconds: How long it took.
    """
    rows = [(name, f"{_of(counts, step):,}") for name, step in _ROWS]
    rows.append(("acknowledged", f"{_of(counts, 'acknowledged'):,}"))
    rows.append(("elapsed", duration(seconds)))
    if manifest is not None:
        panes = f"{manifest['rows']:,} rows in {manifest['panes']:,} files, all starts together"
        rows.append(("committed", panes))
        rows.append(("output", manifest["uri"]))
    rows.append(("run id", run_id))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)


def _of(counts: Mapping[str, Count], step: str) -> int:
    return counts.get(step, Count()).rows
