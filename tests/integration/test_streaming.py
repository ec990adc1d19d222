"""The score job on messages: every one is accounted for, also where the job is killed."""

import json
import os
import random
import time

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from tests.integration.pubsub import times
from tests.integration.streams import (
    Job,
    Process,
    at,
    letters,
    manifests,
    payload,
    rows_of,
    staged,
    wait_until,
)
from transforms.commit.stream.panes import iso
from transforms.windows.assign import cut_windows

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

MESSAGES = int(os.environ.get("MILLRACE_MESSAGES", "10000"))
KILLS = int(os.environ.get("MILLRACE_KILLS", "20"))


def test_every_message_is_accounted_for(pubsub, linear_model, tmp_path):
    """Of the messages 1 % are broken, 2 % come twice, 5 % out of order, and 50 too late."""
    channel, draw = pubsub("accounted"), random.Random(1)
    numbers = list(range(MESSAGES))
    seconds = [600 * n / MESSAGES - (draw.uniform(0, 8) if n % 20 == 3 else 0) for n in numbers]
    broken, twice = set(numbers[50::100]), set(numbers[7::50])
    sent = [n for n in numbers for _ in range(1 + (n in twice))]
    payloads = [b"{broken" if n in broken else payload(n) for n in sent]
    channel.publish(payloads, [at(max(0, seconds[n])) for n in sent])
    out = tmp_path / "out"
    job = Job(channel, linear_model, output=f"{out}/", dedup_key="n", late="dead_letters")
    wait_until(job, lambda: len(manifests(out)) >= 9)
    late = range(MESSAGES, MESSAGES + 50)
    channel.publish([payload(n) for n in late], [at(1)] * 50)
    dead = tmp_path / "out.dead_letters"
    wait_until(job, lambda: "late" in [letter["reason"] for letter in staged(dead)])
    told = job.drain()
    whole = set(numbers) - broken - {13}
    found = rows_of(out)
    assert sorted(row["n"] for row in found) == sorted(whole)
    reasons = [letter["reason"] for letter in letters(dead)]
    assert {reason: reasons.count(reason) for reason in set(reasons)} == {
        "unparsable": len(broken) + len(broken & twice),
        "late": 50,
        "model_error": 1,
    }
    assert f"{len(sent) + 50:,}" in told.split("messages")[1].splitlines()[0]
    assert f"{len(twice - broken):,}" in told.split("duplicates")[1].splitlines()[0]
    of_windows = {}
    for manifest in manifests(out):
        rows = ds.dataset(manifest["file"]).to_table()
        assert rows.num_rows == manifest["rows"]
        of_windows.setdefault(manifest["window"][0], []).extend(scores(rows))
    in_batch = [{**json.loads(payload(n)), **at(max(0, seconds[n]))} for n in sorted(whole | {13})]
    assert {start: sorted(rows) for start, rows in of_windows.items()} == batch_of(
        in_batch, linear_model, tmp_path
    )


def scores(rows):
    return list(zip(*(rows[name].to_pylist() for name in ("n", "score", "shout")), strict=True))


def batch_of(rows, model, folder):
    """The same rows as a file, scored by a run that ends, and then cut at the edges of minutes."""
    (folder / "in.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    settings = {"input": folder / "in.jsonl", "output": f"{folder}/batch/"}
    Process("score", model=model, map="x=n;y=n", **settings).ended(0)
    scored = ds.dataset(folder / "batch").to_table()
    times = scored["time"].cast(pa.timestamp("us", "UTC"))
    scored = scored.set_column(scored.column_names.index("time"), "time", times)
    (batch,) = scored.combine_chunks().to_batches()
    return {
        iso(start): sorted(scores(part))
        for (start, _), part in cut_windows(batch, "time", 60_000_000)
    }


def test_killed_at_random_moments_nothing_is_lost_or_twice(pubsub, linear_model, tmp_path):
    channel, draw = pubsub("killed"), random.Random(2)
    numbers = range(500 * KILLS + 1)
    out = tmp_path / "out"
    # What a killed job held comes when its leases end: late, but not too late.
    settings = {"output": f"{out}/", "run_id": "killed", "window": 5, "allowed_lateness": 3600}
    for turn in range(KILLS):
        mine = numbers[500 * turn : 500 * (turn + 1)]
        channel.publish([payload(n) for n in mine], [at(n / 50) for n in mine])
        job = Job(channel, linear_model, **settings)
        time.sleep(draw.uniform(2.5, 8.0))
        job.kill()
        seen = [row["n"] for row in rows_of(out)]
        assert not times(seen), "a row was committed twice"
    job = Job(channel, linear_model, **settings)
    # This one nobody but the last job has seen: when it is there, the job can be drained.
    channel.publish([payload(numbers[-1])], [at(numbers[-1] / 50)])
    wait_until(job, lambda: len({row["n"] for row in staged(out)}) >= len(numbers) - 1, 180)
    job.drain()
    found = [row["n"] for row in rows_of(out)]
    assert not times(found)
    dead = {json.loads(x["payloadString"])["n"] for x in letters(tmp_path / "out.dead_letters")}
    assert dead == {13}
    assert set(found) == set(map(float, numbers)) - dead


def test_after_a_kill_nothing_is_late_that_was_in_time_before(pubsub, linear_model, tmp_path):
    """What the killed job held comes after messages of later windows, and may not be late."""
    channel, out = pubsub("held"), tmp_path / "out"
    channel.publish([payload(n) for n in range(60_000)], [at(n / 1000) for n in range(60_000)])
    settings = {"output": f"{out}/", "run_id": "held", "window": 5}
    job = Job(channel, linear_model, **settings)
    wait_until(job, lambda: staged(out))
    job.kill()
    assert len({row["n"] for row in staged(out)}) < 59_999, "it held none"
    later = range(60_000, 60_500)
    channel.publish([payload(n) for n in later], [at(n) for n in later])
    job = Job(channel, linear_model, **settings)
    wait_until(job, lambda: len({row["n"] for row in staged(out)}) >= 60_499, 150)
    told = job.drain()
    assert "run held goes on after a kill: windows wait 75 s" in told
    assert "late, dropped  0\n" in told
    found = [row["n"] for row in rows_of(out)]
    assert not times(found)
    assert set(found) == set(map(float, range(60_500))) - {13}


def test_messages_of_megabytes(pubsub, linear_model, tmp_path):
    """gRPC takes answers of 4 MiB unless told otherwise, and one pull may bring many messages."""
    channel, out = pubsub("large"), tmp_path / "out"
    large = json.dumps({"n": 1, "name": "x" * 5_000_000}).encode()
    channel.publish([large, payload(2)], [at(0), at(1)])
    some = [json.dumps({"n": n, "name": "y" * 60_000}).encode() for n in range(3, 13)]
    channel.publish(some * 10, [at(2)] * 100)
    job = Job(channel, linear_model, output=f"{out}/", dedup_key="n")
    wait_until(job, lambda: len(staged(out)) >= 12)
    job.drain()
    assert sorted(row["n"] for row in rows_of(out)) == list(range(1, 13))


def test_raw_messages_are_transformed_and_scored_in_one_call(pubsub, graph_uri, tmp_path):
    """Rows that the graph fails on are found among the others, as in a file."""
    import tensorflow as tf

    module = tf.Module()
    spec = tf.TensorSpec([None], tf.float32, "fare_scaled")
    module.serve = tf.function(lambda fare_scaled: {"y": 2 * fare_scaled}, input_signature=[spec])
    model = f"{tmp_path}/model"
    tf.saved_model.save(module, model, signatures={"serving_default": module.serve})
    channel, out = pubsub("raw"), tmp_path / "out"
    fares = [-1.0 if n % 100 == 13 else 5 + n / 64 for n in range(1000)]
    payloads = [json.dumps({"fare": fare}).encode() for fare in fares]
    channel.publish(payloads, [at(n / 10) for n in range(1000)])
    job = Job(channel, model, output=f"{out}/", transform_graph=graph_uri, map="")
    dead = tmp_path / "out.dead_letters"
    schema = pa.schema([("fare", pa.float32()), ("y", pa.float32())])
    wait_until(job, lambda: len(staged(out)) + len(staged(dead)) >= 1000)
    job.drain()
    rows = ds.dataset(out, partitioning="hive", schema=schema).to_table().to_pylist()
    found = sorted(rows, key=lambda row: row["fare"])
    assert [row["fare"] for row in found] == [fare for fare in fares if fare != -1]
    assert [row["y"] for row in found] == pytest.approx([(f - 5) / 10 for f in fares if f != -1])
    letters_of = [(json.loads(x["payloadString"])["fare"], x["reason"]) for x in letters(dead)]
    assert letters_of == [(-1.0, "model_error")] * 10


def test_from_topic_to_topic(pubsub, linear_model, tmp_path):
    channel, out = pubsub("from"), pubsub("into")
    channel.publish([payload(n) for n in range(2000)], [at(n) for n in range(2000)])
    dead = f"{tmp_path}/dead/"
    job = Job(
        channel, linear_model, output=f"{out.sink}?attributes=model_version", dead_letters=dead
    )
    found = []
    wait_until(job, lambda: found.extend(out.drain(1.0)) or len(found) >= 1999)
    job.drain()
    found += out.drain()
    rows = [json.loads(message.data) for message in found]
    assert sorted(row["n"] for row in rows) == [n for n in range(2000) if n != 13]
    assert {message.attributes["model_version"] for message in found} != {""}
    assert not times(message.attributes["source_message_id"] for message in found)
    assert [letter["reason"] for letter in letters(tmp_path / "dead")] == ["model_error"]
