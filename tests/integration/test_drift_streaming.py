"""The drift job on messages: the verdicts of each window are those of the same rows from files."""

import json
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from tests.integration.streams import START, Job, Process, at, letters, manifests, wait_until
from transforms.drift.judging.verdicts import VERDICTS
from transforms.drift.make import build_baseline
from transforms.drift.quality.judge import QUALITY
from transforms.drift.quality.sums import Quality

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

WINDOWS, ROWS = 6, 400
MOVED = (3,)


def trips(seed, windows, moved=()):
    """Rows of some minutes, in order; in some of them the fare is another one."""
    draw = np.random.default_rng(seed)
    within = np.sort(draw.integers(0, 60_000, (windows, ROWS)) / 1000)
    seconds = (within + 60 * np.arange(windows)[:, None]).ravel()
    shift = np.isin(seconds // 60, moved) * 1.0
    return [
        {"second": second, "fare": fare, "kind": kind}
        for second, fare, kind in zip(
            seconds.tolist(),
            (draw.normal(0, 1, len(seconds)) + shift).tolist(),
            draw.choice(["Cash", "Card"], len(seconds)).tolist(),
            strict=True,
        )
    ]


def stored(rows, path):
    """The same rows as a file, with their times."""
    micros = [round((START + row["second"]) * 10**6) for row in rows]
    pq.write_table(
        pa.table(
            {
                "time": pa.array(micros, pa.timestamp("us", "UTC")),
                "fare": [row["fare"] for row in rows],
                "kind": [row["kind"] for row in rows],
            }
        ),
        path,
    )
    return path


def payload(row):
    return json.dumps({"fare": row["fare"], "kind": row["kind"]}).encode()


def verdicts(folder):
    """What is in a folder, by window, slice and column; without what tells how it came."""
    if not folder.exists():
        return pa.Table.from_batches([], VERDICTS)
    found = ds.dataset(folder, schema=VERDICTS, format="parquet").to_table()
    keys = [(name, "ascending") for name in ("window_start", "slice", "column")]
    return found.sort_by(keys).drop_columns(["timing"])


@pytest.fixture
def known(tmp_path):
    """A baseline, of an hour, that knows how far minutes differ."""
    rows = stored(trips(1, 60), tmp_path / "train.parquet")
    flags = {"event_time_column": "time", "window": "1m", "slices": "kind"}
    Process("baseline", input=rows, output=f"{tmp_path}/known/", **flags).ended(0)
    return tmp_path / "known"


@pytest.fixture
def of_files(known, tmp_path):
    """Tells the verdicts of rows from a file."""

    def judged(rows):
        day = stored(rows, tmp_path / "day.parquet")
        flags = {"event_time_column": "time", "window": "1m", "baseline": known}
        Process("drift", input=day, output=f"{tmp_path}/of_files/", **flags).ended(0)
        return pq.read_table(tmp_path / "of_files/verdicts.parquet")

    return judged


def job(channel, known, out, **flags):
    return Process(
        "drift",
        **{
            "input": f"{channel.source}?attributes=time",
            "baseline": known,
            "output": f"{out}/",
            "event_time_column": "time",
            "window": "1m",
            "max_disorder": "10s",
            "idle_after": "10m",
            "job_server_timeout": 2,
            **flags,
        },
    )


def test_messages_get_the_verdicts_of_the_same_rows_in_files(pubsub, known, of_files, tmp_path):
    """Windows end one after the other; the last one when the job is drained."""
    channel, out = pubsub("drift"), tmp_path / "out"
    rows = trips(2, WINDOWS, MOVED)
    broken = [b"{broken"] * 3
    channel.publish(
        [*broken, *(payload(row) for row in rows)],
        [at(0)] * 3 + [at(row["second"]) for row in rows],
    )
    running = job(channel, known, out)
    wait_until(running, lambda: len(manifests(out)) == WINDOWS - 1)
    before = verdicts(out)
    told = running.drain()
    found = verdicts(out)
    expected = of_files(rows)
    keys = [(name, "ascending") for name in ("window_start", "slice", "column")]
    assert found.equals(expected.sort_by(keys).drop_columns(["timing"]))
    last = found["window_start"].to_pylist()[-1]
    assert before.equals(found.filter(pa.compute.less(found["window_start"], last)))
    whole = [row for row in found.to_pylist() if not row["slice"]]
    assert [row["rows"] for row in whole] == [ROWS] * (2 * WINDOWS)
    first = whole[0]["window_start"]
    drifted = {
        ((row["window_start"] - first) // timedelta(minutes=1), row["column"])
        for row in whole
        if row["status"] == "DRIFT"
    }
    assert drifted == {(minute, "fare") for minute in MOVED}
    reasons = [letter["reason"] for letter in letters(tmp_path / "out.dead_letters")]
    assert reasons == ["unparsable"] * 3
    assert f"{len(rows) + 3:,}" in told


def test_incidents_are_told_to_a_topic_and_to_a_folder(pubsub, known, tmp_path):
    """A shift of two minutes is one incident, and recovers."""
    channel, alerts, out = pubsub("shifted"), pubsub("alerts"), tmp_path / "out"
    rows = trips(5, 8, (1, 2))
    channel.publish([payload(row) for row in rows], [at(row["second"]) for row in rows])
    running = job(channel, known, out, alerts=f"{alerts.sink}?format=json")
    wait_until(running, lambda: len(manifests(out)) == 7)
    told = [json.loads(message.data) for message in alerts.drain()]
    running.drain()
    whole = [each for each in told if not each["slice"]]
    assert [(each["event"], each["column"]) for each in whole] == [
        ("OPENED", "fare"),
        ("RECOVERED", "fare"),
    ]
    assert len({each["incident_id"] for each in whole}) == 1
    day = stored(rows, tmp_path / "day.parquet")
    flags = {"event_time_column": "time", "window": "1m", "baseline": known}
    Process("drift", input=day, output=f"{tmp_path}/of_files/", **flags).ended(0)
    of_files = pq.read_table(tmp_path / "of_files/incidents.parquet").to_pylist()
    ids = {each["event_id"] for each in of_files}
    assert {each["event_id"] for each in told} == ids


def test_scored_messages_are_compared_as_they_go(pubsub, linear_model, tmp_path):
    """Verdicts are of longer windows than those in which rows are written."""
    channel, out = pubsub("scored"), tmp_path / "out"
    draw = np.random.default_rng(7)
    known = draw.normal(size=4000)
    made = build_baseline([pa.RecordBatch.from_pydict({"n": known, "score": 3 * known})])
    (tmp_path / "base.json").write_bytes(made.to_bytes())
    numbers = [*draw.normal(size=600), *draw.normal(2, 1, 600)]
    seconds = np.linspace(0, 239, 1200).tolist()
    rows = [json.dumps({"n": n, "name": "x"}).encode() for n in numbers]
    channel.publish(rows, [at(second) for second in seconds])
    drift = tmp_path / "drift"
    watched = {"baseline": tmp_path / "base.json", "drift_output": f"{drift}/"}
    watched |= {"drift_window": "2m", "alerts": f"{tmp_path}/alerts/"}
    running = Job(channel, linear_model, output=f"{out}/", window="30s", **watched)
    wait_until(running, lambda: len(manifests(out)) >= 6)
    running.drain()
    first = sum(second < 120 for second in seconds)
    found = [row for row in verdicts(drift).to_pylist() if row["status"] != "NEW_COLUMN"]
    assert [(row["column"], row["status"], row["rows"]) for row in found] == [
        ("n", "OK", first),
        ("score", "OK", first),
        ("n", "DRIFT", 1200 - first),
        ("score", "DRIFT", 1200 - first),
    ]
    assert sum(manifest["rows"] for manifest in manifests(out)) == 1200


def test_sliding_windows_of_messages(pubsub, known, tmp_path):
    """Those that overlap hold what they would of files; a minute without rows has verdicts too."""
    channel, out = pubsub("sliding"), tmp_path / "out"
    rows = [row for row in trips(8, 8, (6,)) if not 120 <= row["second"] < 300]
    channel.publish([payload(row) for row in rows], [at(row["second"]) for row in rows])
    sliding = {"window": "1m", "period": "30s"}
    running = job(channel, known, out, **sliding)
    wait_until(running, lambda: len(manifests(out)) >= 3)
    running.drain()
    day = stored(rows, tmp_path / "day.parquet")
    flags = {"event_time_column": "time", "baseline": known, **sliding}
    Process("drift", input=day, output=f"{tmp_path}/of_files/", **flags).ended(0)
    expected = pq.read_table(tmp_path / "of_files/verdicts.parquet")
    keys = [(name, "ascending") for name in ("window_start", "slice", "column")]
    assert verdicts(out).equals(expected.sort_by(keys).drop_columns(["timing"]))
    assert "NO_DATA" in set(expected["status"].to_pylist())


def test_labels_that_come_as_messages(pubsub, tmp_path):
    """Each window is measured once, when its labels had time to come."""
    rows, labels, out = pubsub("rows"), pubsub("labels"), tmp_path / "out"
    draw = np.random.default_rng(9)
    score = draw.beta(0.7, 0.7, 3000)
    tip = (draw.random(3000) < score).astype(int)
    base = build_baseline(
        [pa.RecordBatch.from_pydict({"score": score, "tip": tip})],
        quality=Quality("binary", "score", "tip"),
    )
    (tmp_path / "base.json").write_bytes(base.to_bytes())
    seconds = np.linspace(0, 299, 3000).tolist()
    sent = [
        json.dumps({"id": f"{place:04}", "score": value}).encode()
        for place, value in enumerate(score.tolist())
    ]
    late = [
        json.dumps({"id": f"{place:04}", "tip": value}).encode()
        for place, value in enumerate(tip.tolist())
    ]
    labels.publish(late[:2700])
    fields = [{"name": "id", "type": "STRING"}, {"name": "tip", "type": "INTEGER"}]
    (tmp_path / "labels.json").write_text(json.dumps(fields))
    fields[1] = {"name": "score", "type": "FLOAT"}
    (tmp_path / "rows.json").write_text(json.dumps(fields))
    flags = {
        "schema": tmp_path / "rows.json",
        "label_input": labels.source,
        "label_schema": tmp_path / "labels.json",
        "label_key": "id",
        "label_wait": "1m",
        "quality_output": f"{tmp_path}/quality/",
    }
    running = job(rows, tmp_path / "base.json", out, **flags)
    # What is still in the subscription when the job is drained is not joined.
    wait_until(running, labels.taken)
    rows.publish(sent, [at(second) for second in seconds])
    wait_until(running, lambda: len(manifests(out)) >= 4)
    running.drain()
    found = ds.dataset(tmp_path / "quality", schema=QUALITY, format="parquet").to_table()
    found = found.sort_by("window_start").to_pylist()
    counts = np.bincount((np.array(seconds) // 60).astype(int)).tolist()
    assert [row["rows"] for row in found] == counts
    assert sum(row["labelled"] for row in found) == 2700
    assert [row["status"] for row in found][:4] == ["OK"] * 4
    page = (out / "_millrace/report.html").read_text()
    assert "Estimated without labels" in page


def test_killed_twice_it_tells_what_it_would_have_told(pubsub, known, of_files, tmp_path):
    """Counts of open windows and incidents survive; what it held comes again, and counts once."""
    channel, out, alerts = pubsub("killed_drift"), tmp_path / "out", tmp_path / "alerts"
    rows = trips(5, 10, (1, 2, 3))
    flags = {"run_id": "killed", "alerts": f"{alerts}/"}

    def publish(start, end):
        mine = [row for row in rows if start <= row["second"] < end]
        channel.publish([payload(row) for row in mine], [at(row["second"]) for row in mine])

    publish(0, 230)
    first = job(channel, known, out, **flags)
    wait_until(first, lambda: len(manifests(out)) == 3)
    wait_until(first, lambda: list((out / "_millrace/windows/log").glob("*.arrow")))
    first.kill()
    assert verdicts(out).num_rows, "some windows were over"
    publish(230, 450)
    second = job(channel, known, out, **flags)
    # It holds what comes: windows wait for the messages that the first one had pulled.
    wait_until(second, lambda: len(list((out / "_millrace/windows/log").glob("*.arrow"))) > 1)
    second.kill()
    assert len(manifests(out)) == 3
    publish(450, 600)
    third = job(channel, known, out, **flags)
    wait_until(third, lambda: len(manifests(out)) >= 9, 180)
    told = third.drain()
    assert "goes on after a kill" in told
    expected = of_files(rows)
    keys = [(name, "ascending") for name in ("window_start", "slice", "column")]
    assert verdicts(out).equals(expected.sort_by(keys).drop_columns(["timing"]))
    whole = pq.read_table(tmp_path / "of_files/incidents.parquet")
    events = ds.dataset(alerts, schema=whole.schema, format="parquet").to_table()
    assert events.sort_by("event_id").equals(whole.sort_by("event_id"))
    assert {"OPENED", "RECOVERED"} <= set(events["event"].to_pylist())
    page = (out / "_millrace/report.html").read_text()
    assert (
        page.split("<main")[1] == (tmp_path / "of_files/report.html").read_text().split("<main")[1]
    )
    assert "millrace_drift_adjusted_psi{" in (out / "_millrace/metrics.prom").read_text()


def test_a_backlog_of_labels_is_joined(pubsub, tmp_path):
    """A hundred thousand labels wait when the job starts: windows wait until they are read."""
    rows, labels, out = pubsub("many_rows"), pubsub("many_labels"), tmp_path / "out"
    number, draw = 100_000, np.random.default_rng(11)
    score = draw.beta(0.7, 0.7, number)
    tip = (draw.random(number) < score).astype(int)
    base = build_baseline(
        [pa.RecordBatch.from_pydict({"score": score, "tip": tip})],
        quality=Quality("binary", "score", "tip"),
    )
    (tmp_path / "base.json").write_bytes(base.to_bytes())
    order = draw.permutation(number).tolist()
    texts = tip.tolist()
    labels.publish([json.dumps({"id": f"{n:06}", "tip": texts[n]}).encode() for n in order])
    # Windows from here on wait for labels until after all were published.
    told_by = time.time()
    seconds = np.linspace(-5, 54.9, number)
    rows.publish(
        [
            json.dumps({"id": f"{n:06}", "score": each}).encode()
            for n, each in enumerate(score.tolist())
        ],
        [{"time": datetime.fromtimestamp(told_by + s, UTC).isoformat()} for s in seconds.tolist()],
    )
    fields = [{"name": "id", "type": "STRING"}, {"name": "tip", "type": "INTEGER"}]
    (tmp_path / "labels.json").write_text(json.dumps(fields))
    fields[1] = {"name": "score", "type": "FLOAT"}
    (tmp_path / "rows.json").write_text(json.dumps(fields))
    flags = {
        "schema": tmp_path / "rows.json",
        "label_input": labels.source,
        "label_schema": tmp_path / "labels.json",
        "label_key": "id",
        "label_wait": "10s",
        "window": "10s",
        "idle_after": "20s",
        "quality_output": f"{tmp_path}/quality/",
    }
    running = job(rows, tmp_path / "base.json", out, **flags)

    def measured():
        there = tmp_path / "quality"
        found = ds.dataset(there, schema=QUALITY, format="parquet").to_table().to_pylist()
        return [row for row in found if row["window_start"].timestamp() >= told_by]

    wait_until(running, lambda: (tmp_path / "quality").exists() and len(measured()) >= 3, 300)
    before = measured()
    running.drain()
    assert {row["coverage"] for row in before} == {1.0}
    assert {row["status"] for row in before} == {"OK"}
    assert sum(row["rows"] for row in measured()) > number * 0.7


def test_killed_with_labels_it_measures_what_it_would_have_measured(pubsub, tmp_path):
    """Predictions and labels that were read and acknowledged are joined by the next start."""
    rows, labels, out = pubsub("killed_rows"), pubsub("killed_labels"), tmp_path / "out"
    draw = np.random.default_rng(12)
    score = draw.beta(0.7, 0.7, 6000)
    tip = (draw.random(6000) < score).astype(int)
    base = build_baseline(
        [pa.RecordBatch.from_pydict({"score": score, "tip": tip})],
        quality=Quality("binary", "score", "tip"),
    )
    (tmp_path / "base.json").write_bytes(base.to_bytes())
    # Twenty seconds in which many labels are others.
    wrong = np.isin(np.arange(6000) // 1000, (1, 2)) & (draw.random(6000) < 0.3)
    told = np.where(wrong, 1 - tip, tip).tolist()
    fields = [{"name": "id", "type": "STRING"}, {"name": "tip", "type": "INTEGER"}]
    (tmp_path / "labels.json").write_text(json.dumps(fields))
    fields[1] = {"name": "score", "type": "FLOAT"}
    (tmp_path / "rows.json").write_text(json.dumps(fields))

    # Labels come when they are published: so rows are of now.
    start_of = time.time() // 10 * 10

    def publish(start, end):
        some = range(start, end)
        ids = [f"{n:04}" for n in some]
        labels.publish(
            [json.dumps({"id": i, "tip": told[n]}).encode() for i, n in zip(ids, some, strict=True)]
        )
        rows.publish(
            [
                json.dumps({"id": i, "score": float(score[n])}).encode()
                for i, n in zip(ids, some, strict=True)
            ],
            [{"time": datetime.fromtimestamp(start_of + n * 0.01, UTC).isoformat()} for n in some],
        )

    flags = {
        "run_id": "killed",
        "schema": tmp_path / "rows.json",
        "label_input": labels.source,
        "label_schema": tmp_path / "labels.json",
        "label_key": "id",
        "label_wait": "30s",
        "window": "10s",
        "idle_after": "5s",
        "quality_output": f"{tmp_path}/quality/",
        "alerts": f"{tmp_path}/alerts/",
    }
    publish(0, 3500)
    first = job(rows, tmp_path / "base.json", out, **flags)
    wait_until(first, lambda: manifests(tmp_path / "quality") and labels.taken())
    first.kill()
    publish(3500, 6000)
    second = job(rows, tmp_path / "base.json", out, **flags)
    wait_until(second, lambda: len(manifests(tmp_path / "quality")) >= 3, 240)
    wait_until(second, labels.taken)
    second.drain()
    found = ds.dataset(tmp_path / "quality", schema=QUALITY, format="parquet").to_table()
    found = found.sort_by("window_start").to_pylist()
    assert [(row["rows"], row["labelled"]) for row in found] == [(1000, 1000)] * 6
    assert [row["status"] for row in found] == ["OK"] + ["SUSPECT"] * 2 + ["OK"] * 3
    events = ds.dataset(tmp_path / "alerts", format="parquet").to_table().to_pylist()
    errors = [each for each in events if each["verdict_id"] in {r["quality_id"] for r in found}]
    assert [each["event"] for each in errors] == ["OPENED", "RECOVERED"]
