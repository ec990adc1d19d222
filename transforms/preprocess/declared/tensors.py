"""The operations of steps on tensors: in the transform graph, and in a preprocessing function."""

from typing import Any

from transforms.preprocess.declared.values import Many, One, Value, Vector
from transforms.preprocess.figures.vocabulary import Vocabulary
from transforms.tensorflow import tensorflow, tensorflow_transform


class Tensors:
    """What `Arrays` does on arrays, in TensorFlow.

    Args:
      folder: Where vocabularies are written, for the graph to take them as its assets.
    """

    def __init__(self, folder: str) -> None:
        self.tf, self.tft, self.folder = tensorflow(), tensorflow_transform(), folder
        self.feature = ""
        self.files: dict[str, Any] = {}
        self.sqrt = self.tf.math.sqrt
        self.minimum, self.maximum = self.tf.minimum, self.tf.maximum
        self.where = self.tf.where

    def dtype(self, values: Any) -> str:
        """Returns the type of values."""
        return str(values.dtype.name)

    def floats(self, values: Any) -> Any:
        """Returns numbers as floats of 32 bits."""
        return self.tf.cast(values, self.tf.float32)

    def integers(self, values: Any) -> Any:
        """Returns numbers as integers."""
        return self.tf.cast(values, self.tf.int64)

    def precisely(self, name: str, x: Any) -> Any:
        """Returns a function of floats, computed in doubles and rounded, as `Arrays` does."""
        made = getattr(self.tf.math, name)(self.tf.cast(x, self.tf.float64))
        return self.tf.cast(made, self.tf.float32)

    def ratio(self, x: Any, y: Any) -> Any:
        """Returns x / y of floats, by way of doubles, as `Arrays` does."""
        tf = self.tf
        return tf.cast(tf.cast(x, tf.float64) / tf.cast(y, tf.float64), tf.float32)

    def sigmoid(self, x: Any) -> Any:
        """Returns 1 / (1 + exp(-x))."""
        return 1.0 / (1.0 + self.precisely("exp", -x))

    def buckets(self, x: Any, boundaries: Any) -> Any:
        """Returns how many boundaries are at or below each number; all of them for NaN."""
        return self.tft.apply_buckets(x, self.tf.reshape(boundaries, [1, -1]))

    def missing(self, values: Any, present: Any) -> Any:
        """Returns which values are missing or NaN; None if none can be."""
        missing = None if present is None else self.tf.logical_not(present)
        if not values.dtype.is_floating:
            return missing
        nan = self.tf.math.is_nan(values)
        return nan if missing is None else missing | nan

    def filled(self, values: Any, missing: Any, constant: Any) -> Any:
        """Returns the values with a constant where they are missing."""
        return self.tf.where(missing, self.tf.cast(constant, values.dtype), values)

    def lookup(
        self, values: Any, known: Any, num_oov_buckets: int, default_value: int, name: str
    ) -> tuple[Any, Any]:
        """Returns the places of values in a vocabulary, and how many categories there are."""
        size: Any = None
        if isinstance(known, Vocabulary):
            size, known = len(known) + num_oov_buckets, self._file(known, name)
        made = self.tft.apply_vocabulary(
            values, known, num_oov_buckets=num_oov_buckets, default_value=default_value
        )
        if size is None:
            size = self.tft.get_num_buckets_for_transformed_feature(made)
        return made, size

    def _file(self, vocabulary: Vocabulary, name: str) -> str:
        """Returns the file of a vocabulary, written once."""
        path = f"{self.folder}/{name}"
        if path not in self.files:
            vocabulary.write(path)
            self.files[path] = vocabulary
        elif self.files[path] != vocabulary:
            raise ValueError(f"two vocabularies are called {name}")
        return path

    def analyzed(self, value: Any) -> Any:
        """Returns a value as tf.Transform analyzes it: without what is missing."""
        if isinstance(value, One) and value.present is None:
            return value.values
        return value.values if isinstance(value, Vector) else self.sparse(value)

    def analyzed_values(self, value: Any) -> Any:
        """Returns the values that are not missing, in one dimension."""
        found = self.analyzed(value)
        return found.values if isinstance(found, self.tf.SparseTensor) else found

    def sparse(self, value: One | Many) -> Any:
        """Returns a sparse tensor: n rows of the values that are there."""
        tf = self.tf
        if isinstance(value, One):
            rows = tf.where(value.present)[:, 0]
            values = tf.gather(value.values, rows)
            shape = [tf.size(value.present, tf.int64), tf.constant(1, tf.int64)]
            indices = tf.stack([rows, tf.zeros_like(rows)], 1)
            return tf.SparseTensor(indices, values, tf.stack(shape))
        ragged = tf.RaggedTensor.from_value_rowids(value.values, value.rows, value.count, False)
        return ragged.to_sparse()

    def given(self, tensor: Any, one: bool) -> Value:
        """Returns a feature's tensor as a value of steps.

        Args:
          tensor: Dense [n] or [n, k], sparse or ragged.
          one: Whether each row has one value at most.
        """
        tf = self.tf
        if isinstance(tensor, tf.SparseTensor):
            return self._given_sparse(tensor, one)
        if isinstance(tensor, tf.RaggedTensor):
            return Many(tensor.values, tensor.value_rowids(), tensor.nrows(out_type=tf.int64))
        if tensor.shape.rank == 1 or tensor.shape[1:].num_elements() == 1:
            return One(tf.reshape(tensor, [-1]))
        return Vector(tf.reshape(tensor, [-1, tensor.shape[1:].num_elements()]))

    def _given_sparse(self, tensor: Any, one: bool) -> Value:
        tf = self.tf
        count = tensor.dense_shape[0]
        if not one:
            return Many(tensor.values, tensor.indices[:, 0], count)
        # Of one column, so that rows with several values fail, and are found.
        tensor = tf.SparseTensor(tensor.indices, tensor.values, tf.stack([count, 1]))
        true = tf.ones_like(tensor.values, tf.bool)
        there = tf.SparseTensor(tensor.indices, true, tensor.dense_shape)
        default = "" if tensor.dtype == tf.string else tf.zeros([], tensor.dtype)
        values = tf.reshape(tf.sparse.to_dense(tensor, default), [-1])
        return One(values, tf.reshape(tf.sparse.to_dense(there, False), [-1]))

    def output(self, value: Any) -> Any:
        """Returns a value of steps as a tensor of the graph's outputs, with its domain."""
        tensor = value.values
        sparse = isinstance(value, Many) or (isinstance(value, One) and value.present is not None)
        if sparse:
            tensor = self.sparse(value)
        size = getattr(value, "size", None)
        if size is not None:
            self._bound(tensor.values if sparse else tensor, size)
        return tensor

    def _bound(self, tensor: Any, size: Any) -> None:
        import tensorflow_transform.schema_inference as home

        if not self.tf.executing_eagerly():
            least, most = self.tf.constant(0, self.tf.int64), self.tf.cast(size, self.tf.int64) - 1
            home.set_tensor_schema_override(tensor, least, most)  # type: ignore[no-untyped-call]
