"""GPUs of a job's workers: one request for them, and pairs of options that can't work."""

from types import SimpleNamespace

import pytest
from apache_beam.options.pipeline_options import DebugOptions, GoogleCloudOptions, WorkerOptions

from beam_jobs.running import gpus
from beam_jobs.running.setting import Setting
from beam_jobs.score import Options, main
from inference.devices.gpu import Gpu
from tests.beam_jobs.flags import DATAFLOW, options_of
from transforms.errors import ConfigError

BATCH, STREAM = Setting("service"), Setting("template", unbounded=True, native=True)
G2 = "--machine_type=g2-standard-8"


def job(gpu="nvidia-l4:1"):
    return Options(input="gs://b/in", output="gs://b/out/", model="gs://b/m", gpu=gpu)


@pytest.fixture(autouse=True)
def weights(monkeypatch):
    """The bytes of the model's one file."""
    sizes = [500_000_000]
    monkeypatch.setattr(gpus, "_files", lambda model: [SimpleNamespace(size=s) for s in sizes])
    return sizes


def services(setting, *flags, gpu="nvidia-l4:1"):
    """The service options of a job after it was set up."""
    options = options_of(*DATAFLOW, *flags)
    gpus.set_up(job(gpu), options, setting)
    return list(options.view_as(GoogleCloudOptions).dataflow_service_options or ())


def test_in_batches_the_step_asks_and_nothing_else_does():
    assert services(BATCH, G2) == []
    assert gpus.for_step(Gpu("nvidia-l4"), BATCH).hinted


def test_for_messages_the_job_asks_and_no_step_does():
    form = "worker_accelerator=type:nvidia-l4;count:1;install-nvidia-driver"
    given = "--dataflow_service_options=enable_google_cloud_profiler"
    assert services(STREAM, G2, given) == ["enable_google_cloud_profiler", form]
    assert not gpus.for_step(Gpu("nvidia-l4"), STREAM).hinted


@pytest.mark.parametrize(
    ("gpu", "one_process", "form"),
    [
        ("nvidia-l4:1", True, ""),
        ("nvidia-l4:1:single", True, ""),
        ("nvidia-l4:1:shared", False, ""),
        ("nvidia-l4:1:mps", False, ";use_nvidia_mps"),
    ],
)
def test_a_topology_is_a_number_of_processes(gpu, one_process, form):
    options = options_of(*DATAFLOW, G2)
    gpus.set_up(job(gpu), options, STREAM)
    experiments = options.view_as(DebugOptions).experiments or ()
    assert ("no_use_multiple_sdk_containers" in experiments) is one_process
    (asked,) = options.view_as(GoogleCloudOptions).dataflow_service_options
    assert asked.endswith(f"install-nvidia-driver{form}")


def test_the_plan_is_told_and_the_disk_is_set(capsys, weights):
    weights[:] = [2 * 2**30]
    options = options_of(*DATAFLOW, G2)
    gpus.set_up(job("nvidia-l4:1:mps"), options, BATCH)
    assert options.view_as(WorkerOptions).disk_size_gb == 50
    told = capsys.readouterr().err
    assert "1 x nvidia-l4 of 24.0 GiB on g2-standard-8, mps: 8 processes with the model" in told
    assert "model 16.0 GiB, CUDA 4.8 GiB, left for rows 3.2 GiB: 51 KiB for each of 8,192" in told
    assert "disk 50 GB" in told


def test_a_model_that_does_not_fit_is_refused(weights):
    weights[:] = [3 * 2**30]
    with pytest.raises(ConfigError, match=r"don't fit into the 24\.0 GiB of nvidia-l4.*:shared"):
        services(BATCH, G2, gpu="nvidia-l4:1:mps")
    assert services(BATCH, G2, gpu="nvidia-l4:1:shared") == []


def test_on_this_machine_nothing_asks():
    assert not gpus.for_step(Gpu("nvidia-l4"), Setting("local")).hinted


def test_without_gpus_any_machine_will_do():
    assert services(BATCH, "--machine_type=e2-standard-2", gpu=None) == []


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ([], "--machine_type is needed"),
        (["--machine_type=n1-standard-8"], "n1-standard-8 can't have --gpu nvidia-l4:1"),
        ([G2, "--flexrs_goal=COST_OPTIMIZED"], "--flexrs_goal: FlexRS has no machines with GPUs"),
        (
            [G2, "--dataflow_service_options=worker_accelerator=type:nvidia-l4;count:1"],
            "--dataflow_service_options: worker_accelerator asks for GPUs a second time",
        ),
        (
            [G2, "--experiments=worker_accelerator=type:nvidia-l4"],
            "--experiments: worker_accelerator asks",
        ),
        (
            [G2, "--resource_hints=accelerator=type:nvidia-l4"],
            "--resource_hints: accelerator asks",
        ),
        ([G2, "--disk_size_gb=30"], "--disk_size_gb: 30 GB are too few for the image"),
    ],
)
def test_what_can_not_work_is_refused(flags, told):
    with pytest.raises(ConfigError) as error:
        services(BATCH, *flags)
    assert told in str(error.value)


def test_a_local_run_fails_at_once_where_the_gpus_are_not_there(tmp_path, capsys):
    argv = [f"--input={tmp_path}/gone", f"--model={tmp_path}/gone", f"--output={tmp_path}/out/"]
    assert main([*argv, "--gpu=nvidia-tesla-a100:16"]) == 2
    assert "GPU nvidia-tesla-a100:16: TensorFlow sees " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_options_that_exclude_a_topology():
    one = "--experiments=no_use_multiple_sdk_containers"
    with pytest.raises(ConfigError, match="--experiments: no_use_multiple_sdk_containers leaves"):
        services(BATCH, G2, one, gpu="nvidia-l4:1:shared")
    prime = "--dataflow_service_options=enable_prime"
    with pytest.raises(ConfigError, match="enable_prime has no MPS: take :shared"):
        services(BATCH, G2, prime, gpu="nvidia-l4:1:mps")
