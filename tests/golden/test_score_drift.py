"""A scoring job that watches for drift as it goes; it changes nothing else."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from beam_jobs import baseline, score

HOUR = 3600 * 10**6


def run(job, **flags):
    return job.main([f"--{name}={value}" for name, value in flags.items()])


def trips(path, hours, seed, moved=(), untimed=0):
    draw, parts = np.random.default_rng(seed), []
    for hour in range(hours):
        times = np.sort(draw.integers(hour * HOUR, (hour + 1) * HOUR, 400))
        parts.append(
            pa.table(
                {
                    "time": pa.array(times, pa.timestamp("us")),
                    "x": draw.normal(3.0 if hour in moved else 0.0, 1, 400),
                    "y": draw.normal(0, 1, 400),
                    "name": draw.choice(["ann", "bob"], 400),
                }
            )
        )
    table = pa.concat_tables(parts)
    lost = pa.array(np.arange(len(table)) < untimed)
    time = pa.compute.if_else(lost, pa.scalar(None, pa.timestamp("us")), table["time"])
    pq.write_table(table.set_column(0, "time", time), path)
    return path


@pytest.fixture
def known(linear_model, tmp_path):
    """A baseline of scored rows."""
    train = trips(tmp_path / "train.parquet", 40, 1)
    out = tmp_path / "train_scored"
    assert run(score, input=train, model=linear_model, output=f"{out}/") == 0
    flags = {"event_time_column": "time", "window": "1h"}
    assert run(baseline, input=f"{out}/", output=tmp_path / "known", **flags) == 0
    return tmp_path / "known"


def scored(folder):
    return ds.dataset(folder).to_table().sort_by("time")


def test_features_and_predictions_are_compared(known, linear_model, tmp_path):
    day = trips(tmp_path / "day.parquet", 9, 2, moved=(3, 4), untimed=5)
    flags = {"input": day, "model": linear_model}
    assert run(score, output=f"{tmp_path}/plain/", **flags) == 0
    watched = {"baseline": known, "drift_output": f"{tmp_path}/drift/"}
    watched |= {"event_time_column": "time", "alerts": tmp_path / "alerts.jsonl"}
    assert run(score, output=f"{tmp_path}/out/", **watched, **flags) == 0
    assert scored(tmp_path / "out").equals(scored(tmp_path / "plain"))
    verdicts = pq.read_table(tmp_path / "drift/verdicts.parquet").to_pylist()
    drifted = {
        (round(row["window_start"].timestamp()) // 3600, row["column"])
        for row in verdicts
        if row["status"] == "DRIFT"
    }
    assert drifted == {(hour, name) for hour in (3, 4) for name in ("x", "score")}
    by_hour = {row["window_start"]: row["rows"] for row in verdicts}
    assert sorted(by_hour.values()) == [395, *[400] * 8], "those without a time are in no window"
    events = [json.loads(line) for line in (tmp_path / "alerts.jsonl").read_text().splitlines()]
    assert sorted((each["column"], each["event"]) for each in events) == [
        ("score", "OPENED"),
        ("score", "RECOVERED"),
        ("x", "OPENED"),
        ("x", "RECOVERED"),
    ]
    assert (tmp_path / "drift/report.html").exists()
    counts = json.loads((tmp_path / "out/_millrace/run.json").read_text())["counts"]
    assert (counts["rows_in"], counts["rows_out"], counts["rows_dead"]) == (3600, 3600, 0)


def test_columns_that_are_not_kept_are_compared_too(known, linear_model, tmp_path):
    day = trips(tmp_path / "day.parquet", 1, 3)
    watched = {"baseline": known, "drift_output": f"{tmp_path}/drift/", "keep_columns": "name"}
    assert run(score, input=day, model=linear_model, output=f"{tmp_path}/out/", **watched) == 0
    names = ds.dataset(tmp_path / "out").schema.names
    assert names == ["name", "score", "shout", "model_version"]
    verdicts = pq.read_table(tmp_path / "drift/verdicts.parquet").to_pylist()
    status = {row["column"]: row["status"] for row in verdicts}
    assert status.pop("time", "NEW_COLUMN") == "NEW_COLUMN"
    assert set(status) == {"x", "y", "name", "score", "shout", "model_version"}
    assert set(status.values()) == {"OK"}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"drift_output": "drift/"}, "--drift_output needs --baseline"),
        ({"baseline": "{known}"}, "--baseline needs --drift_output"),
        ({"baseline": "nowhere", "drift_output": "drift/"}, "nowhere: can't be read"),
        (
            {"baseline": "{known}", "drift_output": "drift/", "drift_window": "1h"},
            "--drift_window needs --event_time_column",
        ),
        ({"event_time_column": "time"}, "--event_time_column is for messages"),
    ],
)
def test_wrong_usage(known, linear_model, tmp_path, capsys, flags, message):
    day = trips(tmp_path / "day.parquet", 1, 3)
    flags = {name: value.format(known=known) for name, value in flags.items()}
    code = run(score, input=day, model=linear_model, output=f"{tmp_path}/out/", **flags)
    assert code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
