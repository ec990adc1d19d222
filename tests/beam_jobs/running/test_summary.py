"""The status line and the closing table."""

import io
import threading

import pytest

from beam_jobs.running.summary import Meter, closing_table, duration, status_line
from transforms import progress
from transforms.progress import Count

pytestmark = pytest.mark.usefixtures("fresh_counts")


class Screen(io.StringIO):
    """A terminal that remembers."""

    def __init__(self, live):
        super().__init__()
        self.live = live
        self.written = threading.Event()

    def isatty(self):
        return self.live

    def write(self, text):
        self.written.set()
        return super().write(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (59.94, "59.9 s"), (61, "1 min 01 s"), (3 * 3600 + 240, "3 h 04 min")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({}, "2.0 s"),
        ({"read": Count(1234567)}, "1,234,567 rows  5,000 rows/s  2.0 s"),
        (
            {"read": Count(10, 25, 100), "write": Count(8), "dead": Count(2)},
            "10 rows  5,000 rows/s  2.0 s  25% of the input  2 rejected",
        ),
        ({"read": Count(10, 300, 100)}, "10 rows  5,000 rows/s  2.0 s  100% of the input"),
    ],
)
def test_the_status_line(counts, text):
    assert status_line(counts, 5000.0, 2.0) == text


@pytest.mark.parametrize(
    ("share", "reading", "left"),
    [
        (25, 10.0, "25% of the input  about 30 s left"),
        (50, 300.0, "50% of the input  about 5 min 00 s left"),
        (99, 197.0, "99% of the input  about 2 s left"),
        # Too early to tell, and too late to say.
        (1, 10.0, "1% of the input"),
        (50, 1.0, "50% of the input"),
        (100, 50.0, "100% of the input"),
    ],
)
def test_the_time_that_is_left(share, reading, left):
    line = status_line({"read": Count(10, share, 100)}, 5.0, 400.0, reading)
    assert line == f"10 rows  5 rows/s  6 min 40 s  {left}"


def test_what_is_done_while_no_rows_pass():
    waiting = {"read": Count(0, 0, 100)}
    assert status_line(waiting, 0.0, 2.0) == "2.0 s"
    with progress.phase("looking at the inputs"):
        assert status_line(waiting, 0.0, 2.0) == "looking at the inputs  2.0 s"
        with progress.phase("loading the model"):
            assert status_line({}, 0.0, 2.0) == "loading the model  2.0 s"
            told = status_line({"read": Count(5)}, 1.0, 2.0)
            assert told == "5 rows  1 rows/s  2.0 s  loading the model"
    assert progress.phase_now() == ""


def test_counts_of_many_threads_add_up():
    threads = [
        threading.Thread(target=lambda: [progress.add("read", rows=1, bytes=2) for _ in range(500)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    progress.expect("read", bytes=8000)
    progress.expect("read", bytes=8000)
    assert progress.snapshot() == {"read": Count(4000, 8000, 16000)}
    assert progress.snapshot()["read"].share == 0.5
    progress.reset()
    assert progress.snapshot() == {}


def test_after_a_stop_every_count_raises_until_the_next_run():
    progress.stop()
    with pytest.raises(progress.Stopped):
        progress.add("read", rows=1)
    assert progress.snapshot() == {}
    progress.reset()
    progress.add("read", rows=1)
    assert progress.snapshot()["read"].rows == 1


@pytest.mark.parametrize("live", [True, False])
def test_the_meter_shows_lines_and_leaves_a_clean_terminal(monkeypatch, live):
    monkeypatch.setattr("beam_jobs.running.summary.LIVE_SECONDS", 0.01)
    monkeypatch.setattr("beam_jobs.running.summary.PLAIN_SECONDS", 0.01)
    progress.add("read", rows=7)
    screen = Screen(live)
    with Meter(screen) as meter:
        assert screen.written.wait(10)
    shown = screen.getvalue()
    assert "7 rows" in shown
    assert meter.seconds > 0
    if live:
        assert shown.startswith("\r7 rows")
        assert shown.endswith("\r\x1b[K")
    else:
        assert "\x1b" not in shown
        assert shown.endswith("\n")


def test_a_short_run_is_not_talked_about():
    screen = Screen(live=False)
    with Meter(screen):
        pass
    assert screen.getvalue() == ""


def output(uri, is_dead, *sizes):
    files = [{"bytes": size} for size in sizes]
    return {"uri": uri, "dead_letters": is_dead, "evidence": is_dead, "files": files}


def manifest(status="committed", **changes):
    counts = {
        "rows_in": 2000,
        "rows_out": 1990,
        "rows_dead": 10,
        "dead_by_reason": {"missing_value": 4, "overflow": 6},
    }
    outputs = [
        output("out.dead_letters", True, 1000),
        output("out", False, 1_500_000, 500_000),
    ]
    return {"status": status, "run_id": "r1", "counts": counts, "outputs": outputs, **changes}


def test_the_closing_table():
    assert closing_table(manifest(), "out/_millrace/run.json", 4.0).splitlines() == [
        "  rows in          2,000",
        "  rows out         1,990",
        "  rows dead        10",
        "    missing_value  4",
        "    overflow       6",
        "  elapsed          4.0 s",
        "  rows/s           500",
        "  dead letters     out.dead_letters (1 file, 1.0 kB)",
        "  output           out (2 files, 2.0 MB)",
        "  manifest         out/_millrace/run.json",
        "  run id           r1",
    ]


def test_the_table_of_a_refused_run_says_that_nothing_is_there():
    told = closing_table(manifest("refused"), "x", 0.0)
    assert "output           out (not published)" in told
    assert "out.dead_letters (1 file" in told
    assert "rows/s           0" in told


def test_what_a_gate_found_is_counted():
    found = manifest(outputs=[{**output("out.validation", True, 1000), "dead_letters": False}])
    severities = ("WARNING", "ERROR", "WARNING")
    found["counts"]["findings"] = [{"severity": severity} for severity in severities]
    lines = closing_table(found, "x", 1.0).splitlines()
    at = lines.index("  findings         out.validation (1 file, 1.0 kB)")
    assert lines[at + 1 : at + 3] == ["    errors         1", "    warnings       2"]


def test_no_dead_letters_are_said_to_be_none():
    outputs = [output("out.dead_letters", True)]
    assert "out.dead_letters (none)" in closing_table(manifest(outputs=outputs), "x", 1.0)
