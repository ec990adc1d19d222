"""Messages into tables: each row once, or at least once, wherever the job is killed."""

import os
import random
import time
from collections import Counter

import grpc
import pytest

from tests.integration.bigquery.server import Server
from tests.integration.bigquery.tables import PROJECT
from tests.integration.pubsub import times
from tests.integration.streams import Job, Process, at, letters, payload, staged, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
KILLS = max(1, int(os.environ.get("MILLRACE_KILLS", "20")) // 4)
SCORED = f"{PROJECT}.taxi.scored"
FIELDS = [
    {"name": "n", "type": "FLOAT", "mode": "REQUIRED"},
    {"name": "name", "type": "STRING", "maxLength": "5"},
    {"name": "score", "type": "FLOAT"},
    {"name": "shout", "type": "STRING"},
    {"name": "model_version", "type": "STRING"},
    {"name": "time", "type": "STRING"},
]


@pytest.fixture
def server(monkeypatch):
    with Server().running() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        server.store.add(SCORED, fields=FIELDS)
        yield server


@pytest.fixture
def here(monkeypatch, tmp_path):
    """Runs jobs in a folder of their own, where they keep their logs."""
    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _numbers(server):
    return server.store.tables[SCORED].rows["n"].to_pylist()


def _seen(server, folder):
    """The rows in the table, and those that wait in the log."""
    return {row["n"] for row in staged(folder / SCORED)} | set(_numbers(server))


def test_rows_of_windows_are_there_once(pubsub, server, linear_model, here):
    """With rows that don't fit, one that the service alone refuses, and a broken connection."""
    channel = pubsub("table-once")
    writes = server.storage.writes
    writes.faults = [("after", grpc.StatusCode.UNAVAILABLE), ("close", None)]
    writes.refuses = lambda row: "no such place" if row["n"] == 77 else None
    payloads = [payload(n) for n in range(2000)]
    payloads[50] = payloads[50].replace(b'"x"', b'"far too long"')
    channel.publish(payloads, [at(n / 10) for n in range(2000)])
    job = Job(channel, linear_model, output=f"bq://{SCORED}", run_id="once", window=30)
    dead = here / "once.dead_letters"
    wait_until(job, lambda: len(_numbers(server)) >= 1500)
    told = job.drain()
    found = _numbers(server)
    assert not times(found)
    assert set(found) == set(range(2000)) - {13, 50, 77}
    assert Counter(each["reason"] for each in letters(dead)) == {
        "model_error": 1,
        "oversized": 1,
        "publish_error": 1,
    }
    assert "BigQuery refuses the row: no such place" in [
        each["errorMessage"] for each in letters(dead)
    ]
    assert "1,997 rows in" in told
    # All is in committed streams at offsets, and none of it by the default stream.
    assert all("/_default" not in each[0] and each[1] is not None for each in writes.requests)


def test_rows_are_there_at_once(pubsub, server, here):
    """By the default stream, into a table that is not there yet; ingest."""
    channel = pubsub("table-at-once")
    del server.store.tables[SCORED]
    server.storage.writes.faults = [("before", grpc.StatusCode.UNAVAILABLE), ("close", None)]
    (here / "s.json").write_text(
        '[{"name": "n", "type": "INTEGER"}, {"name": "name", "type": "STRING"}]'
    )
    flags = {"input": channel.source, "schema": "s.json", "run_id": "soon"}
    output = f"bq://{SCORED}?delivery=at_least_once&cluster=n"
    job = Process("ingest", **flags, output=output)
    channel.publish([payload(n) if n != 9 else b"{" for n in range(500)], None)
    wait_until(job, lambda: SCORED in server.store.tables and len(set(_numbers(server))) >= 499)
    told = job.drain()
    assert set(_numbers(server)) == set(range(500)) - {9}
    assert not times(_numbers(server))
    table = server.store.tables[SCORED]
    assert {"message_id", "publish_time"} < set(table.schema.names)
    assert table.more["clustering"] == {"fields": ["n"]}
    assert [each["reason"] for each in letters(here / "soon.dead_letters")] == ["unparsable"]
    assert "published to" in told


def test_killed_and_started_again(pubsub, server, linear_model, here):
    """At random moments, and while its rows are appended: each row once in the end."""
    channel, draw = pubsub("table-killed"), random.Random(3)
    settings = {"output": f"bq://{SCORED}", "run_id": "killed", "window": 5}
    settings["allowed_lateness"] = 3600
    writes, numbers = server.storage.writes, range(500 * KILLS + 1)
    for turn in range(KILLS):
        mine = numbers[500 * turn : 500 * (turn + 1)]
        channel.publish([payload(n) for n in mine], [at(n / 50) for n in mine])
        job = Job(channel, linear_model, **settings)
        if turn % 2:
            before = len(writes.requests)
            # Rows are in, and nobody knows: the answer never comes.
            writes.when = lambda request, job=job: job.process.kill()
            until = time.monotonic() + 60
            while len(writes.requests) == before and time.monotonic() < until:
                time.sleep(0.05)
            writes.when = lambda request: None
            assert len(writes.requests) > before
        else:
            time.sleep(draw.uniform(2.5, 8.0))
        job.kill()
        assert not times(_numbers(server)), "a row was appended twice"
    job = Job(channel, linear_model, **settings)
    # This one nobody but the last job has seen: when it is there, the job can be drained.
    channel.publish([payload(numbers[-1])], [at(numbers[-1] / 50)])
    wait_until(job, lambda: len(_seen(server, here)) >= len(numbers) - 1, 180)
    job.drain()
    found = _numbers(server)
    assert not times(found)
    assert set(found) == set(numbers) - {13}


REDACTION = """
inspect_config:
  info_types: [{name: EMAIL_ADDRESS}]
deidentify_config:
  info_type_transformations:
    transformations:
      - primitive_transformation: {replace_with_info_type_config: {}}
"""


def test_redacted_messages_and_their_dead_letters_are_in_tables(pubsub, server, here):
    """Each once, also after a kill; the dead letters become rows again by a replay."""
    channel = pubsub("table-redacted")
    dead = f"{PROJECT}.taxi.dead"
    (here / "s.json").write_text(
        '[{"name": "n", "type": "FLOAT"}, {"name": "name", "type": "STRING"}]'
    )
    (here / "policy.yaml").write_text(REDACTION)
    red = f"{PROJECT}.taxi.red"
    flags = {
        "input": f"{channel.source}?attributes=time",
        "schema": "s.json",
        "policy": "policy.yaml",
        "output": f"bq://{red}",
        "dead_letters": f"bq://{dead}",
        "event_time_column": "time",
        "max_disorder": 10,
        "idle_after": 600,
        "job_server_timeout": 2,
        "run_id": "red",
        "window": 5,
        "allowed_lateness": 3600,
    }
    mail = b'{"n": %d, "name": "ada%d@example.com"}'
    payloads = [mail % (n, n) if n % 50 else b"{broken" for n in range(300)]
    channel.publish(payloads, [at(n / 10) for n in range(300)])

    def tabled(name, column):
        table = server.store.tables.get(name)
        return table.rows[column].to_pylist() if table else []

    job = Process("redact", **flags)
    wait_until(job, lambda: len(tabled(red, "n")) >= 100, 120)
    job.kill()
    job = Process("redact", **flags)
    channel.publish([mail % (1000, 1000)], [at(31)])
    log = here / f".{red}.stream-red" / "log"
    wait_until(
        job, lambda: 1000 in {row["n"] for row in staged(here / red)} | set(tabled(red, "n")), 180
    )
    told = job.drain()
    assert log.parent.exists() or told
    found = tabled(red, "n")
    assert not times(found)
    assert set(found) == {float(n) for n in range(300) if n % 50} | {1000.0}
    assert set(tabled(red, "name")) == {"[EMAIL_ADDRESS]"}
    assert tabled(dead, "reason") == ["unparsable"] * 6
    assert tabled(dead, "run_id") == ["red"] * 6
    assert server.store.tables[dead].more["timePartitioning"]["field"] == "timestamp"
