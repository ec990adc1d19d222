"""Jobs on Dataflow: python -m beam_jobs.dataflow drain NAME --project=P --region=R."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from beam_jobs.running.failures import report
from beam_jobs.running.logs import say

if TYPE_CHECKING:
    from beam_jobs.updates.service import Jobs

COMMAND = "python -m beam_jobs.dataflow"
_ABOUT = """\
Looks at a job on Dataflow, or ends it. `drain` lets a job of messages finish what it has read:
windows that are open are closed, so what they hold is published as it is. `cancel` drops it;
messages that were not acknowledged come again.

Other options are Beam's. Exit codes: 0 done, 1 failed, 2 wrong usage.
"""
_GOOD = ("JOB_STATE_DONE", "JOB_STATE_DRAINED", "JOB_STATE_UPDATED")


def main(argv: Sequence[str] | None = None) -> int:
    """Looks at a job, or ends it; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=_ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("status", "drain", "cancel"))
    parser.add_argument("name", help="the job's name")
    parser.add_argument("--project", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--wait", action="store_true", help="wait for the job's end")
    given, rest = parser.parse_known_args(argv)
    try:
        from apache_beam.options.pipeline_options import PipelineOptions

        from beam_jobs.options.beam import check
        from beam_jobs.updates.service import Jobs

        flags = [f"--project={given.project}", f"--region={given.region}", *rest]
        jobs = Jobs(PipelineOptions(check(flags, ["--wait"])))
        return _act(jobs, given.what, given.name, given.wait)
    except KeyboardInterrupt:
        return say("dataflow", "no longer waiting; the job goes on", 130)
    except Exception as error:
        return report("dataflow", error)


def _act(jobs: "Jobs", what: str, name: str, wait: bool) -> int:
    job = jobs.named(name)
    print(f"{job.name} {job.id} {job.current_state.name}", flush=True)
    if what != "status":
        jobs.stop(job.id, what)
    if not wait:
        return _told(jobs, job.id, 0)
    last = jobs.wait(job.id, lambda state: print(state, flush=True))
    wanted = (*_GOOD, "JOB_STATE_CANCELLED") if what == "cancel" else _GOOD
    if last in wanted:
        return 0
    _told(jobs, job.id, 1)
    return say("dataflow", f"the job ended as {last}", 1)


def _told(jobs: "Jobs", job_id: str, code: int) -> int:
    """Prints what the service says went wrong with a job; returns the code."""
    for line in jobs.errors(job_id):
        print(f"  {line}", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
