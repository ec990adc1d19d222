"""A model in one process of a machine, for all processes: batches come and go as bytes."""

from collections.abc import Callable, Sequence

import pyarrow as pa

from inference.devices.owner import Usage
from inference.loaded import LoadedModel
from transforms.coders import RecordBatchCoder
from transforms.rejects import Outcome

Keep = Sequence[str] | None
_CODER = RecordBatchCoder()


class SharedModel:
    """A model that other processes call, through a proxy of Beam's.

    Beam would pickle a batch for them, and with a slice its whole parent.

    Args:
      loaded: The model in this process.
      score: Scores a batch with it, and keeps these columns.
    """

    def __init__(
        self, loaded: LoadedModel, score: Callable[[pa.RecordBatch, LoadedModel, Keep], Outcome]
    ) -> None:
        self._loaded, self._score = loaded, score

    def score(self, batch: bytes, keep_columns: Keep) -> tuple[bytes, bytes]:
        """Returns the scored rows and the rejects of an encoded batch, encoded."""
        scored, rejects = self._score(_CODER.decode(batch), self._loaded, keep_columns)
        return _CODER.encode(scored), _CODER.encode(rejects)

    def usage(self) -> Usage | None:
        """Returns what the devices did since any process asked last; None on the CPU."""
        return self._loaded.usage()


def score_shared(batch: pa.RecordBatch, model: SharedModel, keep_columns: Keep) -> Outcome:
    """Scores a batch with a model of another process."""
    scored, rejects = model.score(_CODER.encode(batch), keep_columns)
    return _CODER.decode(scored), _CODER.decode(rejects)
