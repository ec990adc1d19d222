"""Days analyzed once: with the cache as without, what an edit discards, windows that move on."""

import json
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_jobs import preprocess
from transforms.preprocess import LoadedGraph, TransformGraph, transform_batch

STEPS = """
features:
  fare: {steps: [fill: median, scale_to_z_score]}
  company: {steps: [compute_and_apply_vocabulary: {num_oov_buckets: 1}]}
  fare_bucket: {column: fare, steps: [bucketize: 5]}
"""
TWO_PASSES = STEPS + "  again: {feature: fare, steps: [bucketize: 3]}\n"
FUNCTION = """
import tensorflow_transform as tft


def preprocessing_fn(inputs):
    return {
        "fare": tft.scale_to_z_score(inputs["fare"]),
        "company": tft.compute_and_apply_vocabulary(inputs["company"], num_oov_buckets=1),
        "fare_bucket": tft.bucketize(inputs["fare"], 5),
    }
"""
SCHEMA = """
feature { name: "fare" type: FLOAT value_count { min: 0 max: 1 } }
feature { name: "company" type: BYTES value_count { min: 0 max: 1 } }
"""
DAYS = 10


def write_day(folder, day, rows=300):
    draw = np.random.default_rng(day)
    place = folder / f"day-{day:02}"
    place.mkdir(exist_ok=True)
    fares = draw.normal(day, 3, rows).round(2)
    companies = draw.choice([f"c{n}" for n in range(day + 3)], rows)
    batch = pa.RecordBatch.from_pydict(
        {
            "fare": pa.array(fares, mask=draw.random(rows) < 0.1),
            "company": companies,
            "ride": np.arange(rows) + 1000 * day,
        }
    )
    pq.write_table(pa.Table.from_batches([batch]), place / "rows.parquet")
    return batch


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    for day in range(DAYS):
        write_day(tmp_path / "in", day)
    (tmp_path / "steps.yaml").write_text(STEPS)
    (tmp_path / "features.py").write_text(FUNCTION)
    (tmp_path / "schema.pbtxt").write_text(SCHEMA)
    return tmp_path


def run(folder, output, **more):
    flags = {
        "input": f"{folder}/in/day-{{SPAN:2}}/*.parquet",
        "steps": f"{folder}/steps.yaml",
        "output": f"{folder}/{output}/",
        "split_key": "ride",
        "analyze_only": "true",
    } | more
    given = [f"--{name}={value}" for name, value in flags.items() if value is not None]
    return preprocess.main(given)


def features(folder, output):
    """What the graph makes of all rows."""
    loaded = LoadedGraph(TransformGraph.read(f"{folder}/{output}/transform_graph"))
    paths = sorted((folder / "in").glob("day-*/rows.parquet"))
    table = pa.concat_tables([pq.read_table(path) for path in paths]).combine_chunks()
    made, rejects = transform_batch(table.to_batches()[0], loaded)
    assert rejects.num_rows == 0
    return made


def read(folder, output):
    """How many rows were read."""
    return json.loads((folder / output / "_millrace" / "run.json").read_text())["counts"]["rows_in"]


def same(one, other):
    assert one.schema.equals(other.schema)
    for name in one.schema.names:
        left, right = one[name], other[name]
        if pa.types.is_list(left.type):
            assert left.is_null().equals(right.is_null())
            left, right = left.flatten(), right.flatten()
        np.testing.assert_allclose(left.to_numpy(), right.to_numpy(), rtol=1e-5, atol=1e-5)


def kept(folder):
    return sorted(path.name.partition(".")[0] for path in (folder / "cache").iterdir())


@pytest.mark.parametrize("steps", [STEPS, TWO_PASSES])
def test_with_the_cache_as_without(folder, steps, caplog):
    (folder / "steps.yaml").write_text(steps)
    cache = f"{folder}/cache"
    (folder / "in" / "day-09").rename(folder / "later")
    assert run(folder, "nine", cache=cache) == 0
    assert kept(folder) == [str(day) for day in range(9)]
    (folder / "later").rename(folder / "in" / "day-09")
    assert run(folder, "ten", cache=cache) == 0
    assert read(folder, "ten") == (3000 if steps == TWO_PASSES else 300)
    assert "analyzed again" not in caplog.text
    assert run(folder, "without") == 0
    same(features(folder, "ten"), features(folder, "without"))


def test_all_from_the_cache(folder):
    cache = f"{folder}/cache/"
    assert run(folder, "first", cache=cache) == 0
    assert run(folder, "second", cache=cache, analyze_only=None, splits="train:2,eval:1") == 0
    same(features(folder, "second"), features(folder, "first"))
    tables = [pq.read_table(folder / "second" / f"Split-{name}") for name in ("train", "eval")]
    assert sum(table.num_rows for table in tables) == 3000
    assert read(folder, "second") == 3000
    assert run(folder, "third", cache=cache) == 0
    assert read(folder, "third") is None


def test_an_edit_tells_what_it_discards(folder, caplog):
    cache = f"{folder}/cache"
    assert run(folder, "first", cache=cache, spans="last:3") == 0
    edited = STEPS.replace("scale_to_z_score", "log1p, scale_to_z_score")
    (folder / "steps.yaml").write_text(edited)
    assert run(folder, "second", cache=cache, spans="last:3") == 0
    assert "1 of 3 figures are not in the cache" in caplog.text
    assert "3 spans are analyzed again" in caplog.text
    assert run(folder, "without", spans="last:3") == 0
    same(features(folder, "second"), features(folder, "without"))


def test_a_window_that_moves_on_and_a_day_that_changed(folder, caplog):
    cache = f"{folder}/cache"
    (folder / "in" / "day-09").rename(folder / "later")
    assert run(folder, "first", cache=cache, spans="last:4") == 0
    assert kept(folder) == ["5", "6", "7", "8"]
    (folder / "later").rename(folder / "in" / "day-09")
    write_day(folder / "in", 7, 500)
    assert run(folder, "second", cache=cache, spans="last:4") == 0
    assert "the files of span 7 have changed" in caplog.text
    assert kept(folder) == ["6", "7", "8", "9"]
    assert read(folder, "second") == 800
    assert run(folder, "without", spans="last:4") == 0
    same(features(folder, "second"), features(folder, "without"))


def test_other_rows_are_not_taken_from_the_cache(folder, caplog):
    cache = f"{folder}/cache"
    assert run(folder, "first", cache=cache, spans="last:2", splits="train:2,eval:1") == 0
    assert run(folder, "second", cache=cache, spans="last:2", splits="train:8,eval:2") == 0
    assert "or their rows are chosen otherwise" in caplog.text
    assert run(folder, "without", spans="last:2", splits="train:8,eval:2") == 0
    same(features(folder, "second"), features(folder, "without"))


@pytest.mark.integration
def test_a_function_on_ten_days_with_the_cache_as_without(folder, caplog):
    given = {
        "steps": None,
        "preprocessing_fn": f"{folder}/features.py",
        "schema": f"{folder}/schema.pbtxt",
    }
    cache = f"{folder}/cache"
    (folder / "in" / "day-09").rename(folder / "later")
    assert run(folder, "nine", cache=cache, **given) == 0
    (folder / "later").rename(folder / "in" / "day-09")
    assert run(folder, "ten", cache=cache, **given) == 0
    assert read(folder, "ten") == 300
    assert "analyzed again" not in caplog.text
    assert kept(folder) == [str(day) for day in range(DAYS)]
    assert run(folder, "without", **given) == 0
    ten, without = features(folder, "ten"), features(folder, "without")
    same(ten, without)
    # Vocabularies and their order are the same exactly.
    assert ten["company"].equals(without["company"])


@pytest.mark.integration
def test_a_function_by_span(folder, caplog):
    given = {
        "steps": None,
        "preprocessing_fn": f"{folder}/features.py",
        "schema": f"{folder}/schema.pbtxt",
    }
    cache = f"{folder}/cache"
    assert run(folder, "first", cache=cache, spans="last:3", **given) == 0
    write_day(folder / "in", 10)
    assert run(folder, "second", cache=cache, spans="last:3", **given) == 0
    assert read(folder, "second") == 300
    assert kept(folder) == ["10", "8", "9"]
    assert run(folder, "without", spans="last:3", **given) == 0
    same(features(folder, "second"), features(folder, "without"))
    caplog.clear()
    (folder / "features.py").write_text(
        FUNCTION.replace('(inputs["fare"])', '(inputs["fare"] * 2)')
    )
    assert run(folder, "third", cache=cache, spans="last:3", **given) == 0
    assert "figures are not in the cache" in caplog.text


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"input": "in/day-00/*.parquet", "cache": "cache"}, "--cache needs spans in --input"),
        ({"input": "in/day-00/*.parquet", "spans": "last:2"}, "--spans needs spans in --input"),
        ({"spans": "first:2"}, "--spans first:2: is neither all nor last:N"),
        ({"cache": "cache", "limit": "10"}, "--limit: the cache keeps whole spans"),
        ({"input": "in/day-{YYYY}/*.parquet"}, "spans are {SPAN}, or all of {YYYY}, {MM}, {DD}"),
        ({"input": "nothing/day-{SPAN}.parquet"}, "no files match"),
        ({"input": "in/*-{SPAN}/rows.{SPAN}"}, "in/day-00/rows.parquet is of no span"),
    ],
)
def test_what_can_not_be_done_is_told(folder, monkeypatch, capsys, more, message):
    monkeypatch.chdir(folder)
    assert run(pathlib.Path(), "out", **more) == 2
    assert message in capsys.readouterr().err


def test_broken_cache(folder, capsys):
    cache = folder / "cache"
    assert run(folder, "first", cache=cache, spans="last:1") == 0
    (path,) = cache.iterdir()
    path.write_bytes(path.read_bytes()[:-100])
    assert run(folder, "second", cache=cache, spans="last:1") == 2
    assert "can't be read" in capsys.readouterr().err
