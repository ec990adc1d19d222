"""The jobs baseline and drift as their user meets them: files, a report, a table, exit codes."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from beam_jobs import baseline, drift, validate
from tests.support import shared_data
from transforms.drift.baseline import read_baseline
from transforms.drift.incidents.events import EVENTS
from transforms.drift.judging.verdicts import VERDICTS

HOUR = 3600 * 10**6


def run(job, **flags):
    return job.main([f"--{name}={value}" for name, value in flags.items()])


def trips(path, hours, first, seed, moved=(), left_out=()):
    """Rows of some hours; in some of them the fare is another one."""
    draw, parts = np.random.default_rng(seed), []
    for hour in range(hours):
        number = 0 if hour in left_out else 500
        start = (first + hour) * HOUR
        parts.append(
            pa.table(
                {
                    "time": pa.array(
                        draw.integers(start, start + HOUR, number), pa.timestamp("us")
                    ),
                    "fare": draw.normal(0.8 if hour in moved else 0, 1, number),
                    "kind": pa.array(draw.choice(["Cash", "Card"], number), pa.string()),
                }
            )
        )
    pq.write_table(pa.concat_tables(parts), path)
    return path


@pytest.fixture
def known(tmp_path):
    rows = trips(tmp_path / "train.parquet", 40, 0, 1)
    flags = {"event_time_column": "time", "window": 3600, "slices": "kind"}
    assert run(baseline, input=rows, output=tmp_path / "trips.baseline", **flags) == 0
    return tmp_path / "trips.baseline"


def test_a_day_in_which_something_moved(known, tmp_path, capsys):
    day = trips(tmp_path / "day.parquet", 12, 100, 2, moved=(5, 6), left_out=(8,))
    out = tmp_path / "drift"
    flags = {"event_time_column": "time", "window": 3600, "baseline": known}
    assert run(drift, input=day, output=f"{out}/", **flags) == 0
    assert {path.name for path in out.iterdir()} == {
        "verdicts.parquet",
        "incidents.parquet",
        "metrics.prom",
        "report.html",
        "_millrace",
    }
    verdicts = pq.read_table(out / "verdicts.parquet")
    assert verdicts.schema.equals(VERDICTS)
    whole = [row for row in verdicts.to_pylist() if not row["slice"]]
    assert len(whole) == 12 * 2
    status = {
        (round(row["window_start"].timestamp()) // 3600 - 100, row["column"]): row["status"]
        for row in whole
        if row["status"] != "OK"
    }
    assert status == {
        (5, "fare"): "DRIFT",
        (6, "fare"): "DRIFT",
        (8, "fare"): "NO_DATA",
        (8, "kind"): "NO_DATA",
    }
    assert {row["baseline"] for row in whole} == {read_baseline(str(known)).hash}
    told = capsys.readouterr().err
    assert "1 column drifted" in told
    assert "drift in 2 of 12 windows" in told
    assert "Cash" not in told, "values are in the files"
    page = (out / "report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "fare" in page
    manifest = json.loads((out / "_millrace/run.json").read_text())
    assert manifest["counts"]["rows_in"] == manifest["counts"]["rows_out"] == 5_500
    opened = pq.read_table(out / "incidents.parquet")
    assert opened.schema.equals(EVENTS)
    assert [(row["event"], row["column"]) for row in opened.to_pylist() if not row["slice"]] == [
        ("OPENED", "fare"),
        ("RECOVERED", "fare"),
    ]
    again = {**flags, "fail_on_drift": "true"}
    assert run(drift, input=day, output=f"{tmp_path}/again/", **again) == 3
    assert pq.read_table(tmp_path / "again/verdicts.parquet").equals(verdicts)


def test_rows_without_a_time_are_dead_letters(known, tmp_path):
    day = trips(tmp_path / "day.parquet", 2, 100, 3)
    table = pq.read_table(day)
    odd = table.slice(0, 2).set_column(0, "time", pa.nulls(2, pa.timestamp("us")))
    pq.write_table(pa.concat_tables([table, odd]), day)
    flags = {"event_time_column": "time", "baseline": known, "output": f"{tmp_path}/drift/"}
    assert run(drift, input=day, **flags) == 0
    counts = json.loads((tmp_path / "drift/_millrace/run.json").read_text())["counts"]
    assert (counts["rows_in"], counts["rows_out"], counts["rows_dead"]) == (1002, 1000, 2)
    assert counts["dead_by_reason"] == {"missing_value": 2}


def test_alerts_go_where_they_are_wanted(known, tmp_path):
    day = trips(tmp_path / "day.parquet", 9, 100, 2, moved=(2, 3))
    flags = {"event_time_column": "time", "baseline": known}
    told = tmp_path / "alerts.jsonl"
    assert run(drift, input=day, output=f"{tmp_path}/drift/", alerts=told, **flags) == 0
    events = [json.loads(line) for line in told.read_text().splitlines()]
    assert [(each["event"], each["column"]) for each in events if not each["slice"]] == [
        ("OPENED", "fare"),
        ("RECOVERED", "fare"),
    ]
    assert len({each["incident_id"] for each in events}) * 2 == len(events)
    quiet = trips(tmp_path / "quiet.parquet", 3, 100, 4)
    none = tmp_path / "none/"
    assert run(drift, input=quiet, output=f"{tmp_path}/quiet/", alerts=f"{none}/", **flags) == 0
    found = ds.dataset(none, format="parquet").to_table()
    assert (found.num_rows, found.schema.names) == (0, EVENTS.names)


def test_other_methods_and_comparators(known, tmp_path, capsys):
    day = trips(tmp_path / "day.parquet", 1, 100, 2, moved=(0,))
    flags = {"input": day, "baseline": known, "event_time_column": "time"}
    text = 'feature { name: "fare" drift_comparator { infinity_norm { threshold: 0.9 } } }'
    (tmp_path / "s.pbtxt").write_text(text)

    def fare(name, **more):
        assert run(drift, output=f"{tmp_path}/{name}/", **flags, **more) == 0
        rows = pq.read_table(tmp_path / name / "verdicts.parquet").to_pylist()
        row = next(row for row in rows if row["column"] == "fare" and not row["slice"])
        return row["status"], row["measure"]

    assert fare("own") == ("DRIFT", "distribution")
    assert fare("ks", methods="wasserstein=2,ks=0.1") == ("DRIFT", "ks")
    assert fare("high", methods="psi=5") == ("OK", None)
    assert run(drift, output=f"{tmp_path}/x/", **flags, methods="psi") == 2
    assert "as in psi=0.2" in capsys.readouterr().err
    (tmp_path / "whole.pbtxt").write_text(
        'feature { name: "time" type: INT } feature { name: "kind" type: BYTES } '
        + text.replace('"fare"', '"fare" type: FLOAT')
    )
    assert fare("schema", schema=tmp_path / "whole.pbtxt") == ("OK", None)


def test_verdicts_as_lines(known, tmp_path):
    day = trips(tmp_path / "day.parquet", 1, 100, 4)
    out = f"{tmp_path}/drift/?format=jsonl"
    assert run(drift, input=day, output=out, baseline=known, event_time_column="time") == 0
    lines = (tmp_path / "drift/verdicts.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    whole = {row["column"]: row["status"] for row in found if not row["slice"]}
    assert whole == {"fare": "OK", "kind": "OK"}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"baseline": "nowhere"}, "nowhere: can't be read"),
        ({"period": 60}, "--period needs --event_time_column"),
        ({"output": "drift.parquet"}, "is no folder"),
        ({"event_time_column": "fare"}, "the baseline counts column 'fare'"),
        ({"event_time_column": "when"}, "no column 'when'"),
        ({"event_time_column": "time", "period": 7200}, "longer than size"),
        ({"allowed_lateness": 5}, "is for messages"),
        ({"drift": "0"}, "at least"),
    ],
)
def test_wrong_usage(known, tmp_path, capsys, flags, message):
    day = trips(tmp_path / "day.parquet", 1, 100, 5)
    default = {"input": day, "baseline": known, "output": f"{tmp_path}/drift/"}
    code = run(
        drift, **default | {k: f"{tmp_path}/{v}" if k == "output" else v for k, v in flags.items()}
    )
    assert code in (1, 2)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "drift").exists()


def test_other_data_and_other_types(known, tmp_path, capsys):
    pq.write_table(pa.table({"x": [1]}), tmp_path / "x.parquet")
    flags = {"baseline": known, "output": f"{tmp_path}/drift/"}
    assert run(drift, input=tmp_path / "x.parquet", **flags) == 2
    assert "no column of the baseline" in capsys.readouterr().err
    pq.write_table(pa.table({"fare": ["x"]}), tmp_path / "text.parquet")
    assert run(drift, input=tmp_path / "text.parquet", **flags) == 2
    assert "column 'fare' is string" in capsys.readouterr().err


def test_taxi_by_the_job(tmp_path):
    """Half years have other months than all years: news, unless one has seen that weeks have."""
    train, evaluation = (shared_data("taxi_split", f"{name}.csv") for name in ("train", "eval"))
    flags = {"event_time_column": "trip_start_timestamp", "event_time_unit": "s"}
    half = 182 * 86_400

    def moved(window):
        base, out = tmp_path / f"{window}.baseline", tmp_path / str(window)
        assert run(baseline, input=train, output=base, window=window, **flags) == 0
        found = {"baseline": base, "output": f"{out}/", "window": half}
        assert run(drift, input=evaluation, **found, **flags) == 0
        verdicts = pq.read_table(out / "verdicts.parquet").to_pylist()
        columns = {row["column"] for row in verdicts if row["status"] in ("DRIFT", "SUSPECT")}
        return columns, read_baseline(str(base)).windows

    (chance, few), (weekly, many) = moved(half), moved(7 * 86_400)
    assert few < 30 < many
    assert "trip_start_month" in chance - weekly
    assert "pickup_census_tract" not in chance | weekly, "it is empty in both"


def test_columns_that_are_odd_are_calm(tmp_path, capsys):
    """An outlier, as many NaN on both sides, ids, and nothing at all: of CSV, then of Parquet."""

    def odd(seed, number):
        draw = np.random.default_rng(seed)
        half = draw.normal(size=number)
        half[: 3 * number // 10] = np.nan
        return pa.table(
            {
                "fare": draw.normal(size=number),
                "half": half,
                "user": [f"u{n:012d}" for n in draw.integers(0, 10**12, number)],
                "key": np.arange(number) + 10**6 * seed,
                "nothing": pa.nulls(number, pa.float64()),
            }
        )

    pa_csv.write_csv(odd(1, 20_000), tmp_path / "train.csv")
    day = odd(2, 5000)
    fares = np.append(day["fare"].to_numpy()[:-1], 1e8)
    pq.write_table(day.set_column(0, "fare", pa.array(fares)), tmp_path / "day.parquet")
    assert run(baseline, input=tmp_path / "train.csv", output=tmp_path / "known") == 0
    flags = {"input": tmp_path / "day.parquet", "baseline": tmp_path / "known"}
    assert run(drift, output=f"{tmp_path}/out/", **flags) == 0
    rows = pq.read_table(tmp_path / "out/verdicts.parquet").to_pylist()
    assert {row["column"]: row["status"] for row in rows} == dict.fromkeys(day.schema.names, "OK")
    by_name = {row["column"]: row for row in rows}
    assert by_name["half"]["missing"] == by_name["half"]["missing_baseline"] == 0.3
    assert by_name["nothing"]["missing"] == 1
    assert abs(by_name["fare"]["mean_shift"]) < 0.05
    assert "nothing moved" in capsys.readouterr().err


def test_taxi_as_it_is_served(tmp_path, capsys):
    """Rows to be predicted have no tips yet, and are too few to be judged otherwise."""
    train, serving = (shared_data("taxi_split", f"{name}.csv") for name in ("train", "serving"))
    assert run(baseline, input=train, output=tmp_path / "known") == 0
    flags = {"input": serving, "baseline": tmp_path / "known", "fail_on_drift": "true"}
    assert run(drift, output=f"{tmp_path}/out/", **flags) == 3
    rows = pq.read_table(tmp_path / "out/verdicts.parquet").to_pylist()
    found = {row["column"]: row["status"] for row in rows}
    assert found.pop("tips") == "MISSING_COLUMN"
    assert set(found.values()) == {"NOT_ENOUGH_DATA"}
    assert "missing column in 1 of 1 windows" in capsys.readouterr().err


def test_report_of_verdicts(known, tmp_path, capsys):
    """As that of the run itself, of all windows or of the last ones, from what it has written."""
    day = trips(tmp_path / "day.parquet", 9, 100, 2, moved=(2, 3))
    flags = {"event_time_column": "time", "baseline": known}
    assert run(drift, input=day, output=f"{tmp_path}/out/?format=jsonl", **flags) == 0
    report = tmp_path / "again.html"
    argv = ["report", f"{tmp_path}/out/", f"--baseline={known}", f"--output={report}"]
    assert drift.main(argv) == 0
    page, whole = report.read_text(), (tmp_path / "out/report.html").read_text()
    for text in ("recovered", "1970-01-05 06:00", "Moved most"):
        assert text in page
        assert text in whole
    assert page.split("<main")[1] == whole.split("<main")[1]
    assert drift.main([*argv, "--last=3"]) == 0
    last = report.read_text()
    assert "1970-01-05 12:00" in last
    assert "Nothing moved" in last
    assert "recovered" in last, "incidents are of all windows"
    other = trips(tmp_path / "other.parquet", 40, 0, 9)
    assert (
        run(
            baseline,
            input=other,
            output=tmp_path / "other",
            **{"window": 3600, "event_time_column": "time"},
        )
        == 0
    )
    argv[2] = f"--baseline={tmp_path}/other"
    assert drift.main(argv) == 2
    assert "another baseline" in capsys.readouterr().err


def test_sub_commands(known, tmp_path, capsys):
    day = trips(tmp_path / "day.parquet", 30, 40, 6)
    flags = {"event_time_column": "time", "window": 3600, "cells": known}
    assert run(baseline, input=day, output=tmp_path / "more", **flags) == 0
    both = f"--output={tmp_path}/both"
    assert baseline.main(["merge", str(known), str(tmp_path / "more"), both]) == 0
    merged = read_baseline(str(tmp_path / "both"))
    assert (int(merged.counts.rows[0]), merged.windows) == (35_000, 70)
    assert baseline.main(["merge", str(known), str(tmp_path / "more"), both]) == 2
    capsys.readouterr()
    assert baseline.main(["show", str(tmp_path / "both")]) == 0
    told = capsys.readouterr().out
    assert merged.hash in told
    assert "of 70 windows of 3600 s" in told
    assert baseline.main(["diff", str(known), str(tmp_path / "both")]) == 0
    assert "rows: 20,000, then 35,000" in capsys.readouterr().out
    plan = ["plan", "--baseline", str(known), "--traffic", "1000/h", "--psi", "0.1"]
    assert drift.main(plan) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["window", "rows"]
    assert lines[3].split()[:2] == ["1h", "1,000"]
    assert "Windows of 1h are the shortest" in lines[-1]
    assert drift.main([*plan[:3], "--traffic", "many"]) == 2
    assert "is no number of rows in a time" in capsys.readouterr().err


def test_a_baseline_of_a_validation(known, tmp_path, capsys):
    day = trips(tmp_path / "day.parquet", 3, 100, 7)
    stats, times = tmp_path / "stats", ["--event_time_column", "time"]
    assert run(validate, input=day, output=f"{stats}/", infer_schema="true") == 0
    assert baseline.main(["import", str(stats), f"--output={tmp_path}/imported", *times]) == 0
    out = f"{tmp_path}/drift/"
    assert run(drift, input=day, output=out, baseline=tmp_path / "imported") == 0
    verdicts = pq.read_table(tmp_path / "drift/verdicts.parquet").to_pylist()
    status = {row["column"]: row["status"] for row in verdicts}
    assert (status["fare"], status["kind"]) == ("OK", "OK")
    assert baseline.main(["import", str(day), f"--output={tmp_path}/other"]) == 2


def scored_trips(folder, hours, first, seed, flipped=()):
    """Scored rows of some hours, and their labels apart; in some hours many labels are others."""
    draw, parts = np.random.default_rng(seed), []
    for hour in range(first, first + hours):
        score = draw.beta(0.7, 0.7, 500)
        label = (draw.random(500) < score).astype(int)
        wrong = draw.random(500) < (0.25 if hour - first in flipped else 0)
        ids = [f"{seed}-{hour:04}-{n:04}" for n in range(500)]
        micros = draw.integers(hour * HOUR, (hour + 1) * HOUR, 500)
        columns = {"id": ids, "time": pa.array(micros, pa.timestamp("us")), "score": score}
        parts.append(pa.table(columns | {"tip": np.where(wrong, 1 - label, label)}))
    whole = pa.concat_tables(parts)
    folder.mkdir()
    pq.write_table(whole, folder / "both.parquet")
    pq.write_table(whole.drop_columns("tip"), folder / "rows.parquet")
    shuffled = whole.take(pa.array(draw.permutation(len(whole))))
    pq.write_table(
        shuffled.select(["id", "tip"]).slice(0, len(whole) * 4 // 5), folder / "l.parquet"
    )


def test_labels_that_come_later(tmp_path, capsys):
    scored_trips(tmp_path / "train", 40, 0, 1)
    scored_trips(tmp_path / "day", 10, 100, 2, flipped=(4, 5, 6))
    known = tmp_path / "known"
    timed = {"event_time_column": "time", "window": "1h"}
    named = {"prediction_column": "score", "label_column": "tip"}
    assert run(baseline, input=tmp_path / "train/both.parquet", output=known, **timed, **named) == 0
    flags = {"input": tmp_path / "day/rows.parquet", "baseline": known, **timed}
    labelled = {"label_input": tmp_path / "day/l.parquet", "label_key": "id"}
    told = {"output": f"{tmp_path}/out/", "alerts": f"{tmp_path}/alerts/"}
    assert run(drift, **flags, **labelled, **told) == 0
    quality = pq.read_table(tmp_path / "out/quality.parquet").to_pylist()
    assert [row["status"] for row in quality] == ["OK"] * 4 + ["SUSPECT"] * 3 + ["OK"] * 3
    assert {row["rows"] for row in quality} == {500}
    assert sum(row["labelled"] for row in quality) == 4000
    assert all(row["estimated_accuracy"] > 0.7 for row in quality), "scores are as they were"
    for place in (tmp_path / "alerts", tmp_path / "out/incidents.parquet"):
        events = ds.dataset(place).to_table().to_pylist()
        assert [(row["event"], row["column"]) for row in events] == [
            ("OPENED", "score"),
            ("RECOVERED", "score"),
        ]
    page = (tmp_path / "out/report.html").read_text()
    assert "errors are higher in 3 windows of 10" in page
    assert "errors of score" in page
    assert "Estimated without labels" in page
    prometheus = (tmp_path / "out/metrics.prom").read_text()
    assert 'millrace_drift_quality{prediction="score",measure="estimated_accuracy"}' in prometheus
    assert "errors are higher in 3 of 10 windows" in capsys.readouterr().err
    counts = json.loads((tmp_path / "out/_millrace/run.json").read_text())["counts"]
    assert (counts["rows_in"], counts["rows_out"]) == (5000, 5000)
    wrong = {"label_input": tmp_path / "day/l.parquet", "label_key": "time"}
    assert run(drift, output=f"{tmp_path}/other/", **flags, **wrong) == 2
    assert "--label_input has no column 'time'" in capsys.readouterr().err
