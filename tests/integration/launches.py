"""Launches that are rehearsed: for each job what it is given, and what of a job file is golden."""

import base64
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.portability.api import beam_runner_api_pb2 as api

from beam_jobs.running.dry_run import hints_of
from privacy.erasure.index import INDEX
from tests.support import ROOT
from tests.transforms.preprocess.halves import HALVED, graph_of_halves
from transforms.drift.make import build_baseline

GOLDEN = ROOT / "tests/golden/launches"
MESSAGES = "pubsub://projects/rehearsal-project/subscriptions/trips?attributes=time,key"
TOPIC = "pubsub://projects/rehearsal-project/topics/scores"
GPU = "type:nvidia-l4;count:1;install-nvidia-driver"
_DEPTH = 2
_TIME = re.compile(r"\d{10}\.\d{6}|\d{19}")
FEATURES = """\
def preprocessing_fn(inputs):
    import tensorflow_transform as tft

    return {"half": tft.scale_to_0_1(inputs["x"])}
"""


@dataclass(frozen=True)
class Case:
    """A launch.

    Attributes:
      job: The job.
      given: Its parameters, of a folder of files.
      gpu: Where GPUs are asked for: by a "step", as a "service" option, or nowhere ("").
    """

    job: str
    given: Callable[[Path], dict[str, str]]
    gpu: str = ""

    @property
    def streaming(self) -> bool:
        return "pubsub:" in self.given(Path())["input"]


def _files(folder: Path, **more: str) -> dict[str, str]:
    return {"input": f"{folder}/in", "output": "out/", **more}


def _timed(folder: Path, **more: str) -> dict[str, str]:
    return _files(folder, event_time_column="time", window="60", **more)


def _messages(**more: str) -> dict[str, str]:
    return {"input": MESSAGES, "output": "out/", "event_time_column": "time", **more}


def _scores(folder: Path, **more: str) -> dict[str, str]:
    return {
        "input": MESSAGES,
        "output": TOPIC,
        "model": f"{folder}/model",
        "dead_letters": "dead/",
        **more,
    }


ON_GPU = {"gpu": "nvidia-l4:1", "machine_type": "g2-standard-8"}
CASES = {
    "ingest": Case("ingest", _files),
    "validate": Case(
        "validate", lambda f: _files(f, schema=f"{f}/schema.pbtxt", rules=f"{f}/rules.yaml")
    ),
    "preprocess": Case(
        "preprocess",
        lambda f: _files(
            f, schema=f"{f}/schema.pbtxt", preprocessing_fn=f"{f}/features.py:preprocessing_fn"
        ),
    ),
    "preprocess-by-a-graph": Case("preprocess", lambda f: _files(f, transform_graph=f"{f}/graph")),
    "redact": Case("redact", lambda f: _files(f, policy=f"{f}/policy.yaml")),
    "score": Case("score", lambda f: _files(f, model=f"{f}/model")),
    "score-on-a-gpu": Case("score", lambda f: _files(f, model=f"{f}/model", **ON_GPU), "step"),
    "baseline": Case("baseline", _timed),
    "erase": Case(
        "erase",
        lambda f: _files(
            f,
            subject_index=f"{f}/index.parquet",
            subjects=f"{f}/subjects.csv",
            subject_key=f"file:{f}/index.key",
            who="ada",
            reason="asked",
        ),
    ),
    "drift": Case("drift", lambda f: _timed(f, baseline=f"{f}/baseline.json")),
    "ingest-messages": Case("ingest", lambda f: _messages(schema=f"{f}/messages.json")),
    "redact-messages": Case(
        "redact", lambda f: _messages(schema=f"{f}/messages.json", policy=f"{f}/policy.yaml")
    ),
    "score-messages": Case("score", _scores),
    "score-messages-on-a-gpu": Case("score", lambda f: _scores(f, **ON_GPU), "service"),
    "drift-messages": Case("drift", lambda f: _messages(baseline=f"{f}/baseline.json")),
}


def make_files(folder: Path, model: Path) -> None:
    """Writes all that the launches are given."""
    (folder / "in").mkdir(parents=True)
    table = pa.table({"x": [1.0], "y": [1.0], "name": ["a"]})
    for part in range(2):
        time = pa.array([part], pa.timestamp("us"))
        pq.write_table(table.append_column("time", time), folder / f"in/{part}.parquet")
    (folder / "baseline.json").write_bytes(build_baseline(table.to_batches()).to_bytes())
    (folder / "rules.yaml").write_text("- row: x >= 0\n- column: mean(x) > 0\n")
    (folder / "policy.yaml").write_text("inspect_config: {info_types: [{name: EMAIL_ADDRESS}]}")
    (folder / "schema.pbtxt").write_text(HALVED)
    (folder / "index.key").write_text(base64.b64encode(bytes(16)).decode())
    (folder / "subjects.csv").write_text("x\n1\n")
    pq.write_table(pa.Table.from_batches([], INDEX), folder / "index.parquet")
    (folder / "messages.json").write_text('[{"name": "n", "type": "INTEGER"}]')
    (folder / "features.py").write_text(FEATURES)
    shutil.copytree(graph_of_halves(), folder / "graph")
    shutil.copytree(model, folder / "model")


def golden(job: dict, graph: bytes) -> dict:
    """What of a launch is the same each time: the job file, and the steps of the graph."""
    environment = job["environment"]
    pools = [dict(pool) for pool in environment["workerPools"]]
    for pool in pools:
        pool.pop("taskrunnerSettings", None)
        # What the SDK can do, which is long, and Beam's.
        images = [
            {name: value for name, value in image.items() if name != "capabilities"}
            for image in pool["sdkHarnessContainerImages"]
        ]
        pool["sdkHarnessContainerImages"] = sorted(images, key=lambda i: i["environmentId"])
    options = {
        part["key"]: part["value"] for part in environment["sdkPipelineOptions"]["display_data"]
    }
    kept = {
        "name": job["name"],
        "type": job["type"],
        "environment": {
            **{
                n: v
                for n, v in environment.items()
                if n not in ("workerPools", "sdkPipelineOptions")
            },
            "workerPools": pools,
            "options": options,
        },
        "steps": steps(api.Pipeline.FromString(graph)),
    }
    return json.loads(_TIME.sub("TIME", json.dumps(kept)))


def steps(pipeline: api.Pipeline) -> dict[str, str]:
    """Steps, two levels deep, and what their code asks of workers."""
    parts = pipeline.components
    found: dict[str, set[str]] = {}
    for step in parts.transforms.values():
        if step.unique_name.startswith("ref_") or not step.unique_name:
            continue
        name = "/".join(step.unique_name.split("/")[:_DEPTH])
        hints = hints_of(parts.environments[step.environment_id]) if step.environment_id else {}
        text = {f"{hint}={value}" for hint, value in hints.items() if not step.subtransforms}
        found.setdefault(name, set()).update(text)
    return {name: " ".join(sorted(found[name])) for name in sorted(found)}


def check_golden(name: str, made: dict) -> None:
    """Compares with what is stored; MILLRACE_GOLDEN=write stores it."""
    path = GOLDEN / f"{name}.json"
    text = json.dumps(made, indent=1) + "\n"
    if os.environ.get("MILLRACE_GOLDEN") == "write":
        path.write_text(text)
    assert path.exists(), f"{path.name} is not there: run this test with MILLRACE_GOLDEN=write"
    assert made == json.loads(path.read_text()), (
        f"the launch of {name} has changed; if that is meant, run this test with "
        "MILLRACE_GOLDEN=write. Renamed steps break updates of running jobs: see docs/launch.md"
    )
