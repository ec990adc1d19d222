"""The status line."""

import io
import threading

import pytest

from beam_jobs.running.summary import Meter, status_line
from transforms import progress
from transforms.progress import Count
from transforms.words import duration

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
