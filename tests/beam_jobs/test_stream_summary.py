"""What a run without end shows."""

import pytest

from beam_jobs.stream_summary import StreamMeter, stream_table
from transforms import progress
from transforms.progress import Count

COUNTS = {
    "read": Count(12_345),
    "duplicate": Count(12),
    "late": Count(3),
    "write": Count(12_300),
    "dead": Count(30),
    "acknowledged": Count(12_344),
}


def test_table():
    manifest = {"rows": 20_000, "panes": 1_234, "uri": "/data/out"}
    assert stream_table(COUNTS, manifest, "r1", 125.4).splitlines() == [
        "  messages         12,345",
        "    duplicates     12",
        "    late, dropped  3",
        "  rows out         12,300",
        "  rows dead        30",
        "  acknowledged     12,344",
        "  elapsed          2 min 05 s",
        "  committed        20,000 rows in 1,234 files, all starts together",
        "  output           /data/out",
        "  run id           r1",
    ]


def test_table_of_a_run_that_did_nothing_and_wrote_no_files():
    told = stream_table({}, None, "r1", 0.0)
    assert "committed" not in told
    assert "output" not in told
    assert "messages         0\n" in told


@pytest.fixture
def counters():
    progress.reset()
    yield
    progress.reset()


def test_status_line(counters):
    line = StreamMeter().line
    assert line({}, 0, 1) == "0 messages  0/s  1.0 s"
    progress.gauge("in_flight", 1500)
    progress.gauge("lag", -3.0)
    assert line(COUNTS, 1234.5, 60) == (
        "12,345 messages  1,234/s  1 min 00 s  12 duplicate  3 late  30 rejected  "
        "1,500 in flight  0.0 s behind"
    )
    progress.gauge("lag", 75.0)
    assert line({}, 0, 1).endswith("1 min 15 s behind")
