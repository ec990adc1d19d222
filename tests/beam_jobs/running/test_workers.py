"""How many workers a job may get, and how many would have something to do."""

import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.running.workers import cpus_of, describe_workers, useful_workers
from tests.beam_jobs.flags import DATAFLOW, options_of


@pytest.mark.parametrize(
    ("machine", "cpus"),
    [
        ("n1-standard-4", 4),
        ("g2-standard-96", 96),
        ("custom-8-16384", 8),
        ("n2-custom-6-20480", 6),
        ("c3-standard-22-lssd", 22),
        ("a2-highgpu-1g", None),
        ("e2-medium", None),
    ],
)
def test_vcpus_of_a_machine(machine, cpus):
    assert cpus_of(machine) == cpus


@given(st.integers(0, 10**13), st.integers(1, 10**5), st.integers(1, 96))
def test_more_data_keeps_no_fewer_workers_busy(total, files, cpus):
    found = useful_workers(total, files, cpus)
    assert found >= 1
    assert useful_workers(total * 2, files, cpus) >= found
    assert useful_workers(total, files, cpus * 2) <= found


def test_a_batch_of_files(tmp_path):
    for part in range(5):
        (tmp_path / f"{part}.csv").write_text("a\n1\n")
    flags = ["--machine_type=n1-standard-2", "--max_num_workers=20", "--num_workers=2"]
    options = types.SimpleNamespace(input=str(tmp_path))
    assert list(describe_workers(options, options_of(*DATAFLOW, *flags), unbounded=False)) == [
        "machine: n1-standard-2",
        "processes a worker: 2, each with a copy of the model",
        "at start: 2",
        "at most: 20",
        "input: 5 files, 20 bytes: 3 workers can read at once",
        "  more than 3 (--max_num_workers=20) would wait for something to do",
    ]


def test_messages_in_one_process():
    flags = ["--experiments=no_use_multiple_sdk_containers"]
    options = types.SimpleNamespace(input="pubsub://projects/p/subscriptions/sub")
    assert list(describe_workers(options, options_of(*DATAFLOW, *flags), unbounded=True)) == [
        "machine: n1-standard-2, by default",
        "processes a worker: 1, each with a copy of the model",
        "at start: 1",
        "at most: what the quota allows (--max_num_workers bounds it)",
    ]
