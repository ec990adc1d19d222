"""A model in memory: warmed up, and called over any number of rows."""

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from inference.devices.ceiling import fitting_rows
from inference.devices.execution import Execution
from inference.devices.owner import Usage
from inference.model.model import Model
from inference.runs.beside import ahead_of, calls_beside
from inference.runs.load import runs_of
from inference.signature.binding import Binding
from inference.signature.spec import TensorSpec
from inference.tensors.blank import blank_features, mixed_features, row_bytes
from inference.tensors.company import depends_on_company
from inference.tensors.features import Feature
from inference.tensors.inputs import tensors
from inference.tensors.predictions import Prediction, column_type, predicted
from transforms.batches import MAX_BYTES, MAX_ROWS
from transforms.calls import SMALLEST, Ahead, Calls, Failed, RowLimit, groups
from transforms.errors import ConfigError, MillraceError

_log = logging.getLogger(__name__)
_MEASURED = 8
"""The first call has an eighth of the rows, where a device tells how much memory it took."""
_SAMPLE = 4096
"""The most rows with which it is measured whether calls side by side are faster."""
_TRIES = 4
"""How often to look whether rows depend on each other, where the rows at hand can't tell."""


@dataclass(frozen=True)
class Predictions:
    """What a model makes of some rows.

    Attributes:
      rows: The numbers of the rows it scored, ascending.
      outputs: Its outputs for them, in the order of the signature.
      failed: The rows it could not score.
    """

    rows: np.ndarray
    outputs: list[Prediction]
    failed: list[Failed]


@dataclass(frozen=True)
class Bound:
    """A model fitted to the batches of one schema.

    Attributes:
      binding: Which columns feed it.
      kept: The places of the columns to keep beside its outputs.
      schema: Of a scored batch: what is kept, the outputs, the model's version.
    """

    binding: Binding
    kept: tuple[int, ...]
    schema: pa.Schema


class LoadedModel:
    """A model with its weights and what it learned about memory. Threads share it.

    Args:
      model: The model as configured.
      execution: How it is run, and on which devices.

    Raises:
      ConfigError: It can't be loaded, its outputs are not one for each row, or it takes a fixed
        number of rows, and pads would change what the other rows get.
      ModelTimeoutError: A call to warm it up has not returned in time.
    """

    def __init__(self, model: Model, execution: Execution | None = None) -> None:
        how = execution or Execution()
        self.model, self._runs = model, runs_of(model, how)
        self._ahead = self._runs.ahead
        fixed = model.signature.rows
        self.limit = RowLimit(fixed or model.batch_rows, fixed=fixed is not None)
        self._last: tuple[pa.Schema, Sequence[str] | None, Bound] | None = None
        self._versions: pa.Array = pa.repeat(model.version, MAX_ROWS)
        self._warm_up()
        self._tries, self._lock = _TRIES, threading.Lock()
        self._look_at_company(mixed_features(model.signature, 2 * self._size), 2)
        if self._ahead is None and self.limit.pads:
            self._ahead = self._beside(how.calls_beside)

    @property
    def _size(self) -> int:
        """How many rows are called to see whether a row depends on the others."""
        return self.model.signature.rows or SMALLEST

    def bound(self, schema: pa.Schema, keep_columns: Sequence[str] | None) -> Bound:
        """Returns the model fitted to batches of a schema; done once for a run of equal ones.

        Raises:
          ConfigError: Their columns can't feed it; see `Model.check`.
        """
        last = self._last
        if last is None or last[1] != keep_columns or not schema.equals(last[0]):
            last = (schema, keep_columns, self._bind(schema, keep_columns))
            self._last = last
        return last[2]

    def _bind(self, schema: pa.Schema, keep_columns: Sequence[str] | None) -> Bound:
        binding = self.model.bind(schema, keep_columns)
        kept: Sequence[int] = range(len(schema))
        if keep_columns is not None:
            kept = [schema.names.index(name) for name in keep_columns]
        fields = [*(schema.field(index) for index in kept), *self.model.output_fields()]
        return Bound(binding, tuple(kept), pa.schema(fields))

    def usage(self) -> Usage | None:
        """Returns what the devices did since this was asked last; None on the CPU."""
        return self._runs.taken()

    def versions(self, rows: int) -> pa.Array:
        """Returns the model's version, as a column of so many rows."""
        if rows > len(self._versions):
            return pa.repeat(self.model.version, rows)
        return self._versions.slice(0, rows)

    def predict(self, features: list[Feature], rows: int) -> Predictions:
        """Scores rows.

        Args:
          features: The inputs of `rows` rows, none of them faulty.
          rows: How many.

        Raises:
          ConfigError: An output is not one value for each row.
        """
        found: list[tuple[np.ndarray, list[Prediction]]] = []
        failed: list[Failed] = []
        for members in _alike(features, rows):
            alike = features if len(members) == rows else [f.take(members) for f in features]
            self._look_at_company(alike, len(members))
            for part in self._calls(alike).over(len(members), self.limit, self._ahead):
                if isinstance(part, Failed):
                    failed.append(Failed(int(members[part.row]), part.message))
                else:
                    found.append((members[part.start : part.start + part.count], part.result))
        return _joined(self.model.signature.outputs, found, failed)

    def _calls(self, features: list[Feature]) -> Calls[list[Prediction]]:
        runs = self._runs

        def call(start: int, count: int, padded: int) -> list[Prediction]:
            given = tensors(features, start, count, padded)
            outputs = runs.call(given, count)
            specs = self.model.signature.outputs
            return [predicted(spec, outputs[spec.name], count, padded) for spec in specs]

        program = runs.program
        return Calls(call, program.exhausted, program.blame, passed=(MillraceError,))

    def _warm_up(self) -> None:
        """Makes the largest call that batches of this model's rows can lead to.

        So that memory is taken, and graphs are compiled, before the first row waits for it. The
        rows are blank, which a model may refuse.
        """
        rows = self.limit.rows
        fitting = max(1, MAX_BYTES // row_bytes(self.model.signature.inputs))
        if fitting < rows and self.model.signature.rows is None:
            rows = 1 << (fitting.bit_length() - 1)
        calls = self._calls(blank_features(self.model.signature, rows))
        self._measure(calls, rows)
        calls.trial(min(rows, self.limit.rows), self.limit)
        self._runs.taken()

    def _beside(self, most: int) -> Ahead | None:
        """Returns what makes several calls at a time, if that is faster; None if it isn't."""
        rows = max(1, min(_SAMPLE, self.limit.rows // max(1, most)))
        calls = self._calls(blank_features(self.model.signature, rows))
        try:
            return ahead_of(calls_beside(lambda: calls.call(0, rows, rows), most))
        except MillraceError:
            raise
        except Exception:
            # A model may refuse blank rows. Then nothing is known, and calls follow each other.
            return None

    def _measure(self, calls: Calls[list[Prediction]], rows: int) -> None:
        """Lowers the limit to what fits into the device's memory, where it tells of that.

        Without it the first large call would run out of memory, and take what it did with it.
        """
        tried, before = max(1, rows // _MEASURED), self._runs.memory()
        if before is None or self.model.signature.rows is not None:
            return
        calls.trial(tried, self.limit)
        after = self._runs.memory()
        if after is not None:
            self.limit.lower(fitting_rows(tried, before[0], after[1], after[2], rows))

    def _look_at_company(self, features: list[Feature], rows: int) -> None:
        """Stops padding if what a row gets depends on the others; looks until that is known.

        The model may refuse the rows that are made up for it, so the first real ones are tried too.

        Raises:
          ConfigError: It does, but the number of rows is fixed.
        """
        if not self._tries or rows < 2 or self.model.signature.rows == 1:
            return
        with self._lock:
            if self._tries:
                depends = self._depends(features)
                self._tries = self._tries - 1 if depends is None else 0
                if depends:
                    self._refuse_padding()

    def _depends(self, features: list[Feature]) -> bool | None:
        fixed = self.model.signature.rows is not None
        size = self._size if fixed else min(self._size, len(features[0].columns[0]))

        def score(given: list[Feature], rows: int) -> list[Prediction]:
            return self._calls(given).call(0, rows, rows)

        try:
            return depends_on_company(score, features, size, fixed)
        except MillraceError:
            raise
        except Exception:
            # A model may refuse rows, for what they hold or where memory is short.
            return None

    def _refuse_padding(self) -> None:
        model = self.model
        why = f"model {model.uri}: what it makes of a row depends on the other rows of the call"
        if model.signature.rows is not None:
            raise ConfigError(
                f"{why}, and it takes exactly {model.signature.rows} rows, so rows that fill up a "
                "call would change the others: export it for any number of rows"
            )
        self.limit.stop_padding()
        self._ahead = None
        _log.warning(
            "%s. They are scored without padding, in the batches that they come in, of at most "
            "%d rows: the same rows in other batches get other values",
            why,
            self.limit.rows,
        )


def _alike(features: list[Feature], rows: int) -> Iterator[np.ndarray]:
    """Rows that can be in one call: those with lists as long as the model wants them alike."""
    sizes = [feature.sizes for feature in features if feature.sizes is not None]
    if not sizes or not rows:
        yield np.arange(rows)
        return
    yield from groups(np.concatenate(sizes, axis=1))


def _joined(
    specs: tuple[TensorSpec, ...],
    found: list[tuple[np.ndarray, list[Prediction]]],
    failed: list[Failed],
) -> Predictions:
    """Returns the results of all calls as one, in the order of the rows."""
    if not found:
        nothing = [Prediction(pa.nulls(0, column_type(spec))) for spec in specs]
        return Predictions(np.arange(0), nothing, failed)
    if len(found) == 1:
        return Predictions(*found[0], failed)
    rows = np.concatenate([members for members, _ in found])
    outputs = [_appended([parts[i] for _, parts in found]) for i in range(len(specs))]
    order = np.argsort(rows, kind="stable")
    if (np.diff(rows) < 0).any():
        outputs = [_reordered(output, order) for output in outputs]
    return Predictions(rows[order], outputs, failed)


def _appended(parts: list[Prediction]) -> Prediction:
    values = pa.concat_arrays([part.values for part in parts])
    if all(part.bad is None for part in parts):
        return Prediction(values)
    masks = [np.zeros(len(part.values), bool) if part.bad is None else part.bad for part in parts]
    return Prediction(values, np.concatenate(masks))


def _reordered(output: Prediction, order: np.ndarray) -> Prediction:
    bad = None if output.bad is None else output.bad[order]
    return Prediction(output.values.take(pa.array(order)), bad)
