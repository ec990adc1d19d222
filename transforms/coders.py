"""How Beam carries values between steps: batches as Arrow IPC, large states pickled once."""

import contextlib
import pickle
from collections.abc import Iterator
from typing import Any, TypeAlias

import apache_beam as beam
import pyarrow as pa
from apache_beam import pipeline
from apache_beam.coders import coder_impl
from apache_beam.coders.coders import Coder, FastCoder
from apache_beam.coders.typecoders import registry

from transforms.batches import rough_size

Batches: TypeAlias = beam.PCollection[pa.RecordBatch]
"""A collection of batches. Whoever names it has registered the coder by that."""

_label = pipeline.alter_label_if_ipython


@contextlib.contextmanager
def _labelled(transform: Any, pvalueish: Any) -> Iterator[None]:
    """Lets pipelines be built in a notebook, where Beam 2.77 fails beside pandas 3.

    Beam puts the number of the cell before a step's label, and imports what pandas no longer has.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(AttributeError, ImportError):
            stack.enter_context(_label(transform, pvalueish))
        yield


pipeline.alter_label_if_ipython = _labelled

CODER_URN = "millrace:coder:record_batch:v1"


def with_columns(batches: Batches, schema: pa.Schema) -> Batches:
    """Notes which columns the batches of a collection will have, for the verbs that follow."""
    batches.columns = schema
    return batches


def known_columns(batches: Batches) -> pa.Schema | None:
    """Returns the columns that a verb noted by `with_columns`; None where none did."""
    return getattr(batches, "columns", None)


class _RecordBatchCoderImpl(coder_impl.StreamCoderImpl):
    """Arrow's IPC stream format: a schema message and one batch message."""

    def encode_to_stream(self, value: pa.RecordBatch, out: Any, nested: bool) -> None:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, value.schema) as writer:
            writer.write_batch(value)
        out.write(sink.getvalue().to_pybytes(), nested)

    def decode_from_stream(self, stream: Any, nested: bool) -> pa.RecordBatch:
        with pa.ipc.open_stream(stream.read_all(nested)) as reader:
            return reader.read_next_batch()

    def estimate_size(self, value: pa.RecordBatch, nested: bool = False) -> int:
        return rough_size(value)


class RecordBatchCoder(FastCoder):
    """Encodes a RecordBatch as Arrow IPC: only the rows of a slice, never its parent's buffers.

    Beam would pickle a RecordBatch, which drags a slice's whole parent along.
    """

    def _create_impl(self) -> _RecordBatchCoderImpl:
        return _RecordBatchCoderImpl()

    def is_deterministic(self) -> bool:
        """Returns False: equal batches may differ in their bytes, so a batch is never a key."""
        return False

    def to_type_hint(self) -> type:
        """Returns the type that it encodes."""
        return pa.RecordBatch  # type: ignore[no-any-return]

    def to_runner_api_parameter(self, context: Any) -> tuple[str, Any, tuple[()]]:
        """Its URN; it has no payload and no components."""
        return CODER_URN, None, ()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))


Coder.register_urn(CODER_URN, None, lambda payload, components, context: RecordBatchCoder())
registry.register_coder(pa.RecordBatch, RecordBatchCoder)


class _PickledCoderImpl(coder_impl.StreamCoderImpl):
    def encode_to_stream(self, value: Any, out: Any, nested: bool) -> None:
        out.write(pickle.dumps(value, pickle.HIGHEST_PROTOCOL), nested)

    def decode_from_stream(self, stream: Any, nested: bool) -> Any:
        return pickle.loads(stream.read_all(nested))

    def estimate_size(self, value: Any, nested: bool = False) -> int:
        return int(value.nbytes)


class PickledCoder(FastCoder):
    """Pickles, and asks a value for its size.

    Beam wants to know the size of what passes from step to step, and would pickle it each time.
    """

    def _create_impl(self) -> _PickledCoderImpl:
        return _PickledCoderImpl()

    def is_deterministic(self) -> bool:
        """Returns False: such values are not keys."""
        return False

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))


def register_pickled_coder(made: type) -> type:
    """Registers `PickledCoder` for a class whose values give their size in bytes as `nbytes`."""
    registry.register_coder(made, PickledCoder)
    return made
