"""Where a job tells of incidents."""

from typing import TYPE_CHECKING

from transforms.families import family_of

if TYPE_CHECKING:
    from beam_jobs.running.run import Run
    from transforms.coders import Batches


def tell(events: "Batches", uri: str, run: "Run") -> None:
    """Writes the events of incidents to a topic, folder or file.

    They are evidence of a run: none of its rows, and told also where a gate says no. Of messages
    they are logged too; what files tell is printed when all of it is known.

    Args:
      events: Batches of schema `transforms.drift.incidents.events.EVENTS`.
      uri: Where to.
      run: The run.
    """
    from transforms.io.write import Write

    if run.setting.unbounded:
        events = logged(events)
    if not family_of(uri).staged:
        _ = events | "Alerts" >> Write(uri)
        return
    target = run.commit.target(uri, evidence=True)
    _ = events | "Alerts" >> Write(target.uri, run.commit)


def logged(events: "Batches") -> "Batches":
    """Returns the events as they are, and logs a line for each."""
    import apache_beam as beam
    import pyarrow as pa

    from transforms.drift.incidents.log import log_events

    found: Batches = events | "Log" >> beam.Map(log_events).with_output_types(pa.RecordBatch)
    return found
