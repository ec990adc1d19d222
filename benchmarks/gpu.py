"""How busy devices are on an image model: python -m benchmarks.gpu [--seconds N] [--devices CPU:0].

Prints occupancy, queue wait and images/s for each precision, with and without XLA. It takes the
GPUs that TensorFlow sees; with --devices it takes others, such as CPU:0, to try the script.
"""

import argparse
import itertools
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from inference.devices.execution import PRECISIONS, Execution
from inference.loaded import LoadedModel
from inference.model.model import Model
from inference.runs.load import visible_gpus
from inference.score import score_batch
from transforms.tensorflow import tensorflow

SIDE, CLASSES = 128, 10


def image_model(folder: Path, width: int) -> str:
    """Returns a SavedModel of five convolutions on raw images of bytes, three for each dot."""
    tf = tensorflow()
    draw = np.random.default_rng(0)
    sizes = [3, width, width, 2 * width, 2 * width, 4 * width]
    module = tf.Module()
    module.kernels = [
        tf.Variable(draw.normal(0, (2 / (9 * a)) ** 0.5, (3, 3, a, b)), dtype=tf.float32)
        for a, b in itertools.pairwise(sizes)
    ]
    module.last = tf.Variable(draw.normal(0, 0.1, (sizes[-1], CLASSES)), dtype=tf.float32)

    def serve(image):
        dots = tf.cast(tf.reshape(image, [-1, SIDE, SIDE, 3]), tf.float32) / 255.0
        for kernel in module.kernels:
            dots = tf.nn.relu(tf.nn.conv2d(dots, kernel, strides=2, padding="SAME"))
        return {"odds": tf.nn.softmax(tf.reduce_mean(dots, [1, 2]) @ module.last)}

    spec = tf.TensorSpec([None, SIDE * SIDE * 3], tf.uint8, name="image")
    module.serve = tf.function(serve, input_signature=[spec])
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})
    return str(folder)


def images(rows: int) -> pa.RecordBatch:
    """Returns a batch of noise."""
    draw = np.random.default_rng(1)
    values = pa.array(draw.integers(0, 256, rows * SIDE * SIDE * 3, np.uint8))
    lists = pa.FixedSizeListArray.from_arrays(values, SIDE * SIDE * 3)
    return pa.RecordBatch.from_pydict({"image": lists})


def measure(model: Model, how: Execution, batch: pa.RecordBatch, seconds: float) -> str:
    """Returns a line: how busy the devices were for so long."""
    loaded = LoadedModel(model, how)
    score_batch(batch, loaded)
    loaded.usage()
    rows, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        rows += score_batch(batch, loaded)[0].num_rows
    took, usage = time.perf_counter() - start, loaded.usage()
    assert usage is not None
    wait = 1000 * usage.waited / max(1, usage.calls)
    return f"{rows / took:>10,.0f}{usage.occupancy:>10.0%}{wait:>12.1f}{loaded.limit.rows:>8}"


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--devices", default="")
    parser.add_argument("--rows", type=int, default=2048)
    parser.add_argument("--batch_rows", type=int, default=256)
    parser.add_argument("--width", type=int, default=64)
    given = parser.parse_args()
    devices = tuple(filter(None, given.devices.split(","))) or visible_gpus()
    if not devices:
        parser.exit(1, "TensorFlow sees no GPU here; --devices=CPU:0 tries the script\n")
    with tempfile.TemporaryDirectory() as folder:
        uri = image_model(Path(folder) / "1", given.width)
        model, batch = Model.resolve(uri, batch_rows=given.batch_rows), images(given.rows)
        print(f"{', '.join(devices)}; {given.rows} images a batch, {given.batch_rows} a call")
        print(f"{'':16}{'images/s':>10}{'occupancy':>10}{'wait ms':>12}{'rows':>8}")
        for precision, jit in itertools.product(PRECISIONS, (False, True)):
            line = measure(model, Execution(jit, precision, devices=devices), batch, given.seconds)
            print(f"{precision + ' jit' * jit:16}{line}", flush=True)


if __name__ == "__main__":
    main()
