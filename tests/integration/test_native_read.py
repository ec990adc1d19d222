"""The runner's own read of messages, on Beam's local runner, against the emulator."""

import json
import time
import uuid

import apache_beam as beam
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.direct.direct_runner import BundleBasedDirectRunner

from tests.support import Collect
from transforms.commit.dead_letters import DeadLetters
from transforms.commit.stream.commit import StreamCommit
from transforms.io.pubsub.decode import decode_messages
from transforms.io.pubsub.messages import received
from transforms.io.pubsub.native import _GatherFn, native_read
from transforms.io.pubsub.source import PubSubSource
from transforms.io.read import Read
from transforms.io.write import Write
from transforms.windows.assign import ANY_LATENESS
from transforms.windows.window_batches import WindowBatches

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

SCHEMA = pa.schema([("n", pa.int64()), ("name", pa.string())])
NUMBER = 200
BROKEN = range(7, NUMBER, 10)


def payload(number):
    return b"{broken" if number in BROKEN else json.dumps({"n": number, "name": "x"}).encode()


@pytest.fixture
def published(pubsub):
    channel = pubsub(f"native-{uuid.uuid4().hex[:8]}")
    attributes = [{"time": str(1_769_903_941_250 + n)} for n in range(NUMBER)]
    channel.publish([payload(n) for n in range(NUMBER)], attributes)
    return channel


@pytest.fixture
def source(published):
    uri = f"{published.source}?attributes=time"
    return PubSubSource.resolve(uri, SCHEMA, event_time="time")


def by_id(rows):
    return sorted(rows, key=lambda row: row.get("message_id") or row["source"])


def test_it_gives_what_our_own_source_gives(published, source):
    """Both read all messages: the emulator is first looked at, then read by the runner."""
    pulled, until = {}, time.monotonic() + 60
    while len(pulled) < NUMBER and time.monotonic() < until:
        pulled |= {message.message.message_id: message for message in published.pull()}
    (rows, rejects), times = decode_messages(received(list(pulled.values())), source)
    collect = Collect()
    root = pipeline()
    _ = root | native_read(source) | beam.ParDo(_GatherFn(source)) | beam.Map(_timed) | collect
    result = root.run()
    try:
        # What was looked at comes again when its lease ends.
        wait_until(lambda: rows_of(collect) >= NUMBER)
    finally:
        result.cancel()
    found = [row for batch, _, _ in collect.found for row in batch.to_pylist()]
    dead = [row for _, batch, _ in collect.found for row in batch.to_pylist()]
    assert by_id(found) == by_id(rows.to_pylist())
    assert by_id(dead) == by_id(rejects.to_pylist())
    assert (len(found), len(dead)) == (NUMBER - len(BROKEN), len(BROKEN))
    assert len(times) == len(found)
    for batch, _, timestamp in collect.found:
        if batch.num_rows:
            assert timestamp <= min(batch["time"].to_pylist()).timestamp()


def _timed(outcome, timestamp=beam.DoFn.TimestampParam):
    return (*outcome, float(timestamp))


def rows_of(collect):
    return sum(rows.num_rows + rejects.num_rows for rows, rejects, _ in collect.found)


def pipeline():
    options = PipelineOptions([], streaming=True, project="local-test")
    return beam.Pipeline(BundleBasedDirectRunner(), options=options)


def wait_until(condition, seconds=120):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.2)


def test_rows_of_windows_that_have_long_closed_are_committed(source, tmp_path):
    """The local runner's watermark is the clock, and these messages are of last January."""
    commit = StreamCommit("job", "r1", allowed_lateness=ANY_LATENESS, late_wait=1.0)
    dead = DeadLetters(f"{tmp_path}/dead/", commit)
    root = pipeline()
    rows = root | Read(source, dead_letters=dead, native=True)
    rows = rows | WindowBatches(
        60, event_time_column="time", allowed_lateness=ANY_LATENESS, dead_letters=dead
    )
    _ = rows | Write(f"{tmp_path}/out/", commit, dead_letters=dead)
    commit.prepare()

    def committed(name):
        panes = [json.loads(p.read_text()) for p in tmp_path.glob(f"{name}/_millrace/panes/*")]
        return panes, sum(pane["rows"] for pane in panes)

    result = root.run()
    try:
        wait_until(lambda: committed("out")[1] >= NUMBER - len(BROKEN))
    finally:
        result.cancel()
        commit.unlock()
    panes, number = committed("out")
    assert "late" in {pane["timing"] for pane in panes}
    found = [n for pane in panes for n in ds.dataset(pane["file"]).to_table()["n"].to_pylist()]
    assert sorted(found) == sorted(set(range(NUMBER)) - set(BROKEN))
    assert number == len(found)
