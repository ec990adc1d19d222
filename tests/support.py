"""What several tests need: the local runner, real data, and batches of every type."""

import os
import pathlib
import uuid
from collections.abc import Callable
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
from hypothesis import strategies as st

from transforms.commit.dead_letters import DeadLetters

ROOT = pathlib.Path(__file__).parents[1]


def shared_data(*parts: str) -> pathlib.Path:
    """A path under the public data sets, or a skip that says they are not here."""
    base = pathlib.Path(os.environ.get("MILLRACE_DATA", ROOT.parent / "shared" / "data"))
    path = base.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"public data not present: {path} (set MILLRACE_DATA)")
    return path


def local_pipeline(**options: Any) -> beam.Pipeline:
    """A pipeline on the in-process runner for bounded input."""
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    return beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([], **options))


_COLLECTED: dict[str, list[Any]] = {}


def _collect(element: Any, key: str) -> None:
    _COLLECTED[key].append(element)


class Collect(beam.PTransform):
    """Gathers what flows into a list of this process, `found`."""

    def __init__(self) -> None:
        super().__init__()
        self.key = uuid.uuid4().hex
        self.found = _COLLECTED.setdefault(self.key, [])

    def expand(self, elements: Any) -> Any:
        return elements | beam.Map(_collect, self.key)


class Door(DeadLetters):
    """Takes rejects into a list of this process, `found`, and forgets what was dropped."""

    def __init__(self) -> None:
        self._collect = Collect()
        self.found, self.commit = self._collect.found, self

    def take(self, rejects: Any, step: str | None = None) -> None:
        """Collects rejects; a tally comes without a step."""
        if step is not None:
            _ = rejects | f"Collect {step}" >> self._collect


def run_on(batches: list[pa.RecordBatch], build: Callable[[Any], Any]) -> list[Any]:
    """What a transform makes of some batches, collected in this process."""
    collect = Collect()
    with local_pipeline() as root:
        given = root | beam.Create(batches, reshuffle=False)
        given.element_type = pa.RecordBatch
        _ = build(given) | collect
    return collect.found


def batch_of(**columns: Any) -> pa.RecordBatch:
    """A batch from Python lists or Arrow arrays."""
    return pa.RecordBatch.from_pydict(columns)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats(allow_nan=False),
    pa.float32(): st.floats(width=32, allow_nan=False),
    pa.string(): TEXT,
    pa.binary(): st.binary(max_size=8),
    pa.bool_(): st.booleans(),
    pa.list_(pa.int64()): st.lists(st.integers(-5, 5), max_size=3),
}


@st.composite
def record_batches(draw: st.DrawFn, max_rows: int = 12) -> pa.RecordBatch:
    """Batches of any plain types, with nulls, often a slice of a larger one."""
    types = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=4))
    rows = draw(st.integers(0, max_rows))
    arrays = [
        pa.array(
            draw(st.lists(st.none() | VALUES[type], min_size=rows + 2, max_size=rows + 2)), type
        )
        for type in types
    ]
    whole = pa.RecordBatch.from_arrays(arrays, [f"c{i}" for i in range(len(types))])
    return whole.slice(draw(st.integers(0, 2)), rows)
