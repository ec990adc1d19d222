"""Sorts the rows of a batch into those that were scored and those that leave with a reason."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from inference.loaded import Predictions
from inference.model.model import Model
from transforms.arrow.json_text import json_rows
from transforms.batches import row_sources, select_rows
from transforms.faults import Fault
from transforms.reasons import Reason
from transforms.rejects import join_rejects, reject_payloads


class Rejecting:
    """The rows of a batch while it is scored.

    Args:
      batch: n rows.
      model: The model that scores them.

    Attributes:
      good: n booleans: which rows are not rejected.
    """

    def __init__(self, batch: pa.RecordBatch, model: Model) -> None:
        self._batch, self._model = batch, model
        self._faults: list[Fault] = []
        self.good = np.ones(batch.num_rows, bool)

    def reject(self, fault: Fault) -> None:
        """Rejects the faulty rows that are not rejected yet."""
        new = fault.mask & self.good
        if new.any():
            self.good &= ~new
            self._faults.append(Fault(new, fault.reason, fault.column, fault.message))

    def judge(self, predictions: Predictions) -> np.ndarray | None:
        """Rejects the rows that the model failed on, or gave an output that can't be stored.

        Args:
          predictions: Those for the good rows.

        Returns: Which of the predictions are for rows that are still good; None if all are.
        """
        outputs = predictions.outputs
        if not predictions.failed and all(output.bad is None for output in outputs):
            return None
        rows = np.flatnonzero(self.good)
        for message in dict.fromkeys(failed.message for failed in predictions.failed):
            at = [failed.row for failed in predictions.failed if failed.message == message]
            self.reject(Fault(self._mask(rows[at]), Reason.MODEL_ERROR, None, message))
        scored = rows[predictions.rows]
        for spec, output in zip(self._model.signature.outputs, outputs, strict=True):
            if output.bad is not None:
                name = self._model.output_prefix + spec.name
                message = f"output {spec.name!r} of the model is not valid UTF-8"
                wrong = self._mask(scored[output.bad])
                self.reject(Fault(wrong, Reason.OUTPUT_ERROR, name, message))
        return np.asarray(self.good[scored])

    def rejects(self) -> pa.RecordBatch:
        """Returns the rejected rows, in the columns of `rejects.REJECTS`."""
        return join_rejects(list(self._parts()))

    def _parts(self) -> Iterator[pa.RecordBatch]:
        if not self._faults:
            return
        bad = ~self.good
        # Once for all: what a batch costs to write as JSON depends on its columns at first.
        payloads = json_rows(select_rows(self._batch, bad))
        sources = row_sources(self._batch, np.flatnonzero(bad))
        for fault in self._faults:
            part = pa.array(fault.mask[bad])
            yield reject_payloads(
                payloads.filter(part),
                fault.reason,
                fault.message,
                column=fault.column,
                sources=sources.filter(part),
                version=self._model.version,
            )

    def _mask(self, rows: np.ndarray) -> np.ndarray:
        mask = np.zeros(len(self.good), bool)
        mask[rows] = True
        return mask
