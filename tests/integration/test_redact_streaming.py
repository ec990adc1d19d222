"""A stream that is redacted: to files and to a topic, killed and started again; nothing leaks."""

import base64
import json

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from tests.golden.planted import POLICY, leaks
from tests.integration.pubsub import times
from tests.integration.streams import Process, at, letters, manifests, staged, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

NOTES = ("write to bob@example.com", "call (415) 555-0132", "nothing", "amy@example.org")
REDACTED = ("write to [EMAIL_ADDRESS]", "call [PHONE_NUMBER]", "nothing", "[EMAIL_ADDRESS]")
MESSAGES = 20_000
COLUMNS = pa.schema(
    [("n", pa.int64()), ("card", pa.string()), ("note", pa.string()), ("message_id", pa.string())]
)


def payload(number):
    card = "4111111111111111" if number % 2 else "12"
    return json.dumps({"n": number, "card": card, "note": NOTES[number % 4]}).encode()


def expected(number):
    card = "************1111" if number % 2 else "12"
    return {"n": number, "card": card, "note": REDACTED[number % 4]}


@pytest.fixture
def given(tmp_path):
    """Returns where the policy and the schema of messages are, beside what jobs write."""
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "p.yaml").write_text(POLICY.replace("[name, note]", "[note]"))
    fields = [("n", "INTEGER"), ("card", "STRING"), ("note", "STRING")]
    schema = [{"name": name, "type": kind} for name, kind in fields]
    (folder / "s.json").write_text(json.dumps(schema))
    return folder


def job(name, given, channel, **flags):
    return Process(
        name,
        **{
            "input": f"{channel.source}?attributes=time",
            "policy": given / "p.yaml",
            "schema": given / "s.json",
            "event_time_column": "time",
            "window": 5,
            "max_disorder": 10,
            "idle_after": 600,
            "job_server_timeout": 2,
            **flags,
        },
    )


def rows_of(folder):
    if not folder.exists():
        return []
    return ds.dataset(folder, partitioning="hive", schema=COLUMNS).to_table().to_pylist()


def test_to_files_killed_and_started_again(pubsub, given, tmp_path):
    """Once a row is staged the job is killed; the next start goes on, and no row is lost or twice.

    Ids of messages, which look like numbers of phones, stay: by them nothing comes twice.
    """
    channel, left = pubsub("redacted"), tmp_path / "left"
    out = left / "out"
    broken = [b'{"note": "bob@example.com', b'{"n": "amy@example.org"}'] * 3
    channel.publish([*broken, *map(payload, range(MESSAGES))], [at(0)] * 6 + times_of(MESSAGES))
    settings = {"output": f"{out}/", "run_id": "killed", "allowed_lateness": 3600}
    running = job("redact", given, channel, **settings)
    wait_until(running, lambda: rows_staged(out))
    said = running.kill()
    assert not leaks(left, said=said)
    last = range(MESSAGES, MESSAGES + 500)
    channel.publish([payload(n) for n in last], times_of(500, MESSAGES))
    running = job("redact", given, channel, **settings)
    wait_until(running, lambda: len({row["n"] for row in rows_staged(out)}) == MESSAGES + 500, 150)
    said += running.drain()
    found = rows_of(out)
    assert not times(row.pop("message_id") for row in found)
    assert sorted(found, key=lambda row: row["n"]) == [expected(n) for n in range(MESSAGES + 500)]
    dead = letters(left / "out.dead_letters")
    assert len({letter["source"] for letter in dead}) == 6
    assert set(payloads(dead)) == {b'{"note": "[EMAIL_ADDRESS]', b'{"n": "[EMAIL_ADDRESS]"}'}
    assert len(manifests(out)) > 1
    assert not leaks(left, said=said)


def payloads(dead):
    """Returns the payloads of messages that could not be read."""
    return [base64.b64decode(letter["payloadBytes"]) for letter in dead]


def times_of(number, first=0):
    return [at((first + n) / 500) for n in range(number)]


def rows_staged(folder):
    """Rows that are committed, or wait in the log."""
    known = {row["n"]: row for row in rows_of(folder)}
    waiting = [row for row in staged(folder) if "note" in row]
    return [*known.values(), *waiting]


@pytest.mark.parametrize("name", ["redact", "ingest"])
def test_to_a_topic(pubsub, given, tmp_path, name):
    """A job that only moves messages redacts them as well, where a policy is given."""
    channel, into = pubsub(f"from-{name}"), pubsub(f"into-{name}")
    channel.publish([b"{broken amy@example.org", *map(payload, range(400))], [at(0)] * 401)
    dead = tmp_path / "left/dead"
    running = job(name, given, channel, output=into.sink, dead_letters=f"{dead}/")
    found = []
    wait_until(running, lambda: found.extend(into.drain(1.0)) or len(found) >= 400)
    said = running.drain()
    found += into.drain()
    rows = [json.loads(message.data) for message in found]
    shown = [{name: row[name] for name in ("n", "card", "note")} for row in rows]
    assert sorted(shown, key=lambda row: row["n"]) == [expected(n) for n in range(400)]
    assert payloads(letters(dead)) == [b"{broken [EMAIL_ADDRESS]"]
    attributes = [str(dict(message.attributes)) for message in found]
    assert not leaks(tmp_path / "left", said=said + "".join(attributes))
    assert not times(message.attributes["source_message_id"] for message in found)


def test_to_a_topic_killed_and_started_again(pubsub, given, tmp_path):
    """What was not acknowledged comes again: each row is at the topic at least once, redacted."""
    channel, into = pubsub("from-killed"), pubsub("into-killed")
    channel.publish([payload(n) for n in range(4_000)], times_of(4_000))
    settings = {"output": into.sink, "run_id": "killed", "dead_letters": f"{tmp_path}/left/dead/"}
    running = job("redact", given, channel, **settings)
    found = []
    wait_until(running, lambda: found.extend(into.drain(0.2)) or found)
    said = running.kill()
    channel.publish([payload(n) for n in range(4_000, 4_100)], times_of(100, 4_000))
    running = job("redact", given, channel, **settings)

    def numbers():
        return {json.loads(message.data)["n"] for message in found}

    wait_until(running, lambda: found.extend(into.drain(1.0)) or len(numbers()) == 4_100, 150)
    said += running.drain()
    found += into.drain()
    rows = [json.loads(message.data) for message in found]
    shown = [{name: row[name] for name in ("n", "card", "note")} for row in rows]
    assert all(row == expected(row["n"]) for row in shown)
    assert len(numbers()) == 4_100
    assert not leaks(tmp_path / "left", said=said)


def test_scores_of_messages_are_redacted(pubsub, given, tmp_path, linear_model):
    """The model is given the name as it is; what it makes of it is redacted."""
    channel, left = pubsub("scored-redacted"), tmp_path / "left"
    out = left / "out"
    (given / "p.yaml").write_text(POLICY.replace("[card]", "[]").replace("[name, note]", "[name]"))
    rows = [{"x": float(n), "y": 1.0, "name": "bob@example.com"} for n in range(200)]
    channel.publish([json.dumps(row).encode() for row in rows], [at(n) for n in range(200)])
    running = job(
        "score", given, channel, model=linear_model, output=f"{out}/", schema=schema_of(given)
    )
    wait_until(running, lambda: len(manifests(out)) >= 20)
    said = running.drain()
    found = ds.dataset(out, partitioning="hive").to_table(columns=["x", "name", "shout"])
    assert found.num_rows == 199
    assert set(found["shout"].to_pylist()) == set(found["name"].to_pylist()) == {"[EMAIL_ADDRESS]"}
    (letter,) = letters(left / "out.dead_letters")
    assert letter["reason"] == "model_error"
    assert json.loads(letter["payloadString"])["name"] == "[EMAIL_ADDRESS]"
    assert not leaks(left, said=said)


def schema_of(given):
    fields = [("x", "FLOAT"), ("y", "FLOAT"), ("name", "STRING")]
    path = given / "scored.json"
    path.write_text(json.dumps([{"name": name, "type": kind} for name, kind in fields]))
    return path


def test_findings_of_messages_killed_and_started_again(pubsub, given, tmp_path):
    """They appear by windows; a message that comes again after a kill has its findings once."""
    channel, left = pubsub("found"), tmp_path / "left"
    out, found = left / "out", left / "found"
    channel.publish([payload(n) for n in range(2_000)], times_of(2_000))
    settings = {"output": f"{out}/", "run_id": "found", "allowed_lateness": 3600}
    settings["findings"] = f"{found}/"
    running = job("redact", given, channel, **settings)
    wait_until(running, lambda: rows_staged(out))
    running.kill()
    channel.publish([payload(n) for n in range(2_000, 2_100)], times_of(100, 2_000))
    running = job("redact", given, channel, **settings)
    wait_until(running, lambda: len({row["n"] for row in rows_staged(out)}) == 2_100, 150)
    said = running.drain()
    rows = {row["message_id"]: row["n"] for row in rows_of(out)}
    assert sorted(rows.values()) == list(range(2_100))
    made = ds.dataset(found, partitioning="hive").to_table()
    wanted = [(n, "card", "CREDIT_CARD_NUMBER") for n in range(2_100) if n % 2]
    kinds = ("EMAIL_ADDRESS", "PHONE_NUMBER", None, "EMAIL_ADDRESS")
    wanted += [(n, "note", kinds[n % 4]) for n in range(2_100) if kinds[n % 4]]
    names = ("message_id", "column", "info_type")
    told = [tuple(each[name] for name in names) for each in made.select(names).to_pylist()]
    assert sorted((rows[of], *rest) for of, *rest in told) == sorted(wanted)
    assert made["quote"].null_count == len(made)
    assert {row["window_start"] for row in made.to_pylist()} == {
        row.name.removeprefix("window_start=") for row in found.glob("window_start=*")
    }
    assert "findings" in said
    assert "CREDIT_CARD_NUMBER" in said
    assert not leaks(left, said=said)
