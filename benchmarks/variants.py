"""One way of doing the benchmark's work, in a process of its own: prints what it took, as JSON."""

import functools
import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.data import FEATURES


def _pipeline(workers: int) -> Any:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    from beam_jobs.running import beam_memos

    # As in each job: Beam looks once at a class of DoFn. It helps all variants alike.
    beam_memos.install()
    mode = "multi_threading" if workers > 1 else "in_memory"
    options = PipelineOptions([], direct_num_workers=workers, direct_running_mode=mode)
    return beam.Pipeline(runner=FnApiRunner(), options=options)


Work = Callable[[], Any]
"""What is timed: a pipeline that is built already, or a loop."""


def _work(root: Any) -> Work:
    # As jobs do, so that no collection looks through what TensorFlow and Beam have made so far.
    gc.freeze()
    return lambda: root.run().wait_until_finish()


def millrace(rows: str, model: str, out: str, workers: int = 1, watched: bool = False) -> Work:
    """Read, Score and Write, with one worker or with both cores; drift beside it, or not."""
    from inference.model.model import Model
    from inference.score import Score
    from transforms.commit.commit import Commit
    from transforms.commit.dead_letters import DeadLetters
    from transforms.commit.ledger import Gate
    from transforms.io.file_source import Source
    from transforms.io.read import Read
    from transforms.io.write import Write
    from transforms.select import Select

    stacked = () if "example" in model else (("x", tuple(FEATURES)),)
    columns = "?column=examples" if "example" in model else ""
    commit = Commit("bench", overwrite=True, gate=Gate(max_rejected_fraction=1))
    dead = DeadLetters(f"{out}.dead_letters", commit)
    resolved = Model.resolve(model, mapping=stacked)
    root = _pipeline(workers)
    batches = root | Read(Source.resolve(rows + columns), dead_letters=dead)
    keep = ["id"] if stacked else []
    kept = None if watched else keep
    scored = batches | Score(resolved, keep_columns=kept, dead_letters=dead)
    if watched:
        scored = _watched(scored, rows, commit, f"{out}.drift/") | Select(("id", "score"))
    _ = scored | Write(f"{out}/", commit=commit)
    commit.prepare()
    commit.close()
    return _work(root)


def millrace_2(rows: str, model: str, out: str) -> Work:
    """The same on both cores."""
    return millrace(rows, model, out, 2)


def millrace_drift(rows: str, model: str, out: str) -> Work:
    """The same with one worker, and all features and predictions compared with a baseline."""
    return millrace(rows, model, out, watched=True)


def _watched(scored: Any, rows: str, commit: Any, place: str) -> Any:
    """Compares scored rows with a baseline of the first 100,000 features; passes them on."""
    import pyarrow.parquet as pq

    from transforms.drift.make import build_baseline
    from transforms.drift.profile import ProfileWindows
    from transforms.drift.store import JudgeWindows, StoreOutcome

    first = next(pq.ParquetFile(rows).iter_batches(100_000, columns=list(FEATURES)))
    score = first.columns[0].cast("float32")
    base = build_baseline([first.append_column("score", score)])
    target = commit.target(place, evidence=True)
    profile = ProfileWindows(base, ignored=("id",))
    _ = scored | profile | JudgeWindows(base) | StoreOutcome(commit, target, judged=False)
    return scored


def rowwise(rows: str, model: str, out: str) -> Work:
    """Beam row by row, tuned: fixed signature, numpy in and out, batches of 1,024."""
    import apache_beam as beam
    import pyarrow as pa
    from apache_beam.io.parquetio import ReadFromParquet, WriteToParquet
    from apache_beam.ml.inference.base import RunInference

    from benchmarks.peers.rowwise import RowHandler, joined, row_of

    schema = pa.schema([("id", pa.int64()), ("score", pa.float32())])
    root = _pipeline(1)
    _ = (
        root
        | ReadFromParquet(rows)
        | beam.Map(row_of)
        | RunInference(RowHandler(model))
        | beam.Map(joined)
        | WriteToParquet(f"{out}/part", schema)
    )
    return _work(root)


def bare(rows: str, model: str, out: str) -> Work:
    """A loop: pyarrow reads, TensorFlow predicts, pyarrow writes."""
    return functools.partial(_loop, rows, model, out)


def _loop(rows: str, model: str, out: str) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    import tensorflow as tf

    serve = tf.saved_model.load(model).signatures["serving_default"]
    Path(out).mkdir(parents=True, exist_ok=True)
    schema = pa.schema([("id", pa.int64()), ("score", pa.float32())])
    with pq.ParquetWriter(f"{out}/part.parquet", schema) as writer:
        held: list[Any] = []
        for batch in pq.ParquetFile(rows).iter_batches(8192):
            x = np.stack([batch[name].to_numpy() for name in FEATURES], axis=1)
            score = serve(x=tf.constant(x))["score"].numpy()
            held.append(pa.record_batch([batch["id"], pa.array(score)], schema=schema))
            if len(held) == 16:
                writer.write_table(pa.Table.from_batches(held))
                held = []
        if held:
            writer.write_table(pa.Table.from_batches(held))


def tfx_bsl(rows: str, model: str, out: str) -> Work:
    """tfx_bsl's RunInference over the same tf.Examples."""
    import apache_beam as beam
    import tensorflow as tf
    from tfx_bsl.public.beam import RunInference
    from tfx_bsl.public.proto import model_spec_pb2

    from benchmarks.peers.rowwise import score_of

    endpoint = model_spec_pb2.InferenceSpecType(
        saved_model_spec=model_spec_pb2.SavedModelSpec(model_path=model)
    )
    root = _pipeline(1)
    _ = (
        root
        | beam.io.ReadFromTFRecord(rows)
        | beam.Map(tf.train.Example.FromString)
        | RunInference(endpoint)
        | beam.Map(score_of)
        | beam.io.WriteToText(f"{out}/part")
    )
    return _work(root)


VARIANTS: dict[str, Callable[[str, str, str], Work]] = {
    f.__name__: f for f in (millrace, millrace_2, millrace_drift, rowwise, bare, tfx_bsl)
}


def main() -> None:
    """Imports and builds first, then works and tells the seconds, CPU seconds and peak memory."""
    name, rows, model, out = sys.argv[1:]
    import apache_beam  # noqa: F401
    import tensorflow  # noqa: F401

    work = VARIANTS[name](rows, model, out)
    imported = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime - imported.ru_utime - imported.ru_stime
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": used.ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
