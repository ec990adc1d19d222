"""A topic as input: a local run reads it through a subscription of its own.

It is named after the run, so that the next start under the same `--run_id` finds it, with what came
meanwhile. It is deleted only where nobody could miss it: the run was drained, the user gave it no
name, and nothing waits.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from beam_jobs.options.declare import JobOptions
from beam_jobs.running.logs import say
from transforms.errors import ConfigError
from transforms.io.pubsub.uris import address_of

T = TypeVar("T", bound=JobOptions)
Resolved = TypeVar("Resolved")
_SETTLE_SECONDS = 6.0
"""Pulls that were in flight at the end of the run give back by then what they still bring."""


@dataclass(frozen=True)
class OwnSubscription:
    """The subscription that a run makes of its topic.

    Attributes:
      topic: `projects/P/topics/T`.
      name: `projects/P/subscriptions/millrace-RUN_ID`.
      run_id: The run.
      kept: Whether it stays although nothing waits in it: the user gave the run's name.
    """

    topic: str
    name: str
    run_id: str
    kept: bool

    def resolving(self, resolve: Callable[[T], Resolved]) -> Callable[[T], Resolved]:
        """Returns a job's `resolve` that sees this subscription in place of the topic."""

        def resolved(options: T) -> Resolved:
            _, mark, query = str(getattr(options, "input", "")).partition("?")
            changed: dict[str, Any] = {"input": f"pubsub://{self.name}{mark}{query}"}
            return resolve(replace(options, **changed))

        return resolved


def own_subscription(job: str, options: JobOptions) -> OwnSubscription | None:
    """Returns the subscription that a job needs; None if its input is no topic."""
    place = address_of(getattr(options, "input", None))
    if place is None or not place.is_topic:
        return None
    from transforms.commit.outputs import new_run_id

    run_id = options.run_id or new_run_id(job)
    name = f"{place.project}/subscriptions/millrace-{run_id}"
    return OwnSubscription(place.name, name, run_id, options.run_id is not None)


def run_subscribed(job: str, own: OwnSubscription, run: Callable[[], int]) -> int:
    """Runs with the subscription, and deletes it where nobody could miss it.

    Args:
      job: The job's name.
      own: The subscription.
      run: Reads until it is drained.

    Returns: The run's exit code.

    Raises:
      ConfigError: It can't be made, or the run can't begin.
    """
    from transforms.io.pubsub.clients import Subscriber

    client = Subscriber(own.name)
    try:
        made = client.subscribe(own.topic)
    except ConfigError as error:
        raise ConfigError(f"--input: {error}") from None
    since = "made on {}: what is published from now on" if made else "of {}: with what waits in it"
    say(job, f"reads subscription {own.name}, {since.format(own.topic)}")
    try:
        code = run()
    except ConfigError:
        # It did not begin: nothing may be left of it.
        if made:
            with contextlib.suppress(Exception):
                client.delete()
        raise
    say(job, ended(client, own, code))
    return code


def ended(client: Any, own: OwnSubscription, code: int) -> str:
    """Deletes the subscription of a run that has ended, or says why it stays.

    Args:
      client: A `Subscriber` of it.
      own: The subscription.
      code: The run's exit code.
    """
    from transforms.io.pubsub.clients import gcloud

    why = "the run failed" if code else "--run_id was given"
    if not code and not own.kept:
        try:
            if client.is_empty(_SETTLE_SECONDS):
                client.delete()
                return f"subscription {own.name} is deleted: nothing waited in it"
            why = "messages wait in it"
        except Exception as error:
            why = f"it could not be deleted ({type(error).__name__})"
    return (
        f"subscription {own.name} stays: {why}\n"
        f"  to go on with it: --run_id={own.run_id}\n"
        f"  to delete it, with what waits in it: {gcloud('delete', own.name)}"
    )
