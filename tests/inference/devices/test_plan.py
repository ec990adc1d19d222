"""The memory and the disk that a model takes, before it is launched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.devices.gpu import TYPES, Gpu
from inference.devices.plan import GIB, MEMORY_GIB, PROCESS_GIB, Plan, cpus_of, share_mib
from transforms.errors import ConfigError


@pytest.mark.parametrize(
    ("machine", "cpus"),
    [
        ("g2-standard-8", 8),
        ("n1-highmem-96", 96),
        ("custom-8-30720", 8),
        ("n1-custom-12-30720", 12),
        ("a2-highgpu-2g", 24),
        ("a2-megagpu-16g", 96),
        ("a3-highgpu-8g", 208),
        ("a3-megagpu-8g", 208),
    ],
)
def test_the_cpus_of_a_machine(machine, cpus):
    assert cpus_of(machine) == cpus


def test_every_type_has_a_memory():
    assert set(TYPES) == set(MEMORY_GIB)


def test_a_plan_by_example():
    plan = Plan(Gpu("nvidia-l4"), "g2-standard-8", 4 * GIB, 1024)
    assert plan.processes == 1
    assert plan.left == pytest.approx((24 - 4 - 0.6) * GIB, abs=2)
    assert plan.disk_gb == 60
    assert plan.check() is None
    assert plan.lines()[1].startswith("model 4.0 GiB, CUDA 0.6 GiB, left for rows 19.4 GiB")


@given(st.sampled_from(TYPES), st.integers(0, 200 * GIB), st.sampled_from(["single", "mps"]))
def test_a_plan_is_refused_exactly_where_nothing_is_left(type, weights, topology):
    plan = Plan(Gpu(type, topology=topology), "n1-standard-8", weights, 64)
    assert plan.disk_gb * 1e9 >= 2 * weights
    if plan.left > 0:
        assert plan.check() is None
    else:
        with pytest.raises(ConfigError, match="don't fit into the"):
            plan.check()


@pytest.mark.parametrize(
    ("type", "precision", "told"),
    [
        ("nvidia-tesla-t4", "bfloat16", "no units for bfloat16.*: float16 suits it"),
        ("nvidia-tesla-p4", "float16", "nvidia-tesla-p4 has no units for float16"),
    ],
)
def test_precisions_that_a_type_has_not(type, precision, told):
    with pytest.raises(ConfigError, match=told):
        Plan(Gpu(type), "n1-standard-8", 0, 64, precision).check()
    assert Plan(Gpu("nvidia-l4"), "g2-standard-8", 0, 64, precision).check() is None


@given(st.sampled_from(TYPES), st.integers(1, 8))
def test_processes_side_by_side_do_not_take_more_than_there_is(type, processes):
    taken = processes * (share_mib(Gpu(type), processes) / 1024 + PROCESS_GIB)
    assert taken <= MEMORY_GIB[type]
