"""A SavedModel with a signature for every kind of input, output and failure, and a TF1 export."""

import pathlib

import numpy as np
import tensorflow as tf

MANY = 100
"""The signature `hungry` runs out of memory above so many rows."""

_ALIVE = []
"""The modules that were saved: their functions in Python live no longer than they do."""

DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float16", "bfloat16", "float32", "float64")


def save(path: pathlib.Path) -> None:
    """Saves the zoo."""
    module = tf.Module()
    module.scale = tf.Variable(2.0)
    signatures = {}
    for name, (function, specs) in _signatures(module).items():
        signatures[name] = tf.function(function, input_signature=specs)
        setattr(module, f"_{name}", signatures[name])
    tf.saved_model.save(module, str(path), signatures=signatures)
    _ALIVE.append(module)


def _spec(*shape, dtype=tf.float32, name=None):
    return tf.TensorSpec([None, *shape], dtype, name)


def _signatures(module):
    number, text = _spec(), _spec(dtype=tf.string)
    ragged = tf.RaggedTensorSpec([None, None], tf.int64)
    deep = tf.RaggedTensorSpec([None, None, None], tf.string)
    uniform = tf.RaggedTensorSpec([None, None, 2], tf.float32, ragged_rank=1)
    fed = {
        "zeta": tf.SparseTensorSpec([None, None], tf.float32),
        "alpha": tf.TensorSpec([None], tf.float32),
        "words": tf.SparseTensorSpec([None, None], tf.string),
    }
    return {
        "serving_default": (
            lambda x, y, name: _mixed(module, x, y, name),
            [number, _spec(1), text],
        ),
        "matrix": (lambda features: {"sum": tf.reduce_sum(features, 1)}, [_spec(3)]),
        "image": (lambda pixels: {"turned": tf.transpose(pixels, [0, 2, 1])}, [_spec(2, 3)]),
        "varied": (_varied, [_spec(None), _spec(None, 2)]),
        "dense_text": (
            lambda pair: {"joined": tf.strings.reduce_join(pair, 1)},
            [_spec(2, dtype=tf.string)],
        ),
        "sparse": (_sparse, [fed]),
        "ragged": (_ragged, [ragged, deep, uniform]),
        "echo": (_echo, [_spec(dtype=tf.as_dtype(name), name=name) for name in DTYPES + FLOATS]),
        "fragile": (_fragile, [number]),
        "hungry": (lambda x: {"y": x + _wasted(tf.size(x) > MANY)}, [number]),
        "greedy": (lambda x: {"y": x + _wasted(tf.reduce_max(x) > 1000.0)}, [number]),
        "bytes": (lambda raw: {"raw": raw}, [text]),
        "unique": (lambda x: {"y": tf.unique(x).y}, [number]),
        "constant": (lambda x: {"y": tf.constant([1.0, 2.0])}, [number]),
        "fixed": (lambda x: {"y": x + 1.0}, [tf.TensorSpec([8], tf.float32)]),
        "fixed_mean": (
            lambda x: {"y": x - tf.reduce_mean(x)},
            [tf.TensorSpec([8], tf.float32)],
        ),
        "mean": (lambda x: {"y": x - tf.reduce_mean(x)}, [number]),
        "rank": (lambda x: {"y": tf.argsort(tf.argsort(x))}, [number]),
        "count": (lambda x: {"y": x * tf.cast(tf.size(x), tf.float32)}, [number]),
        "ids": (_ids, [_spec(dtype=tf.int64)]),
        "random": (lambda x: {"y": x + tf.random.uniform(tf.shape(x))}, [number]),
        "hanging": (_hanging, [number]),
        "scalar": (lambda x, rate: {"y": x * rate}, [number, tf.TensorSpec([], tf.float32)]),
        "complex": (lambda x: {"y": tf.complex(x, x)}, [number]),
        "text": (lambda text: {"size": tf.strings.length(text)}, [text]),
        "examples": (_parsed, [_spec(dtype=tf.string)]),
    }


def _ids(ids):
    """A mean over rows, of numbers that no made-up row has."""
    fine = tf.debugging.assert_greater(ids, tf.constant(999, tf.int64))
    with tf.control_dependencies([fine]):
        return {"y": tf.cast(ids, tf.float32) - tf.reduce_mean(tf.cast(ids, tf.float32))}


def _hanging(x):
    """Never returns once a row is above 1,000."""
    forever = tf.reduce_max(x) > 1000.0
    return {"y": tf.while_loop(lambda y: forever, lambda y: (y + 0.0,), (x,))[0]}


def _mixed(module, x, y, name):
    return {
        "score": module.scale * x + y[:, 0],
        "pair": tf.stack([x, y[:, 0]], 1),
        "column": y + 1.0,
        "shout": tf.strings.upper(name),
        "version": tf.constant(7, tf.int64),
    }


def _varied(rows, points):
    return {"copy": rows, "total": tf.reduce_sum(rows, 1), "mean": tf.reduce_mean(points, 1)}


def _sparse(inputs):
    total = inputs["alpha"] + tf.sparse.reduce_sum(inputs["zeta"], 1)
    return {
        "total": total,
        "words": tf.sparse.to_dense(inputs["words"], default_value=""),
        "twice": tf.sparse.map_values(lambda values: values * 2.0, inputs["zeta"]),
    }


def _ragged(counts, texts, points):
    return {
        "counts": counts * 2,
        "texts": tf.strings.upper(texts),
        "sums": tf.reduce_sum(points, [1, 2]),
        "points": points + 1.0,
        "lengths": tf.cast(counts.row_lengths(), tf.int32),
    }


def _echo(*values):
    return {f"{name}_out": value for name, value in zip(DTYPES + FLOATS, values, strict=True)}


def _fragile(x):
    fine = tf.debugging.assert_none_equal(x, 13.0, name="no_thirteen")
    with tf.control_dependencies([fine]):
        return {"y": x * 2.0}


def _wasted(too_much):
    """Zero; but where memory is to run out, it does: what TensorFlow makes of a MemoryError.

    A true allocation that fails would keep the test waiting: TensorFlow tries again for 10 s.
    """

    def take(too_much):
        if too_much:
            raise MemoryError
        return np.float32(0)

    return tf.numpy_function(take, [too_much], tf.float32)


def _parsed(serialized):
    found = tf.io.parse_example(
        serialized,
        {
            "count": tf.io.FixedLenFeature([], tf.int64),
            "point": tf.io.FixedLenFeature([2], tf.float32),
            "weight": tf.io.FixedLenFeature([], tf.float32, default_value=5.0),
            "words": tf.io.VarLenFeature(tf.string),
            "lengths": tf.io.RaggedFeature(tf.int64),
        },
    )
    return {
        "sum": tf.reduce_sum(found["point"], 1) * found["weight"],
        "count": found["count"],
        "words": tf.sparse.to_dense(found["words"], default_value=""),
        "lengths": found["lengths"],
    }


def save_tf1(path: pathlib.Path) -> None:
    """Saves a TF1 export as estimators made them: with a table, a sparse and a ragged input."""
    v1 = tf.compat.v1
    info = v1.saved_model.build_tensor_info
    with v1.Graph().as_default(), v1.Session() as session:
        number = v1.placeholder(tf.float32, [None], "number")
        sparse = v1.sparse_placeholder(tf.float32, [None, None], "sparse")
        ragged = v1.ragged.placeholder(tf.int64, 1, [], "ragged")
        words = v1.placeholder(tf.string, [None], "words")
        keys = v1.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2], tf.string, tf.int64)
        table = v1.lookup.StaticHashTable(keys, -1)
        weight = v1.get_variable("weight", initializer=3.0, use_resource=True)
        outputs = {
            "total": info(number * weight + v1.sparse.reduce_sum(sparse, 1)),
            "id": info(table.lookup(words)),
            "doubled": info(ragged * 2),
        }
        inputs = {"number": number, "sparse": sparse, "ragged": ragged, "a word": words}
        signature = v1.saved_model.build_signature_def(
            {name: info(tensor) for name, tensor in inputs.items()},
            outputs,
            "tensorflow/serving/predict",
        )
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder(str(path))
        builder.add_meta_graph_and_variables(
            session, ["serve"], {"predict": signature}, main_op=v1.tables_initializer()
        )
        builder.save()
