"""Days merged: what one validation of all of them would have come to."""

import pyarrow as pa
import pytest

from transforms.errors import ConfigError
from transforms.gate.judge import Judge
from transforms.gate.merge import find_states, read_state
from transforms.gate.places import STATE
from transforms.statistics.collect import Collector
from transforms.statistics.options import StatisticsOptions


def write_state(folder, rows):
    collector = Collector(StatisticsOptions())
    collector.add(rows)
    folder.mkdir(parents=True)
    (content,) = (text for name, text in Judge()(collector.slices()).files if name == STATE)
    (folder / STATE).write_bytes(content)


@pytest.fixture
def days(tmp_path):
    for day in range(3):
        write_state(
            tmp_path / f"stats/2026-11-0{day}", pa.RecordBatch.from_pydict({"x": [day] * 4})
        )
    return tmp_path / "stats"


@pytest.mark.parametrize("pattern", ["", "/", "/*", "/*/", "/2026-11-*/", "/*/FeatureStats.arrow"])
def test_states_are_found_in_folders_and_patterns(days, pattern):
    assert [place.split("/")[-2] for place in find_states(f"{days}{pattern}")] == [
        f"2026-11-0{day}" for day in range(3)
    ]


def test_one_state(days):
    assert len(find_states(f"{days}/2026-11-01")) == 1
    assert len(find_states(f"{days}/2026-11-01/{STATE}")) == 1


def test_no_state(tmp_path):
    (tmp_path / "other.arrow").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"there is no FeatureStats\.arrow here"):
        find_states(str(tmp_path))


@pytest.mark.parametrize("content", [b"", b"ARROW1\0\0nothing", b"no arrow"])
def test_a_broken_state_is_named(days, content):
    place = days / "2026-11-00" / STATE
    place.write_bytes(content)
    with pytest.raises(ConfigError, match=r"2026-11-00/FeatureStats\.arrow: is broken"):
        read_state(str(place))


def test_another_arrow_file_is_no_state(days):
    place = days / "2026-11-00" / STATE
    rows = pa.RecordBatch.from_pydict({"x": [1]})
    with pa.OSFile(str(place), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as stream:
        stream.write_batch(rows)
    with pytest.raises(ConfigError, match=r"FeatureStats\.arrow: it is no state of statistics"):
        read_state(str(place))
