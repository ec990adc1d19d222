"""Raw taxi trips to scores: python -m examples.taxi --data ../shared/data/taxi_split --output out/.

The training rows show their schema; tf.Transform analyzes them and makes features; a small Keras 3
model is trained on these; the raw serving rows are scored with the transform graph and the model in
one call; and both become one SavedModel for a server, checked against the pipeline. Each of the
jobs could as well run on Dataflow.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from pyarrow import csv

from beam_jobs import preprocess, score, validate
from inference import export_model

FEATURES = "examples.taxi_features"
LABEL, RAW_LABEL = "big_tip", "tips"
EPOCHS = 10


def run(data: Path, output: Path) -> None:
    """Runs all steps.

    Args:
      data: A folder with `train.csv` and `serving.csv`.
      output: A folder for `statistics/`, `prepared/`, `model.keras`, `scores/`, and `served/`, the
        SavedModel of raw trips, and what it makes of the serving rows, `served_scores/`.
    """
    statistics, prepared = output / "statistics", output / "prepared"
    _job(validate, input=data / "train.csv", infer_schema="true", output=f"{statistics}/")
    _job(
        preprocess,
        input=data / "train.csv",
        schema=statistics / "schema.pbtxt",
        preprocessing_fn=FEATURES,
        output=f"{prepared}/",
    )
    train(prepared / "Split-train", prepared / "Split-eval", output / "model.keras")
    _job(
        score,
        input=data / "serving.csv",
        transform_graph=prepared / "transform_graph",
        model=output / "model.keras",
        output=f"{output}/scores/",
    )
    export_model(
        str(output / "model.keras"),
        str(prepared / "transform_graph"),
        str(output / "served" / "1"),
        label=RAW_LABEL,
        rows=csv.read_csv(data / "serving.csv").slice(0, 500),
    )
    _job(
        score,
        input=data / "serving.csv",
        model=output / "served" / "1",
        output=f"{output}/served_scores/",
    )


def _job(job: Any, **flags: Any) -> None:
    code = job.main([f"--{name}={value}" for name, value in flags.items()])
    if code:
        raise SystemExit(code)


def train(train_rows: Path, eval_rows: Path, path: Path) -> float:
    """Trains a small network on transformed rows, and saves it.

    Args:
      train_rows: A folder of Parquet files, as the preprocess job writes them.
      eval_rows: Another, of rows that it is not trained on.
      path: Where the model goes: a `.keras` file.

    Returns: The share of rows for evaluation that it classifies correctly.
    """
    import keras

    keras.utils.set_random_seed(7)
    features, labels = _tensors(train_rows)
    model = network(keras, features)
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(features, labels, batch_size=128, epochs=EPOCHS, verbose=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    model.save(path)
    _, accuracy = model.evaluate(*_tensors(eval_rows), verbose=0)
    print(f"accuracy {accuracy:.3f}")
    return float(accuracy)


def _tensors(folder: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Each feature as an array of n values, and the labels."""
    table = pq.read_table(folder)
    arrays = {name: table[name].to_numpy() for name in table.column_names}
    return arrays, arrays.pop(LABEL)


def network(keras: Any, features: dict[str, np.ndarray]) -> Any:
    """Whole numbers are looked up in tables of vectors, all others are taken as they are."""
    inputs, parts = {}, []
    for name, values in features.items():
        inputs[name] = keras.Input((), name=name, dtype=values.dtype.name)
        if values.dtype.kind == "i":
            # Room for the largest that a vocabulary, a bucket or a calendar can give.
            parts.append(keras.layers.Embedding(64, 4)(inputs[name]))
        else:
            parts.append(keras.layers.Reshape([1])(inputs[name]))
    joined = keras.layers.Concatenate()(parts)
    hidden = keras.layers.Dense(32, activation="relu")(joined)
    tip = keras.layers.Dense(1, activation="sigmoid", name="tip_is_big")(hidden)
    return keras.Model(inputs, {"tip_is_big": tip})


def main() -> None:
    """Runs it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    run(options.data, options.output)


if __name__ == "__main__":
    main()
