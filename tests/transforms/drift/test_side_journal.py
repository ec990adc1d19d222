"""Predictions and labels that an earlier start of a run has read."""

import apache_beam as beam
import numpy as np
import pyarrow as pa

from tests.support import batch_of
from tests.support_streams import run_stream, stream
from transforms.drift.make import build_baseline
from transforms.drift.measure import MeasureQuality
from transforms.drift.quality.join import PUBLISHED, Joining, ShardJoin
from transforms.drift.quality.journal import MESSAGE_ID, SideJournal
from transforms.drift.quality.judge import QUALITY
from transforms.drift.quality.sums import Quality, sums_of

HOUR = 3600 * 10**6
BINARY = Quality("binary", "score", "y")
JOINING = Joining(BINARY, ("id",), "time", HOUR, noted=(MESSAGE_ID, PUBLISHED))


def rows(hour, number=50):
    draw = np.random.default_rng(hour)
    ids = [f"{hour}-{n}" for n in range(number)]
    micros = np.full(number, hour * HOUR + HOUR // 2)
    return batch_of(
        id=ids,
        time=pa.array(micros, pa.timestamp("us", "UTC")),
        publish_time=pa.array(micros, pa.timestamp("us", "UTC")),
        message_id=ids,
        score=draw.random(number),
        y=draw.integers(0, 2, number),
    )


def noted(folder, hours):
    made = SideJournal(str(folder), HOUR, 0)
    for hour in hours:
        made.append(0, [JOINING.predictions(rows(hour))])
        made.append(1, [JOINING.labels(rows(hour))])
    made.append(0, [JOINING.predictions(rows(100)).slice(0, 0)])
    return made


def test_what_was_read_is_joined_again(tmp_path):
    again = noted(tmp_path, (100, 101)).resumed()
    assert set(again.known_ids(0).to_pylist()) == {
        f"{h}-{n}" for h in (100, 101) for n in range(50)
    }
    joined = ShardJoin(JOINING)
    for side, add in ((0, joined.add_predictions), (1, joined.add_labels)):
        for batch in again.read(side):
            add(batch.drop_columns([MESSAGE_ID, PUBLISHED]))
    for hour in (100, 101):
        assert (joined.sums[hour * HOUR].counts == sums_of(BINARY, rows(hour)).counts).all()


def test_a_start_reads_what_was_there_before_it(tmp_path):
    made = noted(tmp_path, (100,)).resumed()
    made.append(0, [JOINING.predictions(rows(105))])
    assert sum(batch.num_rows for batch in made.read(0)) == 50
    assert sum(batch.num_rows for batch in made.resumed().read(0)) == 100


def test_measured_windows_are_forgotten_and_labels_kept_for_later_predictions(tmp_path):
    made = noted(tmp_path, (100, 101, 102))
    made.close(102 * HOUR)
    again = made.resumed()
    assert {batch["_start"][0].as_py() // HOUR for batch in again.read(0)} == {102}
    assert len(again.read(1)) == 3, "predictions of two windows more may come"
    made.close(101 * HOUR)
    assert made.closed == 102 * HOUR
    draining = SideJournal(str(tmp_path), HOUR, 0, draining=lambda: True)
    draining.close(110 * HOUR)
    assert made.closed == 102 * HOUR


def test_the_verb_goes_on_from_it(tmp_path):
    """One part was read before a kill, another comes now, and a piece of the first again."""
    base = build_baseline(
        [rows(hour).drop_columns(["id", "message_id", "publish_time"]) for hour in range(40)],
        "time",
        3600,
        quality=BINARY,
    )
    noted(tmp_path, (100, 101))
    journal = SideJournal(str(tmp_path), HOUR, 0).resumed()
    verb = MeasureQuality(base, ("id",), 3600, "time", shards=2, journal=journal)

    def both(some):
        sides = [
            some
            | name
            >> beam.Filter(lambda b, n=column: n in b.schema.names).with_output_types(
                pa.RecordBatch
            )
            for name, column in (("Rows", "score"), ("Labels", "y"))
        ]
        return tuple(sides) | verb

    given = stream().advance_watermark_to(100 * 3600)
    for hour in (101, 102):
        given = given.add_elements([rows(hour).drop_columns(["y"])])
        given = given.add_elements([rows(hour).drop_columns(["score"])])
    for hour in range(101, 110):
        given = given.advance_watermark_to(hour * 3600)
    found, _ = run_stream(given.advance_watermark_to_infinity(), both)
    quality = pa.Table.from_batches(found, QUALITY).sort_by("window_start")
    assert quality["rows"].to_pylist() == [50] * 3
    assert quality["labelled"].to_pylist() == [50] * 3
    assert sum(batch.num_rows for batch in journal.resumed().read(1)) == 150
