"""What a run without end shows."""

import pytest

from beam_jobs.streaming.summary import StreamMeter, stream_table
from transforms import progress
from transforms.commit.stream.commit import StreamCommit
from transforms.progress import Count

COUNTS = {
    "read": Count(12_345),
    "duplicate": Count(12),
    "late": Count(3),
    "write": Count(12_300),
    "dead": Count(30),
    "dead: unparsable": Count(20),
    "dead: model_error": Count(10),
    "acknowledged": Count(12_344),
}
FOUND = {"found: EMAIL_ADDRESS": Count(1_200), "found: IP_ADDRESS": Count(7)}


def commit_of(*topics):
    commit = StreamCommit("job", "r1")
    commit.topics += topics
    return commit


def test_table():
    out = {"rows": 20_000, "panes": 1_234, "uri": "/data/out", "dead_letters": False}
    dead = {"rows": 30, "panes": 1, "uri": "/data/dead", "dead_letters": True}
    assert stream_table(COUNTS, [dead, out], commit_of(), 125.4).splitlines() == [
        "  messages         12,345",
        "    duplicates     12",
        "    late, dropped  3",
        "  rows out         12,300",
        "  rows dead        30",
        "    model_error    10",
        "    unparsable     20",
        "  acknowledged     12,344",
        "  elapsed          2 min 05 s",
        "  output           /data/out (20,000 rows in 1,234 files, all starts together)",
        "  dead letters     /data/dead (30 rows in 1 file, all starts together)",
        "  run id           r1",
    ]


def test_table_of_what_a_policy_leaves():
    counts = {"suppressed": Count(5), "untransformed": Count(1_002)}
    lines = stream_table(counts, [], commit_of(), 1.0).splitlines()
    assert "  rows suppressed       5" in lines
    assert "  values untransformed  1,002" in lines


def test_table_of_findings():
    told = {"rows": 1_207, "panes": 2, "uri": "/data/found", "dead_letters": False}
    table = stream_table(FOUND, [{**told, "evidence": True}], commit_of(), 1.0)
    assert table.splitlines()[5:9] == [
        "  findings         1,207",
        "    EMAIL_ADDRESS  1,200",
        "    IP_ADDRESS     7",
        "  acknowledged     0",
    ]
    assert "  evidence         /data/found (1,207 rows in 2 files" in table


def test_table_of_a_run_that_published():
    none = {"rows": 0, "panes": 0, "uri": "/data/dead", "dead_letters": True}
    told = stream_table({}, [none], commit_of("pubsub://projects/p/topics/top"), 0.0)
    assert "published to     pubsub://projects/p/topics/top" in told
    assert "/data/dead" not in told
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
