"""What tests of streams need: Beam's TestStream of batches, and what comes out of it."""

from collections.abc import Callable
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.test_stream import TestStream
from apache_beam.transforms.window import TimestampedValue

from tests.support import Collect
from transforms.batches import RecordBatchCoder


def timed(*seconds: float | None, **columns: Any) -> pa.RecordBatch:
    """A batch of rows that happened so many seconds after 1970; `n` tells them again."""
    micros = [None if second is None else round(second * 10**6) for second in seconds]
    return pa.RecordBatch.from_pydict(
        {"time": pa.array(micros, pa.timestamp("us")), "n": pa.array(seconds, pa.float64())}
        | columns
    )


def stream() -> TestStream:
    """A stream of batches, at the beginning of 1970."""
    return TestStream(coder=RecordBatchCoder()).advance_watermark_to(0)


def at(batch: pa.RecordBatch) -> list[TimestampedValue]:
    """A batch as the source emits it, with the timestamp of its first row."""
    return [TimestampedValue(batch, batch["n"][0].as_py())]


def run_stream(given: TestStream, build: Callable[[Any], Any]) -> tuple[list[Any], Any]:
    """What a pipeline makes of a stream, in the order in which it came, and the run's metrics.

    The runner is the one that Beam has for TestStream. It lets the watermark pass a stateful step
    whose timers are yet to fire, so what a timer emits must not be grouped by key there.
    """
    collect = Collect()
    root = beam.Pipeline("BundleBasedDirectRunner", options=PipelineOptions([], streaming=True))
    _ = build(root | given) | collect
    result = root.run()
    result.wait_until_finish()
    return collect.found, result.metrics()


def counter(metrics: Any, name: str) -> int:
    """A metric's value; 0 if nothing counted."""
    found = metrics.query(beam.metrics.MetricsFilter().with_name(name))["counters"]
    return sum(each.committed for each in found)


def _seen(
    batch: pa.RecordBatch,
    window: Any = beam.DoFn.WindowParam,
    timestamp: Any = beam.DoFn.TimestampParam,
) -> tuple[float, float, list[float]]:
    return float(window.start), float(timestamp), batch["n"].to_pylist()


def seen(batches: Any) -> Any:
    """Each batch as (start of its window, timestamp, rows)."""
    return batches | "Seen" >> beam.Map(_seen)


def _pane(
    group: Any,
    window: Any = beam.DoFn.WindowParam,
    pane: Any = beam.DoFn.PaneInfoParam,
) -> Any:
    timing = {0: "early", 1: "on time", 2: "late"}[pane.timing]
    return float(window.start), timing, sorted(n for part in group[1] for n in part)


def panes(batches: Any) -> Any:
    """What a GroupByKey downstream fires: (start of the window, early | on time | late, rows)."""
    keyed = batches | "Key" >> beam.Map(lambda batch: (0, batch["n"].to_pylist()))
    return keyed | beam.GroupByKey() | "Pane" >> beam.Map(_pane)
