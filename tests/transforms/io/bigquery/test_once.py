"""Rows are appended once, whatever a runner does: bundles broken off, repeated, reordered."""

import contextlib
import functools
import random
from collections import Counter

import apache_beam as beam
import grpc
import numpy as np
import pyarrow as pa
import pytest

from tests.integration.bigquery.tables import TRIPS
from tests.support import Door, batch_of
from transforms.errors import ConfigError, MillraceError
from transforms.io.bigquery.append.once import AppendOnce, Streams
from transforms.io.bigquery.append.placed import (
    LASTS_SECONDS,
    Entry,
    Place,
    Progress,
    advance,
    placed,
)
from transforms.io.bigquery.append.requests import parts_of
from transforms.io.bigquery.clients import write_client
from transforms.io.bigquery.sink import BigQuerySink
from transforms.io.write import Write
from transforms.rejects import rejected_rows

PATH = "projects/{}/datasets/{}/tables/{}".format(*TRIPS.split("."))
FIELDS = [{"name": "n", "type": "INTEGER"}]


class Crash(Exception):
    """A worker that is gone."""


class Faulty:
    """The service, to a worker that is gone after so many calls: done, but nobody knows."""

    def __init__(self, streams, calls):
        self.streams, self.left = streams, calls

    def __getattr__(self, name):
        def call(*args):
            done = getattr(self.streams, name)(*args)
            self.left -= 1
            if self.left < 0:
                raise Crash
            return done

        return call


class Runner:
    """Keeps what a bundle says only where the bundle comes to its end."""

    def __init__(self, streams, draw):
        self.streams, self.draw = streams, draw
        self.known, self.waiting, self.past, self.refused = {}, {}, [], []

    def service(self):
        gone = self.draw.random() < 0.5
        return Faulty(self.streams, self.draw.randrange(4) if gone else 10**6)

    def until_done(self, bundle):
        while True:
            try:
                return bundle(self.service())
            except Crash:
                continue

    def deliver(self, stream, new):
        """A bundle of a stream's entries, done until it is kept; with workers thought dead."""
        new, again = list(new), True
        while new or again:
            before = self.known.get(stream, Progress(stream))
            held = self.waiting.get(stream, [])
            self.past.append((before, [*held, *new]))
            self.haunt()
            with contextlib.suppress(Crash, MillraceError):
                advance(before, [*held, *new], self.service())
            # The try that is kept may come with fewer of them, and in another order.
            some = self.draw.randint(0, len(new))
            entries = self.draw.sample([*held, *new[:some]], len(held) + some)
            outcome = self.until_done(functools.partial(advance, before, entries))
            self.known[stream], self.waiting[stream] = outcome.progress, outcome.waiting
            self.refused += [
                entry.rows["n"][refusal.number].as_py()
                for entry, refusals in outcome.refused
                for refusal in refusals
            ]
            new, again = new[some:], outcome.again

    def haunt(self):
        """A worker that was given up goes on with what it knows; nothing of it is kept."""
        if self.draw.random() < 0.5:
            with contextlib.suppress(Crash, MillraceError):
                advance(*self.draw.choice(self.past), self.service())


@pytest.fixture
def streams(bigquery, monkeypatch):
    monkeypatch.setattr("transforms.io.bigquery.append.appending.TRIES", 3)
    bigquery.store.add(TRIPS, fields=FIELDS)
    with write_client() as client:
        made = Streams(client, PATH)
        yield made
        made.end()


@pytest.mark.parametrize("seed", range(40))
def test_each_row_is_there_once_whatever_the_runner_does(bigquery, streams, seed):
    draw = random.Random(seed)
    bad = set(draw.sample(range(60), 6)) if seed % 2 else set()
    bigquery.storage.writes.refuses = lambda row: "no such place" if row["n"] in bad else None
    runner, place, number, pending = Runner(streams, draw), None, 0, {}
    for turn in range(12):
        count = draw.randint(1, 8)
        rows = batch_of(n=list(range(number, number + count)))
        number += count
        now = turn * LASTS_SECONDS / 5
        made, place = runner.until_done(
            lambda service, rows=rows, place=place, now=now: placed(
                list(parts_of(rows)), place, service.make, now
            )
        )
        for stream, entry in made:
            pending.setdefault(stream, []).append(entry)
        for stream, entries in pending.items():
            # What is on its way may come later, and in any order.
            draw.shuffle(entries)
            take = draw.randint(0, len(entries))
            pending[stream] = entries[take:]
            if take:
                runner.deliver(stream, entries[:take])
    for stream, entries in pending.items():
        runner.deliver(stream, entries)
    found = Counter(bigquery.store.tables[TRIPS].rows["n"].to_pylist())
    assert found == Counter(set(range(number)) - bad)
    assert sorted(runner.refused) == sorted(bad & set(range(number)))
    assert not any(runner.waiting.values())


def test_a_stream_that_is_old_is_closed(bigquery, streams):
    rows = batch_of(n=[1, 2])
    first, place = placed(list(parts_of(rows)), None, streams.make, 0.0)
    again, after = placed(list(parts_of(rows)), place, streams.make, LASTS_SECONDS + 1)
    assert [(stream == place.stream, *entry[:2]) for stream, entry in again] == [
        (True, 2, 0),
        (False, 0, 2),
    ]
    assert Place.parsed(after.dumped()) == after
    assert Place.parsed(None) is None
    outcome = advance(Progress(place.stream), [again[0][1], first[0][1]], streams)
    assert outcome.progress is None
    assert bigquery.storage.writes.streams[place.stream].finalized
    with pytest.raises(MillraceError, match="has other rows"):
        advance(Progress(after.stream), [Entry(0, 0, rows.slice(0, 0))] * 1, Short(streams))


class Short:
    """A service that has lost a row."""

    def __init__(self, streams):
        self.streams = streams

    def close(self, stream):
        return self.streams.close(stream) - 1


def _batches(numbers):
    return [batch_of(n=numbers[start : start + 50]) for start in range(0, len(numbers), 50)]


def test_in_a_pipeline(bigquery):
    """With a row that the service refuses, broken connections, and a table that is not there."""
    bigquery.store.datasets.add(TRIPS.rpartition(".")[0])
    writes = bigquery.storage.writes
    writes.faults = [("after", grpc.StatusCode.UNAVAILABLE), None, ("close", None)]
    writes.refuses = lambda row: "no such place" if row["n"] == 7 else None
    door = Door()
    with beam.Pipeline("FnApiRunner") as root:
        rows = root | beam.Create(_batches(list(range(1000))), reshuffle=False)
        rows.element_type = pa.RecordBatch
        _ = rows | AppendOnce(BigQuerySink.resolve(f"bq://{TRIPS}", endless=True), door)
    found = bigquery.store.tables[TRIPS].rows["n"].to_pylist()
    assert sorted(found) == [n for n in range(1000) if n != 7]
    assert sum(rejected_rows(batch) for batch in door.found) == 1
    assert all("/_default" not in name and at is not None for name, at, *_ in writes.requests)
    assert np.max([size for *_, size, _ in writes.requests]) < 10_000_000


def test_rows_that_have_an_end_are_loaded(bigquery):
    bigquery.store.add(TRIPS, fields=FIELDS)
    with beam.Pipeline("FnApiRunner") as root:
        rows = root | beam.Create(_batches([1]))
        with pytest.raises(ConfigError, match="rows that have an end are loaded once"):
            _ = rows | Write(f"bq://{TRIPS}?delivery=exactly_once_by_state")
