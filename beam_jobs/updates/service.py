"""Jobs that Dataflow runs now, by their names; and what may be asked of them."""

import re
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from transforms.errors import ConfigError, MillraceError
from transforms.nearest import nearest

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

ENDS = ("JOB_STATE_DONE", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_UPDATED",
        "JOB_STATE_DRAINED")  # fmt: skip
_SECONDS = 5.0
_MOST_ERRORS = 5
_ADVICE = (
    (
        re.compile("ZONE_RESOURCE_POOL_EXHAUSTED|resource pool exhausted|stockout", re.I),
        "the zone has no such machines or GPUs now: leave out --worker_zone, name another "
        "--worker_region, use a reservation "
        "(--experiments=automatically_use_created_reservation), or launch without --gpu",
    ),
    (
        re.compile("quota", re.I),
        "the project may not have so many there: ask for more, or lower --max_num_workers",
    ),
    (
        re.compile("no space left on device|disk is full|DiskPressure", re.I),
        "image and model have to fit twice: raise --disk_size_gb, take the image without CUDA "
        "where no GPU is used, and keep the model in a bucket",
    ),
    (
        re.compile("image ?pull|failed to pull|manifest unknown|ErrImagePull", re.I),
        "the workers can't pull --sdk_container_image: see that the tag is there, and that their "
        "account has roles/artifactregistry.reader",
    ),
    (
        re.compile("permission|forbidden|\\b403\\b", re.I),
        "docs/operations.md lists which account needs which role",
    ),
)
"""What the service's errors mean, the first that fits."""


class Jobs:
    """The jobs of a project and region.

    Args:
      options: Beam's options: `project`, `region`, and how the service is reached.
    """

    def __init__(self, options: "PipelineOptions") -> None:
        from apache_beam.options.pipeline_options import GoogleCloudOptions
        from apache_beam.runners.dataflow.internal.apiclient import DataflowApplicationClient

        self._cloud = options.view_as(GoogleCloudOptions)
        self._client = DataflowApplicationClient(options)

    def active(self) -> Iterator[Any]:
        """Yields the jobs that have not come to their end, page by page.

        Beam's own search for a name goes on for ever where there is none: it asks for the page
        after the last, which is named by an empty text and not by None.
        """
        from google.cloud import dataflow_v1beta3 as dataflow

        request = dataflow.ListJobsRequest(
            project_id=self._cloud.project,
            location=self._cloud.region,
            filter=dataflow.ListJobsRequest.Filter.ACTIVE,
        )
        yield from (
            job
            for job in self._client._jobs_client.list_jobs(request=request)
            if job.current_state.name not in ENDS
        )

    def named(self, name: str) -> Any:
        """Returns the job of a name.

        Raises:
          ConfigError: No such job runs; the text lists those that do.
        """
        known = {}
        for job in self.active():
            if job.name == name:
                return job
            known[job.name] = job
        there = f"; there are {', '.join(sorted(known))}" if known else "; there is none at all"
        raise ConfigError(
            f"no job named {name!r} runs in {self._cloud.project}, {self._cloud.region}"
            f"{nearest(name, known) or there}"
        )

    def whole(self, job_id: str) -> Any:
        """Returns all of a job, its options among it."""
        from google.cloud import dataflow_v1beta3 as dataflow

        request = dataflow.GetJobRequest(
            project_id=self._cloud.project,
            location=self._cloud.region,
            job_id=job_id,
            view=dataflow.JobView.JOB_VIEW_ALL,
        )
        return self._client._jobs_client.get_job(request=request)

    def state(self, job_id: str) -> str:
        """Returns a job's state, such as JOB_STATE_RUNNING."""
        return str(self._client.get_job(job_id).current_state.name)

    def errors(self, job_id: str) -> list[str]:
        """Returns what the service says went wrong with a job, and what to do where it is known."""
        from google.api_core.exceptions import GoogleAPIError

        try:
            found, _ = self._client.list_messages(job_id, minimum_importance="JOB_MESSAGE_ERROR")
        except GoogleAPIError as error:
            return [f"its messages can't be read: {error}"]
        texts = list(dict.fromkeys(str(message.message_text) for message in found))
        return [" ".join(text.split()) + advice(text) for text in texts[-_MOST_ERRORS:]]

    def stop(self, job_id: str, how: str) -> None:
        """Asks for a job's end: `drain` lets it finish what it has read, `cancel` does not."""
        state = "JOB_STATE_DRAINING" if how == "drain" else "JOB_STATE_CANCELLED"
        self._client.modify_job_state(job_id, state)

    def wait(self, job_id: str, tell: Callable[[str], None], seconds: float = _SECONDS) -> str:
        """Waits for a job's end.

        Args:
          job_id: The job.
          tell: Takes each state that it gets into.
          seconds: How long to wait between two looks.

        Returns: Its last state.
        """
        last = ""
        while True:
            state = self.state(job_id)
            if state != last:
                tell(state)
            if state in ENDS:
                return state
            last = state
            time.sleep(seconds)


def advice(text: str) -> str:
    """Returns what to do about an error of the service; "" where we know no better."""
    return next((f" -> {way}" for known, way in _ADVICE if known.search(text)), "")


def graph_of(job: Any) -> Any:
    """Returns the graph of a running job, from where its launch stored it.

    Raises:
      MillraceError: It is not there any more, or can't be read.
    """
    from apache_beam.portability.api import beam_runner_api_pb2 as api

    from transforms.files.filesystem import read_bytes

    options = dict(job.environment.sdk_pipeline_options or {}).get("options") or {}
    place = dict(options).get("pipelineUrl") or dict(options).get("pipeline_url")
    if not place:
        raise MillraceError(f"job {job.id} names no graph")
    try:
        return api.Pipeline.FromString(read_bytes(str(place)))
    except OSError as error:
        raise MillraceError(f"the graph of job {job.id} can't be read: {error}") from None
