"""Runners: what a job runs on, and what Beam's options become."""

import os

import pytest

from beam_jobs.running import runners
from tests.beam_jobs.flags import DATAFLOW, options_of
from transforms.errors import ConfigError


@pytest.mark.parametrize(
    ("argv", "workers", "mode"),
    [
        ([], max(1, len(os.sched_getaffinity(0)) // 2), "multi_threading"),
        (["--direct_num_workers=1"], 1, "in_memory"),
        (["--direct_num_workers=3"], 3, "multi_threading"),
        (["--direct_num_workers", "3", "--direct_running_mode=multi_processing"], 3,
         "multi_processing"),
        (["--direct_running_mode=in_memory"], 1, "in_memory"),
    ],
)  # fmt: skip
def test_a_local_run_has_a_worker_for_two_cores_unless_told(argv, workers, mode, monkeypatch):
    from apache_beam.options.pipeline_options import DirectOptions

    direct = options_of(*argv).view_as(DirectOptions)
    assert direct.direct_num_workers == workers
    assert direct.direct_running_mode == (mode if workers > 1 else "in_memory")


@pytest.mark.parametrize(
    ("argv", "place", "in_process"),
    [
        ([], "local", True),
        (["--runner=direct"], "local", True),
        (["--runner=PrismRunner"], "local", False),
        (["--runner=FlinkRunner", "--job_endpoint=localhost:8099"], "local", False),
        (["--runner=a.b.OwnRunner"], "local", False),
        (DATAFLOW, "service", False),
        (["--runner=dataflow", *DATAFLOW[1:]], "service", False),
        ([*DATAFLOW, "--template_location=gs://bucket/job_object"], "template", False),
    ],
)
def test_where_a_job_runs(argv, place, in_process):
    options = options_of(*argv)
    assert runners.place_of(options) == place
    assert runners.in_process(options) is in_process


def test_prism_is_the_one_that_was_built_unless_told(monkeypatch):
    from apache_beam.options.pipeline_options import PrismRunnerOptions

    def location(*argv):
        return options_of(*argv).view_as(PrismRunnerOptions).prism_location

    for there in ("/bin/prism", None):
        monkeypatch.setattr(runners, "built", lambda there=there: there)
        assert location("--runner=PrismRunner") == there
        assert location("--runner=PrismRunner", f"--prism_location={__file__}") == __file__
    assert location() is None


def test_the_main_session_is_never_saved():
    from apache_beam.options.pipeline_options import SetupOptions

    for argv in ([], DATAFLOW, [*DATAFLOW, "--save_main_session"]):
        assert options_of(*argv).view_as(SetupOptions).save_main_session is False


def without(name):
    return [argument for argument in DATAFLOW if not argument.startswith(f"--{name}=")]


@pytest.mark.parametrize(
    ("argv", "texts"),
    [
        (without("sdk_container_image"),
         ["--sdk_container_image=REGION-docker.pkg.dev", "score:0.1.0"]),
        (without("project"), ["--project is needed"]),
        ([*DATAFLOW, "--project=My Project"], ["'My Project' is not a project's id"]),
        (without("region"), ["--region is needed"]),
        (without("temp_location"), ["--temp_location is needed"]),
        ([*DATAFLOW, "--temp_location=/tmp/x"], ["--temp_location: '/tmp/x'", "gs://bucket/folder"]),
        ([*DATAFLOW, "--staging_location=gs://b/x"], ["--staging_location: 'gs://b/x'"]),
        ([*DATAFLOW, "--temp_location=gs://bucket"], ["--temp_location: 'gs://bucket'"]),
        ([*DATAFLOW, "--s3_secret_access_key=hush"], ["--s3_secret_access_key would be stored"]),
    ],
)  # fmt: skip
def test_what_dataflow_needs_is_checked_before_beam_guesses(argv, texts, monkeypatch):
    for name in ("GOOGLE_CLOUD_PROJECT", "CLOUDSDK_COMPUTE_REGION", "MILLRACE_IMAGE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError) as found:
        options_of(*argv)
    for text in texts:
        assert text in str(found.value)
    assert "hush" not in str(found.value)


def test_the_environment_fills_in(monkeypatch):
    from apache_beam.options.pipeline_options import GoogleCloudOptions, WorkerOptions

    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "proj-54321")
    monkeypatch.setenv("CLOUDSDK_COMPUTE_REGION", "us-east1")
    monkeypatch.setenv("MILLRACE_IMAGE", "registry/image:2")
    options = options_of("--runner=DataflowRunner", "--temp_location=gs://bucket/tmp")
    cloud = options.view_as(GoogleCloudOptions)
    assert (cloud.project, cloud.region) == ("proj-54321", "us-east1")
    assert options.view_as(WorkerOptions).sdk_container_image == "registry/image:2"


@pytest.mark.parametrize("more", [[], ["--template_location=gs://bucket/job_object"]])
def test_dataflow_reads_messages_by_itself(more, monkeypatch):
    from apache_beam.options.pipeline_options import PortableOptions, StandardOptions

    def look(location):
        raise AssertionError("Prism has nothing to do with it")

    monkeypatch.setattr(runners, "find", look)
    options = options_of(*DATAFLOW, *more)
    runners.configure_streaming(options)
    standard = options.view_as(StandardOptions)
    assert runners.reads_natively(options)
    assert (standard.streaming, standard.runner) == (True, "DataflowRunner")
    assert options.view_as(PortableOptions).environment_type != "LOOPBACK"


def test_others_read_messages_by_our_source_or_not_at_all(monkeypatch):
    monkeypatch.setattr(runners, "find", lambda location: "prism")
    options = options_of()
    runners.configure_streaming(options)
    assert not runners.reads_natively(options)
    with pytest.raises(ConfigError, match="OwnRunner does not run unbounded input here"):
        runners.configure_streaming(options_of("--runner=a.b.OwnRunner"))


@pytest.mark.parametrize(
    ("argv", "run_id", "name"),
    [
        (DATAFLOW, "score-20260101-000000-abc123", "score-20260101-000000-abc123"),
        (DATAFLOW, "7_Nightly.B", "run-7-nightly-b"),
        ([*DATAFLOW, "--job_name=mine"], "r1", "mine"),
        ([*DATAFLOW, "--template_location=gs://bucket/x", "--job_name=theirs"], "r1", "theirs"),
    ],
)
def test_a_remote_job_is_named_after_its_run(argv, run_id, name):
    from apache_beam.options.pipeline_options import GoogleCloudOptions

    options = options_of(*argv)
    runners.name_job(options, run_id)
    assert options.view_as(GoogleCloudOptions).job_name == name
