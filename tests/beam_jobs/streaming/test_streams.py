"""Messages where the runner reads them by itself: which options mean nothing there."""

import dataclasses

import pytest

from beam_jobs.options.declare import declared, option
from beam_jobs.options.streaming import GROUP, StreamOptions
from beam_jobs.streaming.streams import (
    LEASES_END_SECONDS,
    NOT_NATIVE,
    check_native,
    check_relevant,
    hold,
    kept_columns,
    lateness,
)
from transforms.commit.stream.commit import StreamCommit
from transforms.errors import ConfigError
from transforms.io.inputs import resolve_input
from transforms.windows.assign import ANY_LATENESS


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(StreamOptions):
    """Reads messages.

    Examples:
      python -m beam_jobs.none --input pubsub://projects/p/subscriptions/s
    """

    input: str = option("Messages.", messages=True, kind="GCS_READ_FILE")


def options(**given):
    return Options(input="pubsub://projects/p/subscriptions/sub", **given)


def test_what_means_nothing_there_is_not_in_the_template():
    streaming = [each for each in declared(Options) if each.group == GROUP]
    assert {each.name for each in streaming if not each.in_template} == set(NOT_NATIVE)


def test_defaults_are_fine():
    check_native(options())
    check_native(options(window=5, event_time_column="time", dedup_key="key"))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"allowed_lateness": 60.0}, "no row is too late there"),
        ({"late": "dead_letters"}, "no row is too late there"),
        ({"max_disorder": 1.0}, "follows event time by itself"),
        ({"idle_after": 1.0}, "follows event time by itself"),
        ({"dedup_horizon": 60.0}, "ten minutes"),
        ({"deadline": 1.0}, "at once"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(given, why):
    (name,) = given
    with pytest.raises(ConfigError, match=f"--{name} is for local runs.*{why}.*Leave it out"):
        check_native(options(**given))


def test_how_late_rows_may_be():
    given = options(allowed_lateness=60.0, window=5.0)
    assert lateness(given, native=False) == {"allowed_lateness": 60.0}
    assert lateness(options(window=5.0), native=True) == {
        "allowed_lateness": ANY_LATENESS,
        "late_wait": 5.0,
    }


def test_event_time_stands_still_after_a_kill(tmp_path):
    def start():
        commit = StreamCommit("job", "r1")
        commit.target(f"{tmp_path}/out/")
        return commit

    def none():
        raise AssertionError("nobody has to look")

    assert hold(options(), start(), none) == 0
    killed = start()
    killed.prepare()
    killed.unlock()
    again = start()
    assert hold(options(), again, lambda: 10) == LEASES_END_SECONDS
    assert again.told_first.startswith("run r1 goes on after a kill: windows wait 75 s")
    assert hold(options(), start(), lambda: 600) == 615, "what was just pulled has such a lease"
    late = options(allowed_lateness=100.0)
    assert hold(late, start(), lambda: 10) == 0, "they are not too late then"


def test_a_limit_is_for_files():
    with pytest.raises(ConfigError, match="--limit is for files"):
        resolve_input("pubsub://projects/p/subscriptions/sub", None, limit=3)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"overwrite": True}, "adds to its output"),
        ({"max_rejected_fraction": 0.1}, "no end at which"),
        ({"allow_unreadable_files": True}, "no files to read"),
    ],
)
def test_what_means_nothing_for_messages_is_refused(given, why):
    (name,) = given
    with pytest.raises(ConfigError, match=f"--{name} is for files.*{why}"):
        check_relevant(options(**given))


@pytest.mark.parametrize("given", [{"window": 5.0}, {"late": "dead_letters"}, {"dedup_key": "a"}])
def test_what_means_nothing_for_files_is_refused(given):
    (name,) = given
    files = dataclasses.replace(options(**given), input="in.csv")
    with pytest.raises(ConfigError, match=f"--{name} is for messages, and the input is files"):
        check_relevant(files)
    check_relevant(dataclasses.replace(options(), input="in.csv", overwrite=True))


def test_the_columns_of_messages_that_are_kept():
    source = resolve_input("pubsub://projects/local/subscriptions/sub?format=text", None)
    assert kept_columns(source, "out/") == ("message_id",)
    topic = "pubsub://projects/p/topics/top"
    assert kept_columns(source, topic) == ("message_id", "ordering_key")
