"""The operations of steps on tensors: in the transform graph, and in a preprocessing function."""

import math
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
        self.domains: dict[str, tuple[int, int]] = {}
        """The least and the greatest category of outputs that are some, where they are known."""
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
        exact = 1 / (1 + self.tf.exp(-self.tf.cast(x, self.tf.float64)))
        return self.tf.cast(exact, self.tf.float32)

    def buckets(self, x: Any, boundaries: Any) -> Any:
        """Returns how many boundaries are at or below each number; all of them for NaN.

        One operation, that of tft.apply_buckets, without the fifteen by which that reshapes.
        """
        tf = self.tf
        ends = tf.reshape(tf.cast(boundaries, x.dtype), [1, -1])
        found = tf.raw_ops.UpperBound(sorted_inputs=ends, values=x[tf.newaxis], out_type=tf.int64)
        return tf.reshape(found, [-1])

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

    def texts(self, values: Any) -> Any:
        """Returns texts or integers as texts."""
        return values if values.dtype == self.tf.string else self.tf.strings.as_string(values)

    def joined(self, texts: list[Any], separator: str) -> Any:
        """Returns texts that follow each other as one, row by row."""
        return self.tf.strings.join(texts, separator)

    def all_present(self, masks: list[Any]) -> Any:
        """Returns which rows have a value in each column; None if all have."""
        known = [mask for mask in masks if mask is not None]
        return self.tf.reduce_all(self.tf.stack(known), axis=0) if known else None

    def hashed(self, texts: Any, buckets: int, key: tuple[int, ...] | None) -> Any:
        """Returns the numbers of texts by hash."""
        return self.tft.hash_strings(texts, buckets, None if key is None else list(key))

    def lower(self, values: Any) -> Any:
        """Returns texts with A to Z in lower case."""
        return self.tf.strings.lower(values)

    def split(self, value: One, separator: str | None) -> Many:
        """Returns the words of texts."""
        tf = self.tf
        words = tf.strings.split(value.values, separator)
        if value.present is not None:
            # A missing text is an empty one here, and that would be one word.
            there = tf.gather(value.present, words.value_rowids())
            words = tf.ragged.boolean_mask(words, words.with_values(there))
        return Many(words.values, words.value_rowids(), words.nrows(out_type=tf.int64))

    def ngrams(self, value: Many, lengths: tuple[int, ...], separator: str) -> Many:
        """Returns words that follow each other in a row, joined; all of one length, then longer."""
        tf = self.tf
        words = self.ragged(value)
        widths = list(range(lengths[0], lengths[1] + 1))
        made = tf.strings.ngrams(words, widths, separator)
        return Many(made.values, made.value_rowids(), made.nrows(out_type=tf.int64))

    def hot(self, value: One | Many, size: Any) -> Any:
        """Returns n rows of zeros, with ones at the categories."""
        tf = self.tf
        if isinstance(value, One):
            known = value.values
            if value.present is not None:
                known = tf.where(value.present, known, tf.constant(-1, tf.int64))
            return tf.one_hot(known, size, dtype=tf.float32)
        each = tf.one_hot(value.values, size, dtype=tf.float32)
        return tf.minimum(tf.math.unsorted_segment_sum(each, value.rows, value.count), 1.0)

    def weighted_terms(self, value: Many, inverse: Any) -> Many:
        """Returns each term of a row once, with its share in the row times a weight of its own.

        Args:
          value: Terms; those below 0, or beyond the weights, are none.
          inverse: The weight of each term.
        """
        tf = self.tf
        size = len(inverse)
        length = tf.math.unsorted_segment_sum(
            tf.ones_like(value.values, tf.float32), value.rows, value.count
        )
        known = (value.values >= 0) & (value.values < size)
        places = tf.boolean_mask(value.rows * size + value.values, known)
        pairs, _, number = tf.unique_with_counts(tf.sort(places))
        rows, terms = pairs // size, pairs % size
        share = tf.cast(number, tf.float32) / tf.gather(length, rows)
        weights = share * tf.gather(tf.constant(inverse), terms)
        return Many(terms, rows, value.count, size, weights)

    def spread(self, value: Many) -> Any:
        """Returns weighted terms as n rows of a weight for each term."""
        tf = self.tf
        places = tf.stack([value.rows, value.values], 1)
        shape = tf.stack([tf.cast(value.count, tf.int64), tf.constant(value.size, tf.int64)])
        return tf.ensure_shape(tf.scatter_nd(places, value.weights, shape), [None, value.size])

    def matrix(self, value: Any) -> Any:
        """Returns columns of numbers, or vectors, as n rows of floats."""
        if isinstance(value, Vector):
            return self.floats(value.values)
        return self.tf.stack([self.floats(each.values) for each in value], 1)

    def projected(self, x: Any, directions: Any, size: int) -> Any:
        """Returns n rows of k numbers by directions of k: n rows of `size`."""
        if directions is None:
            return self.tf.zeros([self.tf.shape(x)[0], size])
        return self.tf.matmul(x, directions)

    def circle(self, x: Any, period: Any) -> Any:
        """Returns sine and cosine of x / period of a whole turn: n rows of two floats."""
        tf = self.tf
        angle = tf.cast(x, tf.float64) / tf.cast(period, tf.float64) * (2 * math.pi)
        return tf.cast(tf.stack([tf.sin(angle), tf.cos(angle)], 1), tf.float32)

    def ragged(self, value: Many) -> Any:
        """Returns lists of values."""
        rows, count = value.rows, value.count
        return self.tf.RaggedTensor.from_value_rowids(value.values, rows, count, validate=False)

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
        return self.ragged(value).to_sparse()

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

    def outputs(self, name: str, value: Any) -> dict[str, Any]:
        """Returns a value of steps as tensors of the graph's outputs: two where it is weighted."""
        if isinstance(value, Many) and value.weights is not None:
            weights = Many(value.weights, value.rows, value.count)
            return {
                key: self._output(key, part)
                for key, part in ((f"{name}_index", value), (f"{name}_weight", weights))
            }
        return {name: self._output(name, value)}

    def _output(self, name: str, value: Any) -> Any:
        """Returns a value of steps as a tensor, with its domain."""
        tensor = value.values
        sparse = isinstance(value, Many) or (isinstance(value, One) and value.present is not None)
        if sparse:
            tensor = self.sparse(value)
        if not isinstance(value, Vector) and value.size is not None:
            self._bound(name, tensor.values if sparse else tensor, value)
        return tensor

    def _bound(self, name: str, tensor: Any, value: Any) -> None:
        import tensorflow_transform.schema_inference as home

        size, least = value.size, value.least
        if isinstance(size, int):
            self.domains[name] = least, size - 1
        if not self.tf.executing_eagerly():
            most = self.tf.cast(size, self.tf.int64) - 1
            lowest = self.tf.constant(least, self.tf.int64)
            home.set_tensor_schema_override(tensor, lowest, most)  # type: ignore[no-untyped-call]
