"""Rows that a preprocessing function fails on while they are analyzed: told without their values.

tf.Transform quotes the whole batch in its error, and a runner would log it. Its step is wrapped, so
that the error is one of ours, on the worker already.
"""

import importlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import apache_beam as beam

from transforms.errors import ConfigError, MillraceError
from transforms.preprocess.saved_function import TransformFunction
from transforms.tensorflow import blame, is_exhausted

_lock = threading.Lock()
_WAY_OUT = (
    "While rows are analyzed, none that fails can be left out. Leave such rows out of the input, "
    "or keep the check that fails off what analyzers depend on: then they become dead letters"
)


class QuietFn(beam.DoFn):
    """Runs a step of tf.Transform that applies a graph; its errors hold no values of rows.

    Args:
      step: The DoFn that it is.
    """

    def __init__(self, step: beam.DoFn) -> None:
        super().__init__()
        self._step = step

    def setup(self) -> None:
        """Sets the step up."""
        self._step.setup()

    def process(self, batch: Any, saved_model_dir: str) -> Iterator[Any]:
        """Applies the graph to a batch.

        Raises:
          ConfigError: It fails; the text names the step of the graph, and the columns.
        """
        try:
            yield from self._step.process(batch, saved_model_dir)
        except MillraceError:
            raise
        except Exception as error:
            # What tf.Transform says quotes the batch; what it was raised from is TensorFlow's own.
            raise explained(error.__cause__ or error, saved_model_dir) from None

    def get_type_hints(self) -> Any:
        """Returns the hints of the step."""
        return self._step.get_type_hints()


@contextmanager
def quiet_steps() -> Iterator[None]:
    """Wraps the steps by which tf.Transform applies graphs, of pipelines that are built within."""
    impl = importlib.import_module("tensorflow_transform.beam.impl")
    with _lock:
        original = impl._RunMetaGraphDoFn
        impl._RunMetaGraphDoFn = lambda *given, **named: QuietFn(original(*given, **named))  # type: ignore[attr-defined]
        try:
            yield
        finally:
            impl._RunMetaGraphDoFn = original  # type: ignore[attr-defined]


def explained(error: BaseException, path: str) -> ConfigError:
    """Returns what to say of an error of a graph that is applied to a batch.

    Args:
      error: What TensorFlow raised. Its own text may hold values of rows.
      path: The SavedModel of the graph.
    """
    if not isinstance(error, Exception):
        raise error
    if is_exhausted(error):
        return ConfigError(
            "Analyze: memory ran out while the preprocessing_fn ran on a batch: give it smaller "
            "batches, or workers with more memory"
        )
    graph = TransformFunction(path)
    what = blame(error, graph.nodes, "the preprocessing_fn")
    columns = graph.columns_of(what.rpartition(" ")[2])
    of = f", which depends on {' and '.join(map(repr, columns))}," if columns else ""
    return ConfigError(f"Analyze: the preprocessing_fn fails on a row: {what}{of}. {_WAY_OUT}")
