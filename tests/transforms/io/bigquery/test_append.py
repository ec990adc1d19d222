"""Rows to streams of the Storage Write API: once at offsets, whatever breaks."""

import collections
import itertools
import types as python_types

import grpc
import pyarrow as pa
import pytest
from google.api_core import exceptions
from google.rpc import code_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.bigquery.server import Server
from tests.integration.bigquery.tables import EVERY_TYPE, READ_ONLY, TRIPS, empty_row, fields, row
from tests.integration.bigquery.writes import refusing
from transforms.errors import ConfigError
from transforms.io.bigquery.append import appending as module
from transforms.io.bigquery.append.appending import IN_FLIGHT, Appending
from transforms.io.bigquery.append.connection import Connection
from transforms.io.bigquery.append.pane import append_once
from transforms.io.bigquery.append.requests import parts_of, request, too_large
from transforms.io.bigquery.append.write import append_batch
from transforms.io.bigquery.clients import explained, write_client
from transforms.io.bigquery.patience import TRIES
from transforms.io.bigquery.uris import address
from transforms.reasons import Reason
from transforms.schema.bigquery_types import arrow_schema

PATH = address(f"bq://{TRIPS}", ()).path
DEFAULT = f"{PATH}/streams/_default"
FIELDS = [{"name": "n", "type": "INTEGER", "mode": "REQUIRED"}, {"name": "s", "type": "STRING"}]
FAULTS = [
    None,
    ("before", grpc.StatusCode.UNAVAILABLE),
    ("after", grpc.StatusCode.UNAVAILABLE),
    ("after", grpc.StatusCode.ABORTED),
    ("close", None),
    ("answer", code_pb2.INTERNAL),
    ("answer", code_pb2.RESOURCE_EXHAUSTED),
]


def _batch(numbers):
    texts = [str(number) for number in numbers]
    return pa.record_batch({"n": pa.array(numbers, pa.int64()), "s": texts})


def _parts(rows, size):
    """Parts of so many rows."""
    wide = rows.slice(0, size).nbytes
    return list(parts_of(rows, 2_000 + 900 + wide)) if wide else []


@given(
    st.lists(st.text(max_size=300), max_size=60),
    st.integers(3_500, 20_000),
    st.integers(0, 5),
)
def test_parts_hold_all_rows_in_order_below_the_limit(texts, most, start):
    rows = pa.record_batch({"s": pa.array(texts, pa.string())}).slice(start)
    parts = list(parts_of(rows, most))
    assert [text for part in parts for text in part.rows["s"].to_pylist()] == texts[start:]
    assert [n for part in parts for n in part.numbers] == list(range(rows.num_rows))
    for part in parts:
        size = module.request(part, DEFAULT, 2**40)._pb.ByteSize()
        assert size <= most or (len(part.numbers) == 1 and too_large(part, most))


def test_a_request_of_many_rows_stays_below_ten_megabytes():
    rows = pa.record_batch({"s": ["x" * n for n in range(0, 40_000, 10)]})
    sizes = [request(part, DEFAULT, None)._pb.ByteSize() for part in parts_of(rows)]
    assert sum(sizes) > rows.nbytes
    assert max(sizes) <= 10_000_000
    assert len(sizes) <= 2 * rows.nbytes / 10_000_000


@pytest.fixture
def table(bigquery):
    return bigquery.store.add(TRIPS, fields=FIELDS)


@pytest.fixture
def client(bigquery):
    with write_client() as client:
        yield client


@pytest.fixture
def default(client):
    appending = Appending(lambda: Connection(client, DEFAULT), DEFAULT)
    yield appending
    appending.close()


def _numbers(bigquery):
    return bigquery.store.tables[TRIPS].rows["n"].to_pylist()


@pytest.mark.usefixtures("table")
def test_rows_that_do_not_fit_and_rows_that_are_refused(bigquery, default):
    """One row in 5,000 is refused by the service alone, one by its column; the others are there."""
    bigquery.storage.writes.refuses = lambda row: (
        f"Invalid value '{row['s']}' in field s" if row["n"] == 2500 else None
    )
    rows = pa.record_batch({"n": pa.array([*range(5000), None], pa.int64())})
    rows = rows.append_column("s", rows["n"].cast(pa.string()))
    good, rejects = append_batch(rows, FIELDS, default)
    expected = [n for n in range(5000) if n != 2500]
    assert good["n"].to_pylist() == _numbers(bigquery) == expected
    assert rejects["reason"].to_pylist() == [Reason.MISSING_VALUE, Reason.PUBLISH_ERROR]
    assert rejects["errorMessage"][1].as_py() == (
        "BigQuery refuses the row: Invalid value ... in field s"
    )
    assert '"n":2500' in rejects["payloadString"][1].as_py()
    # The connection is used again, in another bundle.
    append_batch(_batch([7]), FIELDS, default)
    assert _numbers(bigquery) == [*expected, 7]


@pytest.mark.usefixtures("table")
def test_a_row_that_no_request_holds(bigquery, default):
    rows = pa.record_batch({"n": [1, 2, 3], "s": ["a", "x" * 10_000_000, "b"]})
    good, rejects = append_batch(rows, FIELDS, default)
    assert good["n"].to_pylist() == _numbers(bigquery) == [1, 3]
    assert rejects["reason"].to_pylist() == [Reason.OVERSIZED]


@pytest.mark.usefixtures("table")
def test_refused_without_a_row(bigquery, default):
    """Where the service does not say which row it is, halves are tried."""
    writes = bigquery.storage.writes
    bad = {17, 63}
    writes._refused = lambda rows, table: []

    def taken(name, schema, asked, context):
        batch = asked.arrow_rows.rows.serialized_record_batch
        rows = pa.ipc.read_record_batch(pa.py_buffer(batch), schema)
        if bad & set(rows["n"].to_pylist()):
            return refusing(code_pb2.INVALID_ARGUMENT, "a row is malformed")
        return type(writes)._taken(writes, name, schema, asked, context)

    writes._taken = taken
    good, rejects = append_batch(_batch(range(100)), FIELDS, default)
    assert sorted(_numbers(bigquery)) == good["n"].to_pylist()
    assert set(range(100)) - set(_numbers(bigquery)) == bad
    assert rejects.num_rows == 2


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("fault", FAULTS[1:])
def test_the_default_stream_loses_nothing(bigquery, default, fault):
    bigquery.storage.writes.faults = [None, fault]
    assert default.append(_parts(_batch(range(1000)), 100)) == []
    assert set(_numbers(bigquery)) == set(range(1000))
    twice = len(_numbers(bigquery)) - 1000
    assert (twice > 0) == (fault[0] == "after"), "only where the answer was lost"


@pytest.mark.usefixtures("table")
def test_what_no_retry_mends(bigquery, default):
    def told(error):
        return str(explained(error.value, address(f"bq://{TRIPS}", ()), "write"))

    writes = bigquery.storage.writes
    bigquery.store.refuse("AppendRows", 403, "accessDenied")
    with pytest.raises(exceptions.Forbidden) as denied:
        default.append(parts_of(_batch([1])))
    assert "BigQuery Data Editor" in told(denied)
    writes.faults = [("before", grpc.StatusCode.RESOURCE_EXHAUSTED)] * TRIES
    with pytest.raises(exceptions.RetryError) as quota:
        default.append(parts_of(_batch([1])))
    assert "a quota of project proj-12345 is used up" in told(quota)
    assert "fewer workers" in told(quota)
    writes.faults = [("before", grpc.StatusCode.UNAVAILABLE)] * TRIES
    with pytest.raises(exceptions.RetryError) as away:
        default.append(parts_of(_batch([1])))
    assert "does not answer, after several tries" in told(away)
    with pytest.raises(ConfigError, match=r"lacks a column .* extra field x"):
        default.append(parts_of(_batch([1]).append_column("x", pa.array([1]))))
    del bigquery.store.tables[TRIPS]
    with pytest.raises(exceptions.NotFound) as gone:
        default.append(parts_of(_batch([1])))
    assert "bq ls proj-12345:taxi" in told(gone)


class _Line:
    """Answers when it is asked, and counts what waits."""

    most = 0

    def __init__(self):
        self.waiting, self.fresh = collections.deque(), True

    def send(self, asked):
        self.waiting.append(asked)
        _Line.most = max(_Line.most, len(self.waiting))

    def receive(self):
        self.waiting.popleft()
        error = python_types.SimpleNamespace(code=0)
        return python_types.SimpleNamespace(error=error, row_errors=[])

    def close(self):
        pass


def test_requests_in_flight_are_bounded():
    made = itertools.count()

    def parts():
        for number in range(100):
            next(made)
            yield next(parts_of(_batch([number])))

    line = _Line()
    assert Appending(lambda: line, DEFAULT).append(parts()) == []
    assert _Line.most == IN_FLIGHT
    assert next(made) == 100


@settings(deadline=None, max_examples=25)
@given(st.lists(st.sampled_from(FAULTS), max_size=6), st.sets(st.integers(0, 299), max_size=3))
def test_at_offsets_each_row_is_there_once(faults, bad):
    """Whatever breaks, and whichever rows the service refuses."""
    with Server().running() as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr("transforms.io.bigquery.patience._PAUSE_SECONDS", 0.0)
        for name, value in server.environment.items():
            patch.setenv(name, value)
        server.store.add(TRIPS, fields=FIELDS)
        server.storage.writes.faults = list(faults)
        server.storage.writes.refuses = lambda row: "no" if row["n"] in bad else None
        with write_client() as client:
            made = client.create_write_stream(parent=PATH, write_stream={"type_": "COMMITTED"})
            appending = Appending(lambda: Connection(client, made.name), made.name, offset=0)
            refused = appending.append(_parts(_batch(range(300)), 50))
            appending.close()
        assert sorted(each.number for each in refused) == sorted(bad)
        assert _numbers(server) == [n for n in range(300) if n not in bad]


class _Killed(BaseException):
    pass


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("method", ["send", "receive", "__init__"])
def test_appended_once_wherever_it_is_killed(bigquery, tmp_path, monkeypatch, method):
    """Each try is killed at its nth call, before it or after it; the last one comes to its end."""
    bigquery.storage.writes.refuses = lambda row: "no" if row["n"] in (5, 123) else None
    monkeypatch.setattr(module, "IN_FLIGHT", 2)
    real, calls = getattr(Connection, method), itertools.count()
    deaths = iter([*range(1, 12), 10**6])

    def call(self, *given):
        number = next(calls)
        if number >= state["at"] and state["before"]:
            raise _Killed
        found = real(self, *given)
        if number >= state["at"]:
            raise _Killed
        return found

    monkeypatch.setattr(Connection, method, call)
    monkeypatch.setattr(
        "transforms.io.bigquery.append.pane.parts_of", lambda rows: _parts(rows, 25)
    )
    for turn, death in enumerate(deaths):
        calls, state = itertools.count(), {"at": death % 7, "before": turn % 2}
        if death == 10**6:
            state["at"] = death
        try:
            refused = append_once(PATH, _batch(range(200)), str(tmp_path / "draft"))
        except _Killed:
            continue
        break
    assert _numbers(bigquery) == [n for n in range(200) if n not in (5, 123)]
    assert [each.number for each in refused] == [5, 123]


@pytest.mark.usefixtures("table")
def test_one_that_was_thought_dead_does_no_harm(bigquery, client, tmp_path):
    """What a second process has taken over, the first one can't append to any more."""
    draft = str(tmp_path / "draft")
    first = _batch([1, 2])
    assert append_once(PATH, first, draft) == []
    (stream,) = bigquery.storage.writes.streams
    late = Appending(lambda: Connection(client, stream), stream, offset=2)
    with pytest.raises(exceptions.InvalidArgument, match="finalized"):
        late.append(parts_of(_batch(range(200))))
    late.close()
    assert append_once(PATH, first, draft) == []
    assert _numbers(bigquery) == [1, 2]


def test_every_type_is_appended(bigquery, default):
    """With intervals and ranges, which no load job takes."""
    columns = {**EVERY_TYPE, **READ_ONLY}
    ranges = {
        "name": "rg",
        "type": "RANGE",
        "rangeElementType": {"type": "DATE"},
        "mode": "NULLABLE",
    }
    described = fields(columns, [ranges])
    bigquery.store.add(TRIPS, fields=described)
    day = EVERY_TYPE["d"][1]
    rows = [
        {**row(columns), "rg": {"start": None, "end": day}},
        {**empty_row(columns), "rg": None},
    ]
    (batch,) = pa.Table.from_pylist(rows, arrow_schema(described)).to_batches()
    good, rejects = append_batch(batch, described, default)
    assert (good.num_rows, rejects.num_rows) == (2, 0)
    assert bigquery.store.tables[TRIPS].rows.to_pylist() == rows
