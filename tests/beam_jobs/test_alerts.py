"""Incidents in the log: what happened to which column, and no value of a row."""

import logging

from beam_jobs.judging.alerts import logged
from tests.support import run_on
from transforms.drift.incidents.events import event_row, events_of
from transforms.drift.incidents.series import Incident

HOUR = 3600 * 10**6


def event(slice_name, column, name="OPENED"):
    verdict = {"slice": slice_name, "column": column, "window_start": 0, "window_end": HOUR}
    verdict |= {"baseline": "b", "adjusted_psi": 0.3, "verdict_id": "v"}
    return event_row("m", name, Incident(0, "repeated", "DRIFT", 2), verdict)


def test_each_event_is_a_line(caplog):
    told = events_of(
        [event("", "fare"), event("kind=Secret", "fare"), event("", None, "RECOVERED")]
    )
    with caplog.at_level(logging.WARNING):
        assert run_on([told], logged)[0].equals(told)
    lines = [each.getMessage() for each in caplog.records if "incident" in each.getMessage()]
    assert [line.partition(",")[0] for line in lines] == [
        "incident opened: column fare",
        "incident opened: column fare of a slice",
        "incident recovered: all rows",
    ]
    assert "since 1970-01-01T00:00:00+00:00" in lines[0]
    assert not any("Secret" in line for line in lines)
