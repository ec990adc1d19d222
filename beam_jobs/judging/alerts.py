"""Where a job tells of incidents."""

from typing import TYPE_CHECKING

from transforms.families import family_of

if TYPE_CHECKING:
    from beam_jobs.running.run import Run
    from transforms.coders import Batches


def tell(events: "Batches", uri: str, run: "Run") -> None:
    """Writes the events of incidents to a topic, folder or file.

    They are evidence of a run: none of its rows, and told also where a gate says no.

    Args:
      events: Batches of schema `transforms.drift.incidents.events.EVENTS`.
      uri: Where to.
      run: The run.
    """
    from transforms.io.write import Write

    if not family_of(uri).staged:
        _ = events | "Alerts" >> Write(uri)
        return
    target = run.commit.target(uri, evidence=True)
    _ = events | "Alerts" >> Write(target.uri, run.commit)
