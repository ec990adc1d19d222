"""GPUs of a job's workers: one request for them, and pairs of options that can't work."""

import pytest
from apache_beam.options.pipeline_options import GoogleCloudOptions

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
