"""Submitting: what a job on a service tells, waited for or not."""

import pytest

from beam_jobs import launch
from tests.beam_jobs.flags import DATAFLOW, options_of
from transforms.errors import MillraceError


class Submitted:
    """A pipeline, and its result once it was submitted to a service."""

    def __init__(self, state="DONE", has_job=True):
        self.state, self.has_job, self.waited = state, has_job, False

    def run(self):
        return self

    def job_id(self):
        return "2026-01-01_job"

    def wait_until_finish(self):
        self.waited = True
        if self.state == "INTERRUPT":
            raise KeyboardInterrupt
        return self.state


LINK = (
    "https://console.cloud.google.com/dataflow/jobs/europe-west1/2026-01-01_job?project=proj-12345"
)


def test_a_remote_job_is_submitted_and_its_link_shown(capsys):
    job = Submitted()
    assert launch._submit("score", job, options_of(*DATAFLOW), wait=False) == 0
    assert not job.waited
    assert capsys.readouterr().err == f"score: submitted as job 2026-01-01_job\n  {LINK}\n"


@pytest.mark.parametrize(("state", "code"), [("DONE", 0), ("INTERRUPT", 130)])
def test_a_remote_job_is_waited_for_on_demand(capsys, state, code):
    job = Submitted(state)
    assert launch._submit("score", job, options_of(*DATAFLOW), wait=True) == code
    assert job.waited
    assert ("the job goes on" in capsys.readouterr().err) is (code == 130)


def test_a_remote_job_that_fails_is_a_failure():
    with pytest.raises(MillraceError, match="job 2026-01-01_job ended as CANCELLED"):
        launch._submit("score", Submitted("CANCELLED"), options_of(*DATAFLOW), wait=True)


def test_a_templates_launcher_does_nothing_after_it_has_built_the_job(capsys):
    job = Submitted(has_job=False)
    options = options_of(*DATAFLOW, "--template_location=gs://bucket/job_object")
    assert launch._submit("score", job, options, wait=True) == 0
    assert not job.waited
    assert capsys.readouterr().err == ""
