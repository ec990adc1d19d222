"""Jobs on a Flink cluster: what its runner is given, and what can't run there."""

import contextlib
import json
import re
import shutil
import socket
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlparse

from apache_beam import __version__ as beam_version
from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    GoogleCloudOptions,
    PortableOptions,
)

from transforms.errors import ConfigError

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

NAME = "flinkrunner"
"""The runner's name, as `runners.runner_name` gives it."""
STREAMS_REFUSED = (
    "--runner: FlinkRunner runs jobs of files here, not of messages. With the versions of Beam's "
    "runner for Flink that are published, a stream came back from a killed worker with windows "
    "that lacked rows, and others that were written twice. Leave out --runner for Prism on this "
    "machine, or use DataflowRunner"
)
_KEPT_SECONDS = 60
_CANCEL_SECONDS = 30.0
_REACH_SECONDS = 10.0
_TEN_YEARS = 10 * 365 * 86_400
_HERE = ("localhost", "127.0.0.1", "::1")


def set_up(options: "PipelineOptions") -> None:
    """Sets what Flink's runner needs and was not given.

    Raises:
      ConfigError: It isn't said where the cluster is, or where Python's workers run.
    """
    portable = options.view_as(PortableOptions)
    flink = options.view_as(FlinkRunnerOptions)
    if not portable.job_endpoint and flink.flink_master in ("[auto]", "[local]"):
        raise ConfigError(
            "--job_endpoint is needed by FlinkRunner: the address of Beam's job server at your "
            "cluster, localhost:8099, say. `make flink` in a checkout starts a cluster here"
        )
    if not portable.job_endpoint:
        _check_job_server(flink)
    if not portable.environment_type:
        _use_loopback(portable)
    if portable.environment_type == "LOOPBACK" and not int(portable.environment_cache_millis):
        # The stages of a job share a worker. One of another process may be killed, and Beam would
        # ask it again as long as it is kept: so there each stage starts its own.
        portable.environment_cache_millis = _KEPT_SECONDS * 1000
    # Else the wait for the job would end after five minutes.
    portable.job_server_timeout = _TEN_YEARS


def _check_job_server(flink: FlinkRunnerOptions) -> None:
    """Checks that Beam can start a job server of its own, where none is named."""
    if shutil.which("java") is None:
        raise ConfigError(
            "--job_endpoint is needed where there is no Java: without it Beam starts a job server "
            "here, which needs Java 17. On Debian: apt install openjdk-17-jre-headless"
        )
    if not flink.flink_job_server_jar:
        raise ConfigError(
            "--job_endpoint is needed, or --flink_job_server_jar: Beam would fetch a job server "
            f"for Flink {flink.flink_version}, and Maven Central has none of Beam {beam_version}. "
            "`make flink` in a checkout starts one"
        )


def check_endpoint(endpoint: str) -> None:
    """Checks that something listens at a job server's address; Beam would wait for it for ever.

    Raises:
      ConfigError: Nothing does, or it is no address.
    """
    where = urlparse(f"//{endpoint}")
    try:
        if not where.hostname or not where.port:
            raise ValueError
        socket.create_connection((where.hostname, where.port), _REACH_SECONDS).close()
    except ValueError:
        raise ConfigError(f"--job_endpoint: {endpoint!r} is not of the form HOST:PORT") from None
    except OSError as error:
        raise ConfigError(
            f"--job_endpoint: no job server answers at {endpoint} ({error.strerror or error}); "
            "`make flink` in a checkout starts one at localhost:8099"
        ) from None


def _use_loopback(portable: PortableOptions) -> None:
    """Has this process do the work, where the cluster can reach it."""
    endpoint = portable.job_endpoint or ""
    if endpoint and urlparse(f"//{endpoint}").hostname not in _HERE:
        raise ConfigError(
            f"--environment_type is needed, for the cluster at {endpoint} can't reach this "
            "process: EXTERNAL with --environment_config=localhost:50000 for pools of workers "
            "beside its task managers, or DOCKER with --environment_config=IMAGE"
        )
    portable.environment_type = "LOOPBACK"


def name_job(options: "PipelineOptions", run_id: str) -> None:
    """Names the job after its run, unless the user named it: so it can be found at the cluster."""
    cloud = options.view_as(GoogleCloudOptions)
    # Beam makes others of upper case and underscores.
    cloud.job_name = cloud.job_name or re.sub("[^a-z0-9]+", "-", run_id.lower()).strip("-")


def cancel(options: "PipelineOptions") -> None:
    """Cancels a job at its cluster, and waits until nothing of it runs there.

    Beam's job server only stops waiting for a job that is cancelled, and lets it run.
    """
    master = options.view_as(FlinkRunnerOptions).flink_master
    if master in ("[auto]", "[local]"):
        print(
            "the job may go on at the cluster: with --flink_master=HOST:PORT it is cancelled there",
            file=sys.stderr,
        )
        return
    host, name = re.sub("^https?://", "", master), options.view_as(GoogleCloudOptions).job_name
    until = time.monotonic() + _CANCEL_SECONDS
    with contextlib.suppress(OSError, ValueError, KeyError):
        while ids := _unended(host, name):
            for each in ids:
                _ask(host, f"/jobs/{quote(each)}?mode=cancel", "PATCH")
            if time.monotonic() > until:
                return
            time.sleep(0.2)


def _unended(host: str, name: str | None) -> list[str]:
    """Returns the ids of the jobs of this name that still run."""
    ended = ("FINISHED", "CANCELED", "FAILED")
    jobs = _ask(host, "/jobs/overview")["jobs"]
    return [job["jid"] for job in jobs if job["name"] == name and job["state"] not in ended]


def _ask(host: str, path: str, method: str = "GET") -> Any:
    request = urllib.request.Request(f"http://{host}{path}", method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or b"{}")
