"""Beam's own jobs on messages, as its local runner runs them: what benchmarks.stream compares with.

python -m benchmarks.peers.beam_stream SUBSCRIPTION [TOPIC] prints the messages a second that it
reads, or reads, scores with RunInference, and publishes.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.ml.inference.base import ModelHandler, RunInference
from apache_beam.options.pipeline_options import PipelineOptions

SECONDS = 20.0
SEEN: list[float] = []
"""When each message came to the end; the runner's workers are threads of this process."""


class _Handler(ModelHandler[dict[str, Any], dict[str, Any], Any]):
    """The demo model on batches of rows, in the inputs' own types."""

    def __init__(self) -> None:
        super().__init__(min_batch_size=1, max_batch_size=1024)

    def load_model(self) -> Any:
        import tensorflow as tf

        return tf.saved_model.load("demo/model")

    def run_inference(
        self, batch: Sequence[dict[str, Any]], model: Any, inference_args: Any = None
    ) -> list[dict[str, Any]]:
        import tensorflow as tf

        signature = model.signatures["serving_default"]
        specs = signature.structured_input_signature[1]
        inputs = {
            name: tf.constant([row[name] for row in batch], spec.dtype)
            for name, spec in specs.items()
        }
        outputs = {name: value.numpy() for name, value in signature(**inputs).items()}
        return [
            row | {name: float(np.ravel(values[at])[0]) for name, values in outputs.items()}
            for at, row in enumerate(batch)
        ]


def _note(element: Any) -> Any:
    SEEN.append(time.perf_counter())
    return element


def _encoded(row: dict[str, Any]) -> bytes:
    return json.dumps(row).encode()


def _report() -> None:
    print((len(SEEN) - 1) / (SEEN[-1] - SEEN[0]) if SEEN else 0.0, flush=True)
    os._exit(0)


def main(subscription: str, topic: str | None = None) -> None:
    """Runs the job for a while, and prints its rate."""
    options = PipelineOptions(streaming=True, runner="BundleBasedDirectRunner")
    root = beam.Pipeline(options=options)
    messages = root | beam.io.ReadFromPubSub(subscription=subscription)
    if topic is None:
        _ = messages | beam.Map(_note)
    else:
        scored = messages | beam.Map(json.loads) | RunInference(_Handler())
        written = scored | "Encode" >> beam.Map(_encoded) | beam.Map(_note)
        _ = written | beam.io.WriteToPubSub(topic)
    threading.Timer(SECONDS, _report).start()
    root.run().wait_until_finish()


if __name__ == "__main__":
    # As a module of a name of its own: what is in __main__ would be pickled, and copied.
    from benchmarks.peers import beam_stream

    beam_stream.main(*sys.argv[1:])
