"""GPUs as they are asked for, and whether they are there."""

import pytest

from inference.devices.check import check_devices, count_gpus
from inference.devices.gpu import TYPES, Gpu
from transforms.errors import ConfigError


def test_one_form_with_the_drivers_installation():
    gpu = Gpu.parse("nvidia-l4:2")
    assert (gpu.type, gpu.count, str(gpu)) == ("nvidia-l4", 2, "nvidia-l4:2")
    assert gpu.form == "type:nvidia-l4;count:2;install-nvidia-driver"
    mps = Gpu.parse("nvidia-tesla-t4:1:mps")
    assert (mps.topology, str(mps)) == ("mps", "nvidia-tesla-t4:1:mps")
    assert mps.form == "type:nvidia-tesla-t4;count:1;install-nvidia-driver;use_nvidia_mps"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nvidia-l4", "gpu= is TYPE:COUNT, such as nvidia-l4:1, not 'nvidia-l4'"),
        ("nvidia-l5:1", "Dataflow has no nvidia-l5; did you mean nvidia-l4?"),
        ("nvidia-l4:3", "a machine has 1, 2, 4, 8 of nvidia-l4, not 3"),
        ("nvidia-l4:0", "a machine has 1, 2, 4, 8 of nvidia-l4, not 0"),
        ("nvidia-h100-mega-80gb:1", "a machine has 8 of"),
        (
            "nvidia-l4:1:shard",
            "shard is no topology; did you mean shared?: single, shared, mps",
        ),
        ("nvidia-l4:2:mps", "MPS goes with one GPU of a machine, not 2"),
        ("nvidia-tesla-p100:1:mps", "by MPS are not kept from each other's memory"),
    ],
)
def test_what_no_machine_has(text, told):
    with pytest.raises(ConfigError) as error:
        Gpu.parse(text)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("gpu", "machine"),
    [
        ("nvidia-l4:1", "g2-standard-4"),
        ("nvidia-l4:1", "g2-standard-32"),
        ("nvidia-l4:8", "g2-standard-96"),
        ("nvidia-tesla-t4:1", "n1-highmem-8"),
        ("nvidia-tesla-t4:1", "custom-8-30720"),
        ("nvidia-tesla-v100:8", "n1-standard-96"),
        ("nvidia-tesla-a100:16", "a2-megagpu-16g"),
        ("nvidia-a100-80gb:2", "a2-ultragpu-2g"),
    ],
)
def test_pairs_that_work(gpu, machine):
    assert Gpu.parse(gpu).check_machine(machine) is None


@pytest.mark.parametrize(
    ("gpu", "machine", "told"),
    [
        ("nvidia-l4:1", "n1-standard-8", "n1-standard-8 can't have --gpu nvidia-l4:1: one of g2-"),
        ("nvidia-l4:1", "g2-standard-24", "g2-standard-24 can't have"),
        ("nvidia-l4:2", "g2-standard-8", "g2-standard-24 has it"),
        ("nvidia-tesla-t4:1", "g2-standard-8", "n1-standard-N, n1-highmem-N and custom ones"),
        ("nvidia-tesla-v100:1", "n1-standard-16", "of at most 12 vCPUs"),
        ("nvidia-tesla-a100:1", "a2-ultragpu-1g", "a2-highgpu-1g has it"),
        ("nvidia-l4:1", None, "--machine_type is needed by --gpu nvidia-l4:1"),
    ],
)
def test_pairs_that_can_not_work(gpu, machine, told):
    with pytest.raises(ConfigError) as error:
        Gpu.parse(gpu).check_machine(machine)
    assert str(error.value).startswith("--machine_type")
    assert told in str(error.value)


@pytest.mark.parametrize("type", TYPES)
def test_every_type_has_a_count_and_refuses_machines_of_no_gpu(type):
    few = [n for n in range(1, 17) if _is_count(f"{type}:{n}")]
    assert few
    with pytest.raises(ConfigError, match="can't have"):
        Gpu(type, few[0]).check_machine("e2-standard-4")


def _is_count(text):
    try:
        return bool(Gpu.parse(text))
    except ConfigError:
        return False


def test_a_gpu_that_is_not_seen_is_an_error():
    check_devices(Gpu("nvidia-l4", 2), seen=2)
    with pytest.raises(ConfigError, match="GPU nvidia-l4:2: TensorFlow sees 1 GPUs"):
        check_devices(Gpu("nvidia-l4", 2), seen=1)


def test_tensorflow_is_asked_what_it_sees():
    seen = count_gpus()
    with pytest.raises(ConfigError, match=f"TensorFlow sees {seen} GPUs"):
        check_devices(Gpu("nvidia-l4", seen + 1))
