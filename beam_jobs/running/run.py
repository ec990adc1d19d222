"""What a job's pipeline gets of the run that it belongs to."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from beam_jobs.running.setting import Setting
    from transforms.commit.commit import Commit
    from transforms.commit.dead_letters import DeadLetters
    from transforms.commit.outputs import RunCommit


def _nowhere(kind: str) -> str | None:
    return None


@dataclass(frozen=True)
class Run:
    """What a job's `build` gets of the run.

    Attributes:
      run_id: Its name.
      dead_letters: The door for rejected rows; None lets the first one fail the job.
      commit: What the job writes belongs to.
      setting: Where and how it runs.
      findings: Where to write what a gate has found; None where the job has no output.
      evidence: Tells where to write evidence of a kind, beside the output; None where the job has
        none.
    """

    run_id: str
    dead_letters: "DeadLetters | None"
    commit: "RunCommit"
    setting: "Setting"
    findings: str | None = None
    evidence: "Callable[[str], str | None]" = _nowhere

    @property
    def whole(self) -> "Commit":
        """The commit of a bounded run, which publishes all at once."""
        return cast("Commit", self.commit)
