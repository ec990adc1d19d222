"""What tests of streams need: Beam's TestStream of batches, and what comes out of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.test_stream import TestStream
from apache_beam.transforms.core import RestrictionProvider
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Duration, Timestamp

from beam_jobs.running import prism
from tests.support import Collect
from transforms.coders import RecordBatchCoder
from transforms.errors import ConfigError


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


def run_prism(build: Callable[[Any], Any]) -> list[Any]:
    """What a pipeline makes on Prism, which the test is skipped without.

    Its workers are threads of this process, so that what they find can be collected.
    """
    try:
        program = prism.find(None)
    except ConfigError as error:
        pytest.skip(str(error))
    collect = Collect()
    with prism.running(program) as address:
        given = [f"--job_endpoint={address}", "--environment_type=LOOPBACK", "--streaming"]
        root = beam.Pipeline("PortableRunner", options=PipelineOptions(given))
        _ = build(root) | collect
        root.run().wait_until_finish()
    return collect.found


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


class _Places(RestrictionProvider):  # type: ignore[misc]
    """Which of the batches are yet to come."""

    def initial_restriction(self, batches: list[pa.RecordBatch]) -> OffsetRange:
        return OffsetRange(0, len(batches))

    def create_tracker(self, restriction: OffsetRange) -> OffsetRestrictionTracker:
        return OffsetRestrictionTracker(restriction)

    def restriction_size(self, batches: list[pa.RecordBatch], restriction: OffsetRange) -> int:
        return int(restriction.size())


_PLACES = beam.DoFn.RestrictionParam(_Places())
_ESTIMATOR = beam.DoFn.WatermarkEstimatorParam(ManualWatermarkEstimator.default_provider())


class _TrickleFn(beam.DoFn):
    """A bundle for each batch, then a pause."""

    def __init__(self, pause: float) -> None:
        self.pause = pause

    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        batches: list[pa.RecordBatch],
        tracker: Any = _PLACES,
        estimator: Any = _ESTIMATOR,
    ) -> Iterator[TimestampedValue]:
        place = tracker.current_restriction().start
        if not tracker.try_claim(place):
            return
        yield from at(batches[place])
        to_come = [n for batch in batches[place + 1 :] for n in batch["n"].to_pylist()]
        if to_come:
            estimator.set_watermark(Timestamp.of(min(to_come)))
        tracker.defer_remainder(Duration.of(self.pause))


@dataclass
class Trickle(beam.PTransform):
    """An unbounded source that comes to an end, for Prism: it can't be sent a TestStream.

    Its watermark is the earliest time that is yet to come, so no row is late.

    Args:
      batches: What it emits, each in a bundle of its own.
      pause: Seconds from one to the next.
    """

    batches: list[pa.RecordBatch]
    pause: float

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, root: Any) -> Any:
        """Returns the messages."""
        made = root | beam.Create([self.batches], reshuffle=False)
        return made | beam.ParDo(_TrickleFn(self.pause)).with_output_types(pa.RecordBatch)
