"""ReadNative: what the runner is told, and how messages of a bundle become batches."""

import json
from datetime import UTC, datetime

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.io.gcp.pubsub import PubsubMessage as BeamMessage
from apache_beam.transforms.window import GlobalWindow, TimestampedValue
from google.pubsub_v1.types import PubsubMessage, ReceivedMessage

from tests.support import Collect, local_pipeline
from transforms.errors import ConfigError
from transforms.io.payloads.messages import MESSAGES
from transforms.io.pubsub import native
from transforms.io.pubsub.messages import received, unpacked
from transforms.io.pubsub.native import ReadNative, id_label, native_read, timestamp_attribute
from transforms.io.pubsub.source import PubSubSource

URI = "pubsub://projects/proj-12345/subscriptions/sub"
SCHEMA = pa.schema([("n", pa.int64()), ("at", pa.timestamp("us", "UTC"))])
TIME = datetime(2026, 1, 31, 23, 59, 1, 250_001, UTC)


def source(query="?attributes=key,time", schema=SCHEMA, **settings):
    return PubSubSource.resolve(URI + query, schema, **settings)


def message(number, **settings):
    data = json.dumps({"n": number}).encode()
    settings = {"message_id": f"m{number}", "publish_time": TIME, **settings}
    return PubsubMessage(data=data, **settings)


def raw(number, **settings):
    return PubsubMessage.serialize(message(number, **settings))


def test_the_runner_is_told_of_attributes_alone():
    given = source(event_time="time", dedup_key="key")
    assert (timestamp_attribute(given), id_label(given)) == ("time", "key")
    read = native_read(given)._source
    assert read.full_subscription == "projects/proj-12345/subscriptions/sub"
    assert (read.timestamp_attribute, read.id_label, read.with_attributes) == ("time", "key", True)


@pytest.mark.parametrize("column", ["publish_time", "at"])
def test_other_event_times_leave_it_to_the_publish_time(column):
    given = source(event_time=column)
    assert (timestamp_attribute(given), id_label(given)) == (None, None)


@pytest.mark.parametrize("column", ["n", "ordering_key"])
def test_a_key_that_is_no_attribute_is_refused_at_once(column):
    with pytest.raises(ConfigError, match=f"--dedup_key: .*'{column}' is not one of those"):
        ReadNative(source(dedup_key=column))


def test_a_project_that_can_not_be_is_refused_at_once():
    short = PubSubSource.resolve("pubsub://projects/abc/subscriptions/sub", SCHEMA)
    with pytest.raises(ConfigError, match="--input: Invalid PubSub project name: 'abc'"):
        ReadNative(short)


def test_serialized_messages_are_as_pulled_ones():
    messages = [
        message(1, ordering_key="o", attributes={"key": "a", "time": "0"}),
        message(2, attributes={"key": "b"}),
        PubsubMessage(attributes={"only": "attributes"}, message_id="m3", publish_time=TIME),
    ]
    pulled = [ReceivedMessage.pb(ReceivedMessage(message=one)) for one in messages]
    found = unpacked([PubsubMessage.serialize(one) for one in messages])
    assert found.equals(received(pulled))
    assert found.schema.equals(MESSAGES)
    assert found["publish_time"][0].as_py() == TIME
    assert unpacked([]).num_rows == 0


def _seen(outcome, timestamp=beam.DoFn.TimestampParam, window=beam.DoFn.WindowParam):
    rows, rejects = outcome
    assert window == GlobalWindow()
    return float(timestamp), rows["message_id"].to_pylist(), rejects["reason"].to_pylist()


def gather(given, messages):
    """The batches that a bundle of (timestamp, message) becomes."""
    collect = Collect()
    with local_pipeline() as root:
        stamped = [TimestampedValue(element, time) for time, element in messages]
        _ = (
            root
            | beam.Create(stamped, reshuffle=False)
            | beam.ParDo(native._GatherFn(given))
            | beam.Map(_seen)
            | collect
        )
    return sorted(collect.found)


def test_a_batch_is_what_a_bundle_brings_at_its_earliest_time():
    messages = [(70, raw(1)), (30, raw(2)), (50, b"\x0a\x03{br")]
    assert gather(source(), messages) == [(30.0, ["m1", "m2"], ["unparsable"])]


def test_batches_are_cut_by_rows():
    messages = [(10 + n, raw(n)) for n in range(5)]
    found = gather(source(max_rows=2), messages)
    assert found == [(10.0, ["m0", "m1"], []), (12.0, ["m2", "m3"], []), (14.0, ["m4"], [])]


def test_batches_are_cut_by_bytes(monkeypatch):
    monkeypatch.setattr(native, "MAX_BYTES", 2 * len(raw(0)) + 1)
    found = gather(source(), [(n, raw(n)) for n in range(3)])
    assert found == [(0.0, ["m0", "m1"], []), (2.0, ["m2"], [])]


def test_a_message_larger_than_a_batch_is_one_of_its_own(monkeypatch):
    monkeypatch.setattr(native, "MAX_BYTES", 1)
    assert len(gather(source(), [(n, raw(n)) for n in range(3)])) == 3


def test_no_message_no_batch():
    assert gather(source(), []) == []


def test_the_objects_of_beams_local_runner_are_read_too():
    one = BeamMessage._from_proto_str(raw(7, attributes={"key": "a"}, ordering_key="o"))
    assert gather(source(), [(1, one)]) == [(1.0, ["m7"], [])]


def test_output_is_typed():
    from transforms.coders import RecordBatchCoder

    root = beam.Pipeline("DirectRunner", options=beam.options.pipeline_options.PipelineOptions([]))
    rows = root | ReadNative(source())
    assert rows.element_type is pa.RecordBatch
    assert not rows.is_bounded
    assert isinstance(beam.coders.registry.get_coder(rows.element_type), RecordBatchCoder)
