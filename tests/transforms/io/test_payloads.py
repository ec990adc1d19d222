"""Payloads: what must hold of every kind, and what is particular to each."""

import datetime
import json
import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import TEXT, batch_of, record_batches
from tests.transforms.files.formats import hostile
from transforms.arrow.casts import checked_cast
from transforms.batches import with_source
from transforms.errors import ConfigError
from transforms.files.formats.avro.types import arrow_to_avro
from transforms.io.payloads.arrow import Arrow
from transforms.io.payloads.avro import Avro, _header
from transforms.io.payloads.messages import MESSAGES
from transforms.io.payloads.table import PAYLOADS, load_payload
from transforms.rejects import NO_REJECTS

URI = "pubsub://projects/p/subscriptions/s"
AT = datetime.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=datetime.UTC)
ROWS = batch_of(
    n=pa.array([1, None, -(2**63), 2**63 - 1], pa.int64()),
    x=pa.array([0.5, -0.0, None, 1e-30], pa.float32()),
    s=["ü\n", "", None, '"'],
    b=[b"\xff\x00", None, b"", b"\n"],
    l=pa.array([[1, 2], [], None, [3]], pa.list_(pa.int64())),
)


def avro_of(schema, **settings):
    return Avro(json.dumps(arrow_to_avro(schema)), **settings)


def narrowed(batch):
    """The batch with what tf.Example holds of a float64; null for what is too large."""
    types = [pa.float32() if t == pa.float64() else t for t in batch.schema.types]
    arrays = [checked_cast(a, t).values for a, t in zip(batch.columns, types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, batch.schema.names)


TEXTS = st.lists(TEXT, max_size=9).map(lambda t: batch_of(text=pa.array(t, pa.string())))


@dataclass(frozen=True)
class Kind:
    """What is known of a kind of payload.

    Attributes:
      make: The payload of some columns.
      poison: Payloads that are none, with the reason.
      rows: A batch of it.
      batches: More of them.
      expected: What rows become on the way there and back.
    """

    make: Callable
    poison: dict[bytes, str]
    rows: pa.RecordBatch
    batches: st.SearchStrategy
    expected: Callable = list


def plain(name):
    return lambda schema, **settings: load_payload(name, **settings)


def stream(batch):
    return plain("arrow")(None).encode(batch).payloads[0].as_py()


JSON_POISON = {
    b"": "unparsable",
    b" \n": "unparsable",
    b"{": "unparsable",
    b'{"n":1}{"n":2}': "unparsable",
    b'{"n":1}\n{"n":2}': "unparsable",
    b'{"s":"\n"}': "unparsable",
    b'{"n":1}}': "unparsable",
    b'{"s":"\xff"}': "invalid_utf8",
    b'{"s":"\\ud800"}': "invalid_utf8",
    b"[1]": "wrong_type",
    b'{"n":[1]}': "wrong_type",
    b'{"n":1.5}': "lossy_cast",
    b'{"n":9223372036854775808}': "overflow",
    b'{"n":%s}' % (b"9" * 400): "overflow",
    b'{"n":"x"}': "unparsable",
}
AVRO_POISON = {
    b"": "unparsable",
    b"\x02\x02": "unparsable",
    b"\x00\x00\x00\x00\x00\x00": "unparsable",
    b"\x00\x00\x02\x02\xff\x00\x00": "invalid_utf8",
    b"\x63\x63\x63\x63\x63": "unparsable",
}
EXAMPLE_POISON = {b"\x0a\xff": "unparsable", b"{}": "unparsable"}
ARROW_POISON = {
    b"": "unparsable",
    b"{}": "unparsable",
    stream(ROWS)[:-100]: "unparsable",
    stream(ROWS) * 2: "unparsable",
    stream(batch_of(s=pa.array([b"\xff"]).view(pa.string()))): "invalid_utf8",
    stream(batch_of(n=["x"])): "unparsable",
    stream(pa.RecordBatch.from_arrays([pa.array([1])] * 2, ["n", "n"])): "unparsable",
}
CSV_POISON = {
    b"": "unparsable",
    b"\r\n": "unparsable",
    b"1": "ragged_line",
    b"1,2,3,4,5,6": "ragged_line",
    b'1,0.5,"a,AA==,[]': "unparsable",
    b"1,0.5,a,AA==,[]\n2,0.5,a,AA==,[]": "unparsable",
    b"x,0.5,a,AA==,[]": "unparsable",
    b"1.5,0.5,a,AA==,[]": "lossy_cast",
    b"1,0.5,\xff,AA==,[]": "invalid_utf8",
    b"1,0.5,a,AA==,{": "unparsable",
}
WORDS = batch_of(text=["ü", "", "\n"])
ANY = record_batches()
KINDS = {
    "arrow": Kind(plain("arrow"), ARROW_POISON, ROWS, ANY),
    "avro": Kind(avro_of, AVRO_POISON, ROWS, ANY),
    "csv": Kind(plain("csv"), CSV_POISON, ROWS, ANY),
    "json": Kind(plain("json"), JSON_POISON, ROWS, ANY),
    "text": Kind(plain("text"), {b"\xff": "invalid_utf8"}, WORDS, TEXTS),
    "tf_example": Kind(plain("tf_example"), EXAMPLE_POISON, ROWS, ANY.map(narrowed)),
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
every_poison = pytest.mark.parametrize(
    ("kind", "poison", "reason"),
    [
        pytest.param(kind, poison, reason, id=f"{name}-{place}")
        for name, kind in KINDS.items()
        for place, (poison, reason) in enumerate(kind.poison.items())
    ],
)
quick = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def messages_of(payloads):
    rows = [
        {
            "data": payload,
            "attributes": [{"key": "k", "value": f"v{i}"}, {"key": "j", "value": "w"}],
            "message_id": f"m{i}",
            "publish_time": AT + datetime.timedelta(seconds=i),
            "ordering_key": f"o{i}" if i % 2 else None,
        }
        for i, payload in enumerate(payloads)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=MESSAGES)


def decoded(payload, messages, schema):
    """The rows and rejects, after looking at what must always hold of them."""
    rows, rejects = payload.decode(messages, schema, URI)
    rows.validate(full=True)
    rejects.validate(full=True)
    assert rows.schema.equals(payload.schema(schema))
    assert rejects.schema.equals(NO_REJECTS.schema)
    return rows, rejects


def read(payload, payloads, schema):
    """The rows' own columns, of payloads that are all sound."""
    rows, rejects = decoded(payload, messages_of(payloads), schema)
    assert rejects.to_pylist() == []
    return rows.select(schema.names).to_pylist()


def test_the_table_knows_every_kind():
    assert set(PAYLOADS) == set(KINDS)


@every_kind
@quick
@given(data=st.data())
def test_what_is_encoded_is_decoded(kind, data):
    batch = data.draw(kind.batches)
    payload = kind.make(batch.schema)
    encoded = payload.encode(batch)
    assert encoded.rejects.num_rows == 0
    assert encoded.payloads.type == pa.binary()
    rows, rejects = decoded(payload, messages_of(encoded.payloads.to_pylist()), batch.schema)
    assert rejects.num_rows == 0
    assert rows.select(batch.schema.names).to_pylist() == kind.expected(batch.to_pylist())
    spans = zip(encoded.starts.tolist(), encoded.stops.tolist(), strict=True)
    expected = [f"m{i}" for i, (start, stop) in enumerate(spans) for _ in range(start, stop)]
    assert rows.column("message_id").to_pylist() == expected


@every_kind
def test_a_slice_is_encoded_alone(kind):
    payload = kind.make(kind.rows.schema)
    encoded = payload.encode(kind.rows.slice(1, 2))
    rows = read(payload, encoded.payloads.to_pylist(), kind.rows.schema)
    assert rows == kind.rows.slice(1, 2).to_pylist()
    assert encoded.starts[0] == 0
    assert encoded.stops[-1] == 2


@every_kind
def test_nothing_in_nothing_out(kind):
    payload = kind.make(kind.rows.schema, attributes=("k",))
    rows, rejects = decoded(payload, messages_of([]), kind.rows.schema)
    assert (rows.num_rows, rejects.num_rows) == (0, 0)
    encoded = payload.encode(kind.rows.slice(0, 0))
    assert (len(encoded.payloads), len(encoded.starts), len(encoded.stops)) == (0, 0, 0)
    assert encoded.rejects.num_rows == 0


@every_poison
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_poison_message_among_good_ones(kind, poison, reason, place):
    payload = kind.make(kind.rows.schema)
    good = [payload.encode(kind.rows.slice(i, 1)).payloads[0].as_py() for i in range(2)]
    payloads = [*good[:place], poison, *good[place:]]
    rows, rejects = decoded(payload, messages_of(payloads), kind.rows.schema)
    assert rows.select(kind.rows.schema.names).to_pylist() == kind.rows.slice(0, 2).to_pylist()
    kept = [f"m{i}" for i in range(3) if i != place]
    assert rows.column("message_id").to_pylist() == kept
    (reject,) = rejects.to_pylist()
    assert reject["reason"] == reason
    assert reject["payloadBytes"] == poison
    assert reject["payloadString"] is None
    assert reject["attributes"][0] == {"key": "k", "value": f"v{place}"}
    assert reject["source"] == f"{URI}#message=m{place}"


@every_kind
def test_all_are_poison(kind):
    payload = kind.make(kind.rows.schema)
    poison = list(kind.poison) * 20
    rows, rejects = decoded(payload, messages_of(poison), kind.rows.schema)
    assert rows.num_rows == 0
    assert sorted(rejects.column("payloadBytes").to_pylist()) == sorted(poison)


@pytest.mark.parametrize("name", ["arrow", "avro", "json", "tf_example"])
def test_poison_and_values_that_do_not_fit(name):
    numbers = pa.schema([("n", pa.int64())])
    payload = KINDS[name].make(numbers)
    fine, large = (payload.encode(batch_of(n=[n])).payloads[0].as_py() for n in (1, 300))
    payloads = [b"{", large, fine, b"{", None, large, fine]
    rows, rejects = decoded(payload, messages_of(payloads), pa.schema([("n", pa.int8())]))
    assert rows.column("n").to_pylist() == [1, 1]
    assert rows.column("message_id").to_pylist() == ["m2", "m6"]
    reasons = ["unparsable", "overflow", "unparsable", "missing_value", "overflow"]
    found = [(r["source"][-2:], r["reason"], r["payloadBytes"]) for r in rejects.to_pylist()]
    places = [0, 1, 3, 4, 5]
    expected = [(f"m{i}", why, payloads[i]) for i, why in zip(places, reasons, strict=True)]
    assert sorted(found) == expected


@every_kind
def test_a_message_without_a_payload(kind):
    payload = kind.make(kind.rows.schema)
    good = payload.encode(kind.rows.slice(0, 1)).payloads[0].as_py()
    rows, rejects = decoded(payload, messages_of([None, good, None]), kind.rows.schema)
    assert rows.column("message_id").to_pylist() == ["m1"]
    assert rejects.column("reason").to_pylist() == ["missing_value"] * 2
    assert rejects.column("source").to_pylist() == [f"{URI}#message=m{i}" for i in (0, 2)]
    rows, rejects = decoded(payload, messages_of([None]), kind.rows.schema)
    assert (rows.num_rows, rejects.num_rows) == (0, 1)


def spoiled(draw, payload):
    """A payload, or what a careless hand makes of it."""
    at = draw(st.integers(0, len(payload)))
    junk = draw(st.binary(max_size=2) | st.sampled_from([b"\n", b"}", b'"', b"\xff"]))
    how = draw(st.sampled_from(["good", "good", "cut", "insert", "replace", "junk"]))
    changed = {
        "good": payload,
        "cut": payload[:at],
        "insert": payload[:at] + junk + payload[at:],
        "replace": payload[:at] + junk + payload[at + len(junk) :],
        "junk": junk,
    }
    return changed[how]


def alone(payload, messages, schema):
    """The outcome, each message decoded by itself."""
    each = [decoded(payload, messages.slice(i, 1), schema) for i in range(messages.num_rows)]
    rows = [row for rows, _ in each for row in rows.to_pylist()]
    return rows, [row for _, rejects in each for row in rejects.to_pylist()]


@every_kind
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_message_changes_what_becomes_of_its_neighbours(kind, data):
    payload = kind.make(kind.rows.schema, attributes=("k",))
    good = [p for i in range(2) for p in payload.encode(kind.rows.slice(i, 1)).payloads.to_pylist()]
    count = data.draw(st.integers(1, 8))
    payloads = [spoiled(data.draw, data.draw(st.sampled_from(good))) for _ in range(count)]
    messages = messages_of([b"", *payloads]).slice(1)
    rows, rejects = decoded(payload, messages, kind.rows.schema)
    one_by_one = alone(payload, messages, kind.rows.schema)
    assert str(rows.to_pylist()) == str(one_by_one[0])
    order = rejects.sort_by("source") if rejects.num_rows else rejects
    assert order.to_pylist() == one_by_one[1]
    if kind is not KINDS["arrow"]:
        assert rows.num_rows + rejects.num_rows == count


@settings(max_examples=300)
@given(st.lists(hostile.JSONL, min_size=1, max_size=6))
def test_objects_are_not_made_of_parts_of_neighbours(payloads):
    schema = pa.schema([("a", pa.int64()), ("b", pa.string())])
    messages, payload = messages_of(payloads), load_payload("json")
    rows, rejects = decoded(payload, messages, schema)
    assert (rows.to_pylist(), rejects.to_pylist()) == alone(payload, messages, schema)
    for row in rows.to_pylist():
        number = int(row["message_id"][1:])
        assert isinstance(json.loads(payloads[number]), dict)


@every_kind
def test_what_the_message_says_of_itself(kind):
    payload = kind.make(kind.rows.schema, attributes=("none", "k"))
    good = payload.encode(kind.rows.slice(0, 1)).payloads[0].as_py()
    messages = messages_of([b"", good, good, good]).slice(1)
    rows, _ = decoded(payload, messages, kind.rows.schema)
    names = ["message_id", "publish_time", "ordering_key", "none", "k"]
    assert rows.schema.names == [*kind.rows.schema.names, *names]
    assert rows.select(names).to_pylist()[1] == {
        "message_id": "m2",
        "publish_time": AT + datetime.timedelta(seconds=2),
        "ordering_key": None,
        "none": None,
        "k": "v2",
    }
    assert rows.column("ordering_key").to_pylist() == ["o1", None, "o3"]


@every_kind
def test_only_what_the_message_says_of_itself(kind):
    payload = kind.make(kind.rows.schema, attributes=("k",))
    encoded = payload.encode(kind.rows)
    rows, _ = decoded(payload, messages_of(encoded.payloads.to_pylist()), pa.schema([]))
    spans = enumerate((encoded.stops - encoded.starts).tolist())
    assert rows.column("k").to_pylist() == [f"v{i}" for i, span in spans for _ in range(span)]


@every_kind
@pytest.mark.parametrize("name", ["message_id", "publish_time", "ordering_key", "k"])
def test_a_column_of_the_payload_and_the_message(kind, name):
    payload = kind.make(kind.rows.schema, attributes=("k",))
    with pytest.raises(ConfigError, match=f"both have a column '{name}'"):
        payload.decode(messages_of([]), pa.schema([(name, pa.string())]), URI)


@every_kind
@pytest.mark.parametrize("names", [("a", "a"), ("message_id",)])
def test_attributes_that_would_be_columns_twice(kind, names):
    with pytest.raises(ConfigError, match="second column of its name"):
        kind.make(kind.rows.schema, attributes=names)


@every_kind
def test_a_payload_is_shipped_to_workers(kind):
    payload = kind.make(kind.rows.schema, attributes=("k",))
    assert pickle.loads(pickle.dumps(payload)) == payload
    assert hash(payload) == hash(kind.make(kind.rows.schema, attributes=("k",)))


@pytest.mark.parametrize("name", ["arrow", "avro", "tf_example"])
def test_nan_is_kept(name):
    rows = batch_of(x=pa.array([math.nan, None, -math.inf], pa.float32()))
    payload = KINDS[name].make(rows.schema)
    found = read(payload, payload.encode(rows).payloads.to_pylist(), rows.schema)
    assert math.isnan(found[0]["x"])
    assert [row["x"] for row in found[1:]] == [None, -math.inf]


def test_json_has_no_nan_but_a_word_that_reads_back():
    rows = batch_of(x=[math.nan, 1.5])
    encoded = load_payload("json").encode(rows)
    assert encoded.payloads.to_pylist() == [b'{"x":"NaN"}', b'{"x":1.5}']


@pytest.mark.parametrize("name", ["avro", "tf_example"])
def test_integers_that_int64_can_not_hold(name):
    rows = batch_of(n=pa.array([1, 2**63, 3], pa.uint64()))
    payload = KINDS[name].make(pa.schema([("n", pa.int64())]))
    encoded = payload.encode(with_source(rows, "f.csv", 7, "line"))
    assert read(payload, encoded.payloads.to_pylist(), rows.schema) == [{"n": 1}, {"n": 3}]
    assert (encoded.starts.tolist(), encoded.stops.tolist()) == ([0, 2], [1, 3])
    (reject,) = encoded.rejects.to_pylist()
    assert (reject["reason"], reject["column"]) == ("overflow", "n")
    assert (reject["source"], reject["payloadString"]) == (
        "f.csv#line=8",
        '{"n":9223372036854775808}',
    )


@pytest.mark.parametrize("name", ["arrow", "avro", "json"])
def test_nested_values(name):
    points = pa.list_(pa.struct([("x", pa.float64()), ("tags", pa.list_(pa.string()))]))
    values = [[{"x": 1.5, "tags": ["a", None]}, None], None, [], [{"x": None, "tags": None}]]
    rows = batch_of(l=pa.array(values, points))
    payload = KINDS[name].make(rows.schema)
    encoded = payload.encode(rows.slice(1))
    assert read(payload, encoded.payloads.to_pylist(), rows.schema) == rows.slice(1).to_pylist()


def test_json_on_several_lines_among_blanks():
    payloads = [b'\r\n{\n "n":\t1\n}\n', b' {"n":2}\r\n', b'{"n": "3"}', b'{"n":4.0,"more":[{}]}']
    rows = read(load_payload("json"), payloads, pa.schema([("n", pa.int64())]))
    assert rows == [{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}]


def test_json_faults_name_the_payload():
    _, rejects = decoded(load_payload("json"), messages_of([b"{", b"\n"]), ROWS.schema)
    told = ["the payload is not valid JSON", "the payload is blank"]
    assert rejects.column("errorMessage").to_pylist() == told


def test_text_may_be_bytes():
    schema = pa.schema([("text", pa.binary())])
    assert read(load_payload("text"), [b"\xff", b""], schema) == [{"text": b"\xff"}, {"text": b""}]


def test_text_that_is_missing():
    encoded = load_payload("text").encode(batch_of(text=["a", None, ""]))
    assert encoded.payloads.to_pylist() == [b"a", b""]
    assert encoded.starts.tolist() == [0, 2]
    assert encoded.rejects.column("reason").to_pylist() == ["missing_value"]


@pytest.mark.parametrize("rows", [batch_of(a=["x"]), batch_of(text=[1]), ROWS])
def test_text_is_one_column(rows):
    with pytest.raises(ConfigError, match="one column, 'text'"):
        load_payload("text").encode(rows)


def test_the_header_is_that_of_the_specification():
    # The specification's tests give 7275d51a3f395c8f as the fingerprint of "int".
    assert _header('"int"') == b"\xc3\x01" + bytes.fromhex("7275d51a3f395c8f")[::-1]


def test_avro_headers():
    schema = pa.schema([("n", pa.int64())])
    bare, headed = avro_of(schema), avro_of(schema, single_object=True)
    foreign = avro_of(pa.schema([("m", pa.int64())]), single_object=True)
    rows = batch_of(n=[5])
    payloads = [p.encode(rows).payloads[0].as_py() for p in (bare, headed, foreign)]
    assert [len(payload) for payload in payloads] == [2, 12, 11]
    assert read(bare, payloads[:2], schema) == [{"n": 5}] * 2
    found, rejects = decoded(headed, messages_of(payloads), schema)
    assert found.column("message_id").to_pylist() == ["m1"]
    assert rejects.column("reason").to_pylist() == ["unparsable"] * 2


def avro_record(**fields):
    named = [{"name": name, "type": type} for name, type in fields.items()]
    return Avro(json.dumps({"type": "record", "name": "R", "fields": named}))


def test_rows_that_an_avro_schema_has_not():
    suit = {"type": "enum", "name": "Suit", "symbols": ["CLUBS", "HEARTS"]}
    payload = avro_record(
        n="long", suit=["null", suit], m=["null", {"type": "map", "values": "int"}]
    )
    maps = pa.array([[("k", 1)], None, [("k", 1), ("k", 2)], [], None], pa.map_("string", "int32"))
    rows = batch_of(
        n=[1, None, 3, 4, 5], suit=["CLUBS", None, None, "SPADES", None], m=maps, more=[0] * 5
    )
    encoded = payload.encode(rows)
    assert encoded.starts.tolist() == [0, 4]
    assert len(encoded.payloads) == 2
    told = {(r["reason"], r["column"]) for r in encoded.rejects.to_pylist()}
    assert told == {("missing_value", "n"), ("wrong_type", None)}
    assert encoded.rejects.num_rows == 3
    schema = pa.schema([("suit", pa.string()), ("n", pa.int64())])
    found = read(payload, encoded.payloads.to_pylist(), schema)
    assert found == [{"suit": "CLUBS", "n": 1}, {"suit": None, "n": 5}]


def test_avro_times_and_decimals():
    rows = batch_of(
        at=pa.array([AT, None], pa.timestamp("us", "UTC")),
        day=[AT.date(), None],
        clock=pa.array([datetime.time(1, 2, 3), None], pa.time64("us")),
        price=pa.array(["1.50", None]).cast(pa.decimal128(9, 2)),
    )
    payload = avro_of(rows.schema)
    found = read(payload, payload.encode(rows).payloads.to_pylist(), rows.schema)
    assert found == rows.to_pylist()


@pytest.mark.parametrize(
    ("avsc", "told"),
    [("{", "not JSON"), ('"int"', "not a record"), ('{"type":"x"}', "not a valid")],
)
def test_what_is_no_avro_schema(avsc, told):
    with pytest.raises(ConfigError, match=told):
        Avro(avsc)


def test_rows_of_a_stream_are_rejected_alone():
    payload, schema = load_payload("arrow", attributes=("k",)), pa.schema([("n", pa.int8())])
    numbers = [[1, 300, 2], [], [400], [3]]
    payloads = [
        stream(batch_of(n=pa.array(some, pa.int64()))) if some else stream_of_none()
        for some in numbers
    ]
    rows, rejects = decoded(payload, messages_of(payloads), schema)
    assert rows.select(["n", "message_id", "k"]).to_pylist() == [
        {"n": 1, "message_id": "m0", "k": "v0"},
        {"n": 2, "message_id": "m0", "k": "v0"},
        {"n": 3, "message_id": "m3", "k": "v3"},
    ]
    assert rejects.column("reason").to_pylist() == ["overflow"] * 2
    assert rejects.column("source").to_pylist() == [f"{URI}#message=m{i}" for i in (0, 2)]
    again = read(
        payload, rejects.column("payloadBytes").to_pylist(), pa.schema([("n", pa.int64())])
    )
    assert again == [{"n": 300}, {"n": 400}]


def stream_of_none():
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, pa.schema([("n", pa.int64())])):
        pass
    return sink.getvalue().to_pybytes()


def test_streams_of_various_schemas():
    word = pa.array(["a", "b"]).dictionary_encode()
    other = pa.array(["c"]).dictionary_encode()
    batches = [
        batch_of(s=word),
        batch_of(s=other),
        batch_of(n=[1]),
        batch_of(s=["d"], n=[2.0]),
        with_source(batch_of(s=pa.array(["e"], pa.large_string())), "f", 1),
    ]
    schema = pa.schema([("n", pa.int64()), ("s", pa.string())])
    found = read(load_payload("arrow"), [stream(batch) for batch in batches], schema)
    assert [row["s"] for row in found] == ["a", "b", "c", None, "d", "e"]
    assert [row["n"] for row in found] == [None, None, None, 1, 2, None]


ENCODED = pa.RunEndEncodedArray.from_arrays([1, 2], ["5", "x"])
UNION = pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), ENCODED])
HALVES = pa.array([1.5, 2], pa.float16())
ODD = {"encoded": ENCODED, "union": UNION, "halves": HALVES}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("type", [pa.int64(), pa.list_(pa.int64()), pa.string()], ids=str)
def test_types_that_arrow_can_not_cast_do_no_harm(odd, type):
    schema = pa.schema([("n", pa.int64()), ("odd", type)])
    batches = [batch_of(n=[1]), batch_of(n=[2, 3], odd=odd), batch_of(n=[4])]
    payloads = [stream(batch) for batch in batches]
    payload = load_payload("arrow")
    rows, rejects = decoded(payload, messages_of(payloads), schema)
    assert rejects.num_rows in (0, 1, 2)
    kept = rows.column("n").to_pylist()
    assert (kept[0], kept[-1]) == (1, 4)
    assert rejects.num_rows or kept == [1, 2, 3, 4]
    found = read(payload, payloads, pa.schema([("n", pa.int64())]))
    assert [row["n"] for row in found] == [1, 2, 3, 4]


LONG = "x" * 20
VIEWS = {
    "texts": (pa.array([LONG, None, "b"], pa.string_view()), pa.string()),
    "lists": (pa.array([[1], None, [2, None]], pa.list_view(pa.int64())), pa.list_(pa.int64())),
    "nested": (
        pa.array([{"v": LONG}, None, {"v": None}], pa.struct([("v", pa.string_view())])),
        pa.struct([("v", pa.string())]),
    ),
}


@pytest.mark.parametrize(("views", "type"), VIEWS.values(), ids=VIEWS)
def test_views(views, type):
    schema, payload = pa.schema([("v", type)]), load_payload("arrow")
    payloads = [stream(batch_of(v=views)), stream(batch_of(v=views.slice(1)))]
    values = [row["v"] for row in read(payload, payloads, schema)]
    assert values == views.to_pylist() + views.slice(1).to_pylist()
    rows, rejects = decoded(payload, messages_of(payloads), pa.schema([("v", pa.date32())]))
    assert rows.num_rows + rejects.num_rows == 5


def test_a_view_that_leads_astray_where_its_value_is_null():
    # Arrow finds it valid, but its casts follow it, and crash.
    views = np.array([[1, 97, 0, 0], [99, 0, 7, 1 << 30]], np.int32).tobytes()
    buffers = [pa.py_buffer(b"\x01"), pa.py_buffer(views)]
    astray = pa.Array.from_buffers(pa.string_view(), 2, buffers)
    schema = pa.schema([("v", pa.string())])
    found = read(load_payload("arrow"), [stream(batch_of(v=astray))], schema)
    assert found == [{"v": "a"}, {"v": None}]


def test_a_name_that_is_not_utf8():
    payload = stream(batch_of(nnnn=[1], n=[{"mmmm": 1}]))
    payloads = [payload, payload.replace(b"nnnn", b"n\xffnn"), payload.replace(b"mmmm", b"\xffmmm")]
    schema = pa.schema([("nnnn", pa.int64())])
    rows, rejects = decoded(load_payload("arrow"), messages_of(payloads), schema)
    assert rows.column("message_id").to_pylist() == ["m0"]
    assert rejects.column("reason").to_pylist() == ["unparsable"] * 2


@pytest.mark.parametrize("name", ["arrow", "avro", "json", "tf_example"])
def test_columns_that_the_payload_lacks_are_null(name):
    schema = pa.schema([("more", pa.int64()), ("tags", pa.list_(pa.string()))])
    rows = batch_of(n=[1, 2])
    payload = KINDS[name].make(rows.schema)
    found = read(payload, payload.encode(rows).payloads.to_pylist(), schema)
    assert found == [{"more": None, "tags": None}] * 2


def test_a_long_stream_is_cut():
    rows = batch_of(s=["x" * 100] * 50 + ["y" * 5000] + ["z"])
    payload = load_payload("arrow", max_bytes=3000)
    encoded = payload.encode(rows)
    assert (encoded.starts[0], encoded.stops[-1]) == (0, 52)
    assert encoded.starts[1:].tolist() == encoded.stops[:-1].tolist()
    long = [len(p.as_py()) > 3000 for p in encoded.payloads]
    assert long == [start == 50 for start in encoded.starts]
    assert np.all((encoded.stops - encoded.starts)[long] == 1)
    assert read(payload, encoded.payloads.to_pylist(), rows.schema) == rows.to_pylist()


def test_a_stream_does_not_say_where_rows_were_read():
    rows = with_source(batch_of(n=list(range(1000))), "gs://secret/file.csv", 1)
    payload = stream(rows.slice(10, 2))
    assert b"secret" not in payload
    assert len(payload) < 1000


def test_unknown_names_and_settings():
    with pytest.raises(ConfigError, match=r"unknown payload 'xml'; known: arrow, avro"):
        load_payload("xml")
    with pytest.raises(ConfigError, match=r"payload avro: missing .*'avsc'"):
        load_payload("avro")
    with pytest.raises(ConfigError, match=r"payload json: .*unexpected.*'avsc'"):
        load_payload("json", avsc="{}")


def test_an_arrow_message_of_more_rows_than_can_be():
    """Nulls take no room: some bytes may claim two billions of them."""
    nulls = pa.RecordBatch.from_arrays([pa.nulls(2_000_000_000)], ["n"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, nulls.schema) as stream:
        stream.write_batch(nulls)
    payload = sink.getvalue().to_pybytes()
    assert len(payload) < 1000
    row = [payload, None, "m1", None, None]
    message = pa.RecordBatch.from_arrays(
        [pa.array([value], field.type) for value, field in zip(row, MESSAGES, strict=True)],
        schema=MESSAGES,
    )
    rows, rejects = Arrow().decode(message, pa.schema([("n", pa.int64())]), "pubsub://s")
    assert rows.num_rows == 0
    assert rejects["reason"].to_pylist() == ["oversized"]
