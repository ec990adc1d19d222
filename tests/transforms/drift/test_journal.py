"""The journal of a run on messages: what an earlier start has counted is counted once."""

import json

import numpy as np
import pyarrow as pa
import pytest

from tests.support import batch_of
from transforms.commit.ledger import Target
from transforms.commit.stream.wal import message_ids
from transforms.drift.counting import journal as module
from transforms.drift.counting.counts import count_batch
from transforms.drift.counting.journal import Journal
from transforms.drift.counting.panes import Panes, PaneTally, open_rows
from transforms.drift.fill import FillWindows
from transforms.drift.incidents.confirm import Confirmer, confirm
from transforms.drift.incidents.events import EVENTS
from transforms.drift.incidents.notes import Notes
from transforms.drift.judging.compare import Comparer
from transforms.drift.judging.verdicts import Window
from transforms.drift.make import build_baseline
from transforms.drift.quality.errors import ErrorConfirmer
from transforms.drift.resumed import Resumed
from transforms.errors import ConfigError

HOUR = 3600 * 10**6


def rows(hours, seed=0, shift=0.0, number=300):
    draw = np.random.default_rng(seed)
    micros = np.sort(draw.integers(hours[0] * HOUR, (hours[-1] + 1) * HOUR, number))
    return batch_of(time=pa.array(micros, pa.timestamp("us")), amount=draw.normal(shift, 1, number))


BASE = build_baseline([rows(range(40), 1, number=20_000)], "time", 3600)
FIXED, SLIDING = Panes.of(3600), Panes.of(3600, 900)


def journal(folder, windows=FIXED, baseline=BASE.hash, **settings):
    return Journal(str(folder), windows, baseline, **settings)


def counted(windows, batch):
    tally = PaneTally(BASE.layout, windows)
    return [*tally.add(open_rows(batch, "time", windows)), *tally.panes()]


def totals(panes):
    return {pane.latest // HOUR: int(pane.counts.rows[0]) for pane in panes}


@pytest.mark.parametrize("joined", [2, 256])
def test_what_was_counted_is_there_again(tmp_path, monkeypatch, joined):
    monkeypatch.setattr(module, "JOINED", joined)
    made = journal(tmp_path)
    batches = [rows([100, 101], seed) for seed in range(5)]
    for at, batch in enumerate(batches):
        made.append(counted(FIXED, batch), [f"{at}-a", f"{at}-b"])
    made.append([], ["nothing was counted of it"])
    whole = pa.Table.from_batches(batches).combine_chunks().to_batches()[0]
    expected = {pane.latest // HOUR: pane for pane in counted(FIXED, whole)}
    found = journal(tmp_path).open_panes()
    assert len(found) == 2
    for pane in found:
        assert (pane.counts.cells == expected[pane.latest // HOUR].counts.cells).all()
        assert pane.latest == expected[pane.latest // HOUR].latest
    assert len(made.left()) == (3 if joined == 2 else 5)
    assert sorted(message_ids(made.log)) == [f"{at}-{x}" for at in range(5) for x in "ab"]


def test_a_kill_while_files_are_joined(tmp_path, monkeypatch):
    """The new file is there, and so are its parts: they count once."""
    made = journal(tmp_path)
    for seed in range(3):
        made.append(counted(FIXED, rows([100], seed)), [])
    monkeypatch.setattr(module.filesystem, "delete", lambda path: None)
    made._join(list(made.left()))
    monkeypatch.undo()
    assert totals(journal(tmp_path).open_panes()) == {100: 900}
    assert len(made.left()) == 1


def test_windows_that_are_over_are_forgotten(tmp_path):
    made = journal(tmp_path)
    made.append(counted(FIXED, rows([100])), [])
    made.append(counted(FIXED, rows([100, 101, 102], 2)), [])
    made.close(101 * HOUR)
    assert len(made.left()) == 1
    assert set(totals(made.open_panes())) == {101, 102}
    made.close(100 * HOUR)
    assert made.closed == 101 * HOUR, "time does not go back"
    draining = journal(tmp_path, draining=lambda: True)
    draining.close(110 * HOUR)
    assert made.closed == 101 * HOUR, "windows that a drain ends may get more rows"


def test_of_sliding_windows_some_are_over(tmp_path):
    made = journal(tmp_path, SLIDING)
    made.append(counted(SLIDING, rows([100])), [])
    made.close(100 * HOUR + HOUR // 2)
    least = 100 * HOUR - HOUR // 2 + SLIDING.period_us
    assert {pane.open_from >= least for pane in made.open_panes()} == {True}
    assert sum(totals(made.open_panes()).values()) < 10**9


def test_another_baseline_is_refused(tmp_path):
    journal(tmp_path).append(counted(FIXED, rows([100])), [])
    with pytest.raises(ConfigError, match="another baseline"):
        journal(tmp_path, baseline="other").open_panes()


COMPARE = Comparer(BASE)


def verdict(hour, seed=0, shift=0.0, revision=0):
    part = rows([hour], seed, shift).drop_columns(["time"])
    window = Window(hour * HOUR, (hour + 1) * HOUR, revision, "on_time")
    return COMPARE(count_batch(BASE.layout, part), window)


@pytest.mark.parametrize("at", range(1, 8))
def test_incidents_go_on_from_notes(tmp_path, at):
    """Wherever the run is cut, the events of both parts are those of the whole."""
    hours = [verdict(100 + n, n, 1.0 if n in (2, 3, 4) else 0.0) for n in range(9)]
    whole = confirm(hours)
    assert whole.num_rows == 2
    first = Confirmer()
    told = [first.add(each) for each in hours[:at]]
    notes = Notes(str(tmp_path / "incidents.json"), "m")
    notes.write({"series": first.told(), "last": list(first.last)})
    assert Notes(notes.path, "other").read() is None
    noted = notes.read()
    again = Confirmer().knowing(noted["series"], tuple(noted["last"]))
    assert again == first
    told += [again.add(each) for each in hours[at:]]
    assert pa.Table.from_batches(told, EVENTS).equals(whole)


def test_notes_of_errors_and_of_a_drain(tmp_path):
    errors = ErrorConfirmer()
    assert ErrorConfirmer().knowing(json.loads(json.dumps(errors.told())), None) == errors
    path = str(tmp_path / "incidents.json")
    Notes(path, "m", draining=lambda: True).write({"series": []})
    assert Notes(path, "m").read() is None


def resumed(tmp_path, published):
    target = Target(str(tmp_path), True, "parquet", "", (), str(tmp_path / ".staging"))
    (tmp_path / "_millrace/panes").mkdir(parents=True)
    for at, _ in enumerate(published):
        told = {"file": str(at), "window": ["", "2026-01-01T00:00:00+00:00"]}
        (tmp_path / f"_millrace/panes/{at}.json").write_text(json.dumps(told))
    return Resumed(target, journal(tmp_path / "w"), 0, lambda path: [published[int(path)]])


def filled(tmp_path, published, given):
    from tests.support_streams import run_stream, stream

    told = stream()
    for each in given:
        told = told.add_elements([each])
    verb = FillWindows(BASE, period=3600, resumed=resumed(tmp_path, published))
    found, _ = run_stream(told.advance_watermark_to_infinity(), lambda some: some | verb)
    return found


def test_what_is_written_does_not_come_again(tmp_path):
    """A window that has more rows now has a higher revision; the gap before the next is told."""
    known = [verdict(100), verdict(101)]
    more = rows([101], 5, number=400).drop_columns(["time"])
    window = Window(101 * HOUR, 102 * HOUR, 0, "on_time")
    longer = COMPARE(count_batch(BASE.layout, more), window)
    found = filled(tmp_path, known, [verdict(100), longer, verdict(103)])
    told = [
        (
            each["window_start"][0].value // HOUR,
            each["revision"][0].as_py(),
            each["timing"][0].as_py(),
        )
        for each in found
    ]
    assert told == [(101, 1, "late"), (102, 0, "on_time"), (103, 0, "on_time")]
    assert found[0]["verdict_id"][0] == known[1]["verdict_id"][0]
