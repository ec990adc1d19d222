"""Scores rows on two logical CPU devices, and prints what came out: run by test_runs, as a process.

TensorFlow must be told of logical devices before it does anything else.
"""

import json
import sys

import numpy as np
import pyarrow as pa

from inference.devices.execution import Execution
from inference.loaded import LoadedModel
from inference.model.model import Model
from inference.score import score_batch
from transforms.tensorflow import tensorflow


def main() -> None:
    tf = tensorflow()
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    model = Model.resolve(sys.argv[1], batch_rows=32)
    rows = 1000
    batch = pa.RecordBatch.from_pydict(
        {
            "x": pa.array(np.arange(rows), pa.float32()),
            "y": pa.array(np.ones(rows), pa.float32()),
            "name": ["n"] * rows,
        }
    )
    loaded = LoadedModel(model, Execution(devices=("CPU:0", "CPU:1"), calls_ahead=2))
    scored, rejected = score_batch(batch, loaded)
    programs = loaded._runs._programs
    usage = loaded.usage()
    alone, _ = score_batch(batch, LoadedModel(model))
    found = {
        "scores": scored["score"].to_pylist() == alone["score"].to_pylist(),
        "x": scored["x"].to_pylist(),
        "rejected": rejected.num_rows,
        "devices": [program.run(program.placed({
            "x": np.zeros(1, "f4"), "y": np.zeros(1, "f4"), "name": np.array(["a"], object)
        }))["score"].device for program in programs],
        "calls": [owner.taken().calls for owner in loaded._runs._owners],
        "usage": usage.calls,
        "occupancy": usage.occupancy,
    }  # fmt: skip
    print(json.dumps(found))


if __name__ == "__main__":
    main()
