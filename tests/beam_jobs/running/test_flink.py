"""Flink: what its runner is given, what can't run there, and what its errors become."""

import pytest
from apache_beam.options.pipeline_options import FlinkRunnerOptions, PortableOptions

from beam_jobs.running import runners
from beam_jobs.running.failures import explain
from tests.beam_jobs.flags import options_of
from transforms.errors import ConfigError

HERE = ("--runner=FlinkRunner", "--job_endpoint=localhost:8099")


def test_this_process_works_for_a_cluster_on_this_machine():
    options = options_of(*HERE)
    portable = options.view_as(PortableOptions)
    assert portable.environment_type == "LOOPBACK"
    assert portable.job_server_timeout > 300 * 86_400
    assert portable.environment_cache_millis == 60_000
    assert runners.retries(options)
    assert not runners.retries(options_of())


def test_what_is_given_stays():
    options = options_of(
        "--runner=flink",
        "--job_endpoint=master:8099",
        "--environment_type=EXTERNAL",
        "--environment_config=localhost:50000",
        "--environment_cache_millis=5",
        "--parallelism=3",
    )
    assert options.view_as(PortableOptions).environment_type == "EXTERNAL"
    assert options.view_as(PortableOptions).environment_cache_millis == "5"
    assert options.view_as(FlinkRunnerOptions).parallelism == 3


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["--runner=FlinkRunner"], "--job_endpoint is needed by FlinkRunner"),
        (
            ["--runner=FlinkRunner", "--job_endpoint=master:8099"],
            "--environment_type is needed, for the cluster at master:8099 can't reach this process",
        ),
    ],
)
def test_what_is_missing(argv, told):
    with pytest.raises(ConfigError, match=told):
        options_of(*argv)


def test_messages_are_refused():
    with pytest.raises(ConfigError, match="FlinkRunner runs jobs of files here, not of messages"):
        runners.configure_streaming(options_of(*HERE))


def test_an_error_of_a_worker_loses_the_frames_of_java():
    told = (
        "Pipeline job_1 failed in state FAILED: java.lang.RuntimeException: Error received from "
        "SDK harness for instruction 5: Traceback (most recent call last):\n"
        '  File "apache_beam/runners/common.py", line 1 in process\n'
        '  File "/x/score.py", line 9, in run\n'
        "    raise RejectedRows(text)\n"
        "transforms.errors.RejectedRows: 3 rows were rejected [while running 'Score/Run']\n"
        "\n"
        "\tat org.apache.beam.Some.get(Some.java:1)\n"
        "\t... 3 more\n"
    )
    assert explain(RuntimeError(told)) == (1, "3 rows were rejected")
