"""What must hold of every public PTransform; a new one is tested because it exists."""

import importlib
import inspect
import pathlib
import pickle
import pkgutil

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from apache_beam.transforms.window import FixedWindows, TimestampedValue

from privacy.anonymity.measure import KAnonymity, LDiversity
from privacy.erasure.erase import Erase
from privacy.erasure.files import EraseFiles
from privacy.inspect import Inspect
from privacy.redact import Redact
from privacy.reidentify import Reidentify
from tests.privacy.policies import FPE, of_type, policy
from tests.support import Collect, local_pipeline, run_on
from tests.transforms.preprocess.halves import graph_of_halves
from tests.transforms.preprocess.small import preprocessing_fn, schema
from transforms.commit.commit import Commit
from transforms.commit.dead_letters import Unrecorded
from transforms.commit.ledger import Gate
from transforms.commit.publish import Plan, Publish
from transforms.commit.shards import StageShards
from transforms.commit.stage import Stage
from transforms.commit.stream.write import WriteWindows
from transforms.drift.build import BuildBaseline
from transforms.drift.confirm import ConfirmDrift, ConfirmErrors
from transforms.drift.detect import CompareWindows, DetectDrift
from transforms.drift.fill import FillWindows
from transforms.drift.make import build_baseline
from transforms.drift.measure import MeasureQuality
from transforms.drift.profile import ProfileWindows
from transforms.drift.quality.sums import Quality
from transforms.drift.store import JudgeWindows, StoreOutcome
from transforms.gate.check import CheckData, JudgeStates
from transforms.gate.faults import GatherFaults
from transforms.gate.judge import Judge
from transforms.gate.merge import MergeStates
from transforms.gate.repeats import CountRepeats
from transforms.io.payloads.json import Json
from transforms.io.pubsub.native import ReadNative
from transforms.io.pubsub.read import ReadPubSub
from transforms.io.pubsub.sink import PubSubSink
from transforms.io.pubsub.source import PubSubSource
from transforms.io.pubsub.write import WritePubSub
from transforms.io.read import Read
from transforms.io.replay import Replay
from transforms.io.write import Write
from transforms.keys.partition import PartitionByKey
from transforms.keys.splits import SplitRows, Splits
from transforms.keys.unique import Unique
from transforms.preprocess.analyze import Analyze
from transforms.preprocess.preprocess import Preprocess
from transforms.rebatch import Rebatch
from transforms.row_checks.checks import Checks
from transforms.row_checks.validate import Validate
from transforms.rules.check_columns import CheckColumns
from transforms.rules.column_rules import ColumnRule
from transforms.rules.files import Rules
from transforms.rules.kinds import Kind
from transforms.rules.row_rules import RowRule
from transforms.select import Select
from transforms.skew.detect import DetectFeatureSkew
from transforms.statistics.generate import CollectStatistics, GenerateStatistics
from transforms.verb import Verb
from transforms.windows.features.declare import Rolling
from transforms.windows.features.verb import WindowFeatures
from transforms.windows.micro_batch import MicroBatch
from transforms.windows.timed_rows import TimedRows
from transforms.windows.window_batches import WindowBatches

PACKAGES = ("transforms", "inference", "privacy")


def _public():
    for package in PACKAGES:
        folder = pathlib.Path(importlib.import_module(package).__file__).parent
        for found in pkgutil.walk_packages([str(folder)], f"{package}."):
            module = importlib.import_module(found.name)
            for name, kind in inspect.getmembers(module, inspect.isclass):
                own = kind.__module__ == found.name and not name.startswith("_")
                if own and issubclass(kind, beam.PTransform) and kind is not Verb:
                    yield kind


PUBLIC = sorted(set(_public()), key=lambda kind: kind.__name__)


def _rows(rows=40):
    numbers = np.arange(rows, dtype=np.float32)
    return pa.RecordBatch.from_pydict(
        {
            "x": numbers + 20,
            "y": numbers,
            "name": [f"n{i}" for i in range(rows)],
            "other": numbers,
            "time": pa.array(range(0, 30 * rows, 30), pa.timestamp("s")),
        }
    )


def _score(model):
    from inference.score import Score

    return Score(str(model), batch_rows=16)


def _from_rows(model):
    from transforms.rows.bridge import FromRows

    return FromRows()


def _to_rows(model):
    from transforms.rows.bridge import ToRows

    return ToRows()


def _messages():
    schema = pa.schema([("x", pa.float32())])
    return PubSubSource.resolve("pubsub://projects/proj-12345/subscriptions/sub", schema)


def _target():
    return Commit("contract", "run").target("/tmp/never-written/out")


def _validate(model):
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    text = """
    feature { name: "x" type: FLOAT presence { min_fraction: 1 } float_domain { min: 20 } }
    feature { name: "name" type: BYTES shape { dim { size: 1 } } }
    """
    return Validate(text_format.Parse(text, schema_pb2.Schema()))


def _check_columns(model):
    return CheckColumns((ColumnRule.of("mean(x) > 0", {"x": Kind.FLOAT}),))


def _judge():
    return Judge(checks=_checks())


def _checks():
    return Checks.of(None, Rules((RowRule.of("x > 0", {"x": Kind.FLOAT}),)))


def _labelled():
    return build_baseline([_rows()], quality=Quality("regression", "x", "y"))


def _baseline():
    return build_baseline([_rows()], "time", 60)


def _analyze(model):
    return Analyze(preprocessing_fn, schema(), "/tmp/never-written/graph")


def _preprocess(model):
    return Preprocess(graph_of_halves(), ["x", "y", "name", "other", "time"])


EXAMPLES = {
    "Analyze": _analyze,
    "BuildBaseline": lambda model: BuildBaseline("time", 60),
    "CheckColumns": _check_columns,
    "CheckData": lambda model: CheckData(_judge()),
    "CompareWindows": lambda model: CompareWindows(_baseline()),
    "ConfirmDrift": lambda model: ConfirmDrift(),
    "ConfirmErrors": lambda model: ConfirmErrors(),
    "CountRepeats": lambda model: CountRepeats(("name",), 4),
    "GatherFaults": lambda model: GatherFaults(_checks()),
    "JudgeStates": lambda model: JudgeStates(("/tmp/never-read",), Judge()),
    "MergeStates": lambda model: MergeStates(("/tmp/never-read",)),
    "DetectDrift": lambda model: DetectDrift(_baseline(), 60, event_time_column="time"),
    "DetectFeatureSkew": lambda model: DetectFeatureSkew(["name"]),
    "FillWindows": lambda model: FillWindows(_baseline()),
    "FromRows": _from_rows,
    "CollectStatistics": lambda model: CollectStatistics(),
    "GenerateStatistics": lambda model: GenerateStatistics(),
    "StoreOutcome": lambda model: StoreOutcome(Commit("contract", "run"), _target()),
    "JudgeWindows": lambda model: JudgeWindows(_baseline()),
    "MeasureQuality": lambda model: MeasureQuality(_labelled(), ("name",)),
    "MicroBatch": lambda model: MicroBatch(max_rows=16, deadline=5.0),
    "PartitionByKey": lambda model: PartitionByKey(["name"], 4),
    "ProfileWindows": lambda model: ProfileWindows(_baseline(), 60, event_time_column="time"),
    "Preprocess": _preprocess,
    "Publish": lambda model: Publish(Plan("job", "run", (), Gate(), "{}", "now")),
    "ReadNative": lambda model: ReadNative(_messages()),
    "ReadPubSub": lambda model: ReadPubSub(_messages()),
    "Read": lambda model: Read("unresolved.parquet"),
    "Erase": lambda model: Erase(_messages(), frozenset()),
    "EraseFiles": lambda model: EraseFiles([], _messages(), frozenset(), _target(), Unrecorded()),
    "KAnonymity": lambda model: KAnonymity(["name"]),
    "LDiversity": lambda model: LDiversity(["name"], "x"),
    "Inspect": lambda model: Inspect(policy()),
    "Rebatch": lambda model: Rebatch(max_rows=16),
    "Redact": lambda model: Redact(policy()),
    "Reidentify": lambda model: Reidentify(policy(of_type("PHONE_NUMBER", FPE))),
    "Replay": lambda model: Replay(Json(), pa.schema([("x", pa.float32())])),
    "Score": _score,
    "Select": lambda model: Select(("x", "y", "other")),
    "SplitRows": lambda model: SplitRows(Splits.parse("train:2,eval:1")),
    "Stage": lambda model: Stage(_target(), "Step"),
    "StageShards": lambda model: StageShards(_target(), "Step", 2),
    "TimedRows": lambda model: TimedRows("time"),
    "ToRows": _to_rows,
    "Unique": lambda model: Unique(["name"], 4),
    "Validate": _validate,
    "WindowBatches": lambda model: WindowBatches(60, event_time_column="time"),
    "WindowFeatures": lambda model: WindowFeatures(
        {"seen": Rolling(60, "count")}, ["name"], "time", every=60
    ),
    "WriteWindows": lambda model: WriteWindows(_target(), "run", 60),
    "WritePubSub": lambda model: WritePubSub(
        PubSubSink.resolve("pubsub://projects/pro/topics/top")
    ),
    "Write": lambda model: Write("/tmp/never-written/out"),
}
VERBS = (
    "MicroBatch",
    "Preprocess",
    "Rebatch",
    "Redact",
    "Reidentify",
    "Score",
    "Select",
    "TimedRows",
    "Unique",
    "Validate",
    "WindowBatches",
    "WindowFeatures",
)


@pytest.fixture(params=VERBS)
def verb(request, linear_model):
    return EXAMPLES[request.param](linear_model)


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: kind.__name__)
def test_every_transform_has_an_example_here(kind):
    assert kind.__name__ in EXAMPLES, "add it to EXAMPLES, and to VERBS if it is batches to batches"


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: kind.__name__)
def test_documented(kind):
    text = inspect.getdoc(kind)
    assert text.splitlines()[0].endswith(".")
    assert inspect.getdoc(kind.expand)
    if inspect.signature(kind).parameters:
        assert "Args:" in text
        assert all(f"{name}:" in text for name in inspect.signature(kind).parameters)


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: kind.__name__)
def test_pickles_by_reference(kind, linear_model):
    transform = EXAMPLES[kind.__name__](linear_model)
    content = pickle.dumps(transform)
    assert len(content) < 10_000
    assert type(pickle.loads(content)) is kind


def _all_rows(batches):
    rows = [row for batch in batches for row in batch.to_pylist()]
    return sorted(rows, key=lambda row: row["y"])


def test_output_is_typed(verb):
    with beam.Pipeline(runner="apache_beam.runners.portability.fn_api_runner.FnApiRunner") as root:
        given = root | beam.Create([_rows(1)])
        given.element_type = pa.RecordBatch
        assert (given | verb).element_type is pa.RecordBatch


def test_rows_are_conserved_and_columns_pass_through(verb):
    found = _all_rows(run_on([_rows()], lambda rows: rows | verb))
    assert len(found) == 40
    assert [row["other"] for row in found] == [float(i) for i in range(40)]


def test_a_batch_is_its_rows(verb):
    rows = _rows()
    whole = _all_rows(run_on([rows], lambda given: given | verb))
    alone = _all_rows(run_on([rows.slice(i, 1) for i in range(40)], lambda given: given | verb))
    for one, other in zip(whole, alone, strict=True):
        numbers = {name for name, value in one.items() if isinstance(value, float)}
        assert {n: one[n] for n in numbers} == pytest.approx(
            {n: other[n] for n in numbers}, rel=1e-6
        )
        assert {k: v for k, v in one.items() if k not in numbers} == {
            k: v for k, v in other.items() if k not in numbers
        }


def test_a_slice_and_nothing(verb):
    rows = _rows()
    part = _all_rows(run_on([rows.slice(7, 5)], lambda given: given | verb))
    assert [row["y"] for row in part] == [7.0, 8.0, 9.0, 10.0, 11.0]
    (empty,) = run_on([rows.slice(0, 0)], lambda given: given | verb)
    full = run_on([rows], lambda given: given | verb)[0]
    assert empty.num_rows == 0
    assert empty.schema.equals(full.schema)


def test_input_is_not_touched(verb):
    rows = _rows()
    before = rows.serialize().to_pybytes()
    run_on([rows], lambda given: given | verb)
    assert rows.serialize().to_pybytes() == before


def test_windows_are_kept(verb):
    collect = Collect()
    with local_pipeline() as root:
        stamped = [TimestampedValue(_rows().slice(t, 1), t * 30) for t in range(4)]
        _ = (
            root
            | beam.Create(stamped)
            | beam.WindowInto(FixedWindows(60))
            | beam.Map(lambda batch: batch).with_output_types(pa.RecordBatch)
            | verb
            | beam.Map(lambda b, w=beam.DoFn.WindowParam: (int(w.start), b["y"].to_pylist()))
            | collect
        )
    found = {}
    for start, values in collect.found:
        found.setdefault(start, []).extend(values)
    assert {start: sorted(values) for start, values in found.items()} == {
        0: [0.0, 1.0],
        60: [2.0, 3.0],
    }


def test_usable_twice(linear_model):
    for name in VERBS:
        make = EXAMPLES[name]

        def twice(rows, make=make):
            left = rows | "Left" >> make(linear_model)
            _ = rows | "Right" >> make(linear_model)
            return left

        assert len(_all_rows(run_on([_rows()], twice))) == 40
