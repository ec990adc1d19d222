"""Incidents: the state machine, and the verb on verdicts that come in any order."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import batch_of, run_on
from tests.support_streams import run_stream, stream
from transforms.drift.confirm import ConfirmDrift
from transforms.drift.counting.counts import count_batch
from transforms.drift.detect import DetectDrift
from transforms.drift.incidents.confirm import Confirmer, confirm
from transforms.drift.incidents.events import EVENTS
from transforms.drift.incidents.series import Confirmation, Series, Sighting, step
from transforms.drift.judging.compare import Comparer
from transforms.drift.judging.verdicts import Window
from transforms.drift.make import build_baseline
from transforms.errors import ConfigError

HOUR = 3600 * 10**6
RULE = Confirmation(renotify=0)


def told(signs, rule=RULE, bound=6.0):
    """What is told of windows: x differs, w by its own test, . not, - is not judged."""
    series, found = Series(), []
    for place, sign in enumerate(signs):
        strong = sign == "x"
        seen = Sighting(
            place, place + 1, strong, sign == "w", sign != "-", "DRIFT" if strong else ""
        )
        series, event, incident = step(series, seen, rule, bound)
        if event:
            found.append((place, event, incident.since))
    return found


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ("....", []),
        ("x...x..", []),
        ("xx", [(1, "OPENED", 0)]),
        ("x.x", [(2, "OPENED", 0)]),
        ("x--x", [(3, "OPENED", 0)]),
        ("xw", [(1, "OPENED", 0)]),
        ("wx", [(1, "OPENED", 0)]),
        ("wwww", []),
        ("xx..x...", [(1, "OPENED", 0), (7, "RECOVERED", 0)]),
        ("xx.-.-.", [(1, "OPENED", 0), (6, "RECOVERED", 0)]),
        ("xx...x...xx", [(1, "OPENED", 0), (4, "RECOVERED", 0), (10, "OPENED", 9)]),
    ],
)
def test_two_of_three_and_three_clean(signs, expected):
    assert told(signs) == expected


def test_told_again_while_it_goes_on():
    found = told("xxxxxxx", Confirmation(renotify=2))
    assert found == [(1, "OPENED", 0), (3, "ONGOING", 0), (5, "ONGOING", 0)]


@given(st.text("x.w-", max_size=30))
def test_events_alternate(signs):
    names = [event for _, event, _ in told(signs)]
    assert names == ["OPENED", "RECOVERED"] * (len(names) // 2) + ["OPENED"] * (len(names) % 2)


def slow(values, excess=0.01, bound=6.0):
    series, found = Series(), []
    for place, z in enumerate(values):
        seen = Sighting(place, place + 1, z=z, excess=excess)
        series, event, incident = step(series, seen, RULE, bound)
        found += [(place, event, incident.cause)] if event else []
    return found


def test_small_differences_add_up():
    assert slow([0.4] * 50) == []
    assert slow([1.5] * 10) == [(5, "OPENED", "slow")]
    assert slow([1.5] * 10, excess=-0.01) == [], "certain, but too small to matter"
    assert slow([100.0]) == [], "one window alone is none"
    over = slow([1.5] * 30 + [0.0] * 3)
    assert over == [(5, "OPENED", "slow"), (32, "RECOVERED", "slow")]


def test_a_large_difference_is_over_when_it_ends():
    """Though the sum of small ones is still high."""
    signs = [(True, 9.0)] * 4 + [(False, 0.7)] * 3
    series, found = Series(), []
    for place, (strong, z) in enumerate(signs):
        seen = Sighting(place, place + 1, strong, z=z, excess=1.0)
        series, event, _ = step(series, seen, RULE, 6.0)
        found += [(place, event)] if event else []
    assert found == [(1, "OPENED"), (6, "RECOVERED")]


def test_small_differences_without_drift_are_few():
    """One sum alarms about once in 2,600 windows, and thirty of them no sooner."""
    draw = np.random.default_rng(5)
    rule, opened = Confirmation(), 0
    for _ in range(30):
        opened += len(slow(draw.normal(size=3000).tolist(), bound=rule.bound(30)))
    assert opened <= 8


def test_wrong_rules():
    with pytest.raises(ConfigError, match="at most those it is of"):
        Confirmation(needed=4, of=3)
    with pytest.raises(ConfigError, match="clean is 1"):
        Confirmation(clean=0)
    with pytest.raises(ConfigError, match="wait"):
        ConfirmDrift(wait=-1)


def rows(hours, first=0, moved=(), seed=0, number=400, silent=()):
    draw, parts = np.random.default_rng(seed), []
    for hour in range(hours):
        size = 0 if hour in silent else number
        micros = (first + hour) * HOUR + np.sort(draw.integers(0, HOUR, size))
        shift = 1.0 if hour in moved else 0.0
        parts.append(
            batch_of(
                time=pa.array(micros, pa.timestamp("us")),
                amount=draw.normal(shift, 1, size),
                kind=pa.array(draw.choice(["Cash", "Card"], size), pa.string()),
            )
        )
    return parts


BASE = build_baseline(rows(40), "time", 3600)
COMPARE = Comparer(BASE)


def verdicts(parts, first=100):
    found = []
    for place, part in enumerate(parts):
        start = (first + place) * HOUR
        counts = count_batch(BASE.layout, part.drop_columns(["time"]))
        found.append(COMPARE(counts, Window(start, start + HOUR)))
    return found


def brief(events):
    """Each event in short: the hour at which its window begins."""
    return [
        (
            round(row["window_start"].timestamp()) // 3600 - 100,
            row["event"],
            row["column"],
            row["severity"],
        )
        for row in events.to_pylist()
    ]


SHIFTED = rows(12, 100, moved=(4, 5, 6), seed=1)
EXPECTED = [(5, "OPENED", "amount", "DRIFT"), (9, "RECOVERED", "amount", "DRIFT")]


def test_a_planted_shift_is_one_incident_and_recovers():
    events = confirm(verdicts(SHIFTED))
    assert brief(events) == EXPECTED
    assert events.schema.equals(EVENTS)
    first, last = events.to_pylist()
    assert first["incident_id"] == last["incident_id"]
    assert first["event_id"] != last["event_id"]
    assert round(first["since"].timestamp()) == 104 * 3600
    assert (first["windows"], last["windows"]) == (2, 3)
    assert first["adjusted_psi"] > 0.1


@given(st.permutations(range(12)))
def test_the_order_of_verdicts_changes_nothing(order):
    found = verdicts(SHIFTED)
    assert confirm([found[at] for at in order]).equals(confirm(found))


def test_silence_is_an_incident():
    events = confirm(verdicts(rows(8, 100, silent=(2, 3), seed=2)))
    assert brief(events) == [(3, "OPENED", None, "NO_DATA"), (6, "RECOVERED", None, "NO_DATA")]


def test_silence_between_verdicts_is_one_too():
    """Of messages a window without rows has no verdict."""
    found = verdicts(rows(8, 100, silent=(2, 3), seed=2))
    told = [each for each in found if each["rows"][0].as_py()]
    assert confirm(told, period_us=HOUR).equals(confirm(found))
    assert confirm(told).num_rows == 0


@pytest.mark.parametrize(("silence", "expected"), [(0, []), (2, [(4, "OPENED", None, "NO_DATA")])])
def test_silence_is_told_before_rows_come_again(silence, expected):
    given = stream()
    for place, part in enumerate(verdicts(rows(3, 100, seed=2))):
        given = given.add_elements([part]).advance_watermark_to((101 + place) * 3600)
    for hour in range(104, 120):
        given = given.advance_watermark_to(hour * 3600)
    verb = ConfirmDrift(period=3600, silence=silence)
    found, _ = run_stream(given.advance_watermark_to_infinity(), lambda some: some | verb)
    assert brief(pa.Table.from_batches(found, EVENTS)) == expected


def test_early_results_and_revisions():
    """Early ones count for nothing, and of several results of a window the last one counts."""
    found, wrong = verdicts(SHIFTED), verdicts(rows(12, 100, moved=range(12), seed=3))
    start = 103 * HOUR
    odd = count_batch(BASE.layout, SHIFTED[5].drop_columns(["time"]))
    early = COMPARE(odd, Window(start, start + HOUR, 0, "early"))
    assert confirm([early, *found]).equals(confirm(found))
    late = [wrong[7].set_column(6, "revision", pa.array([1] * wrong[7].num_rows))]
    assert brief(confirm([*late, *found])) == [
        (5, "OPENED", "amount", "DRIFT"),
        (10, "RECOVERED", "amount", "DRIFT"),
    ]


def test_the_verb_on_bounded_verdicts():
    found = run_on(verdicts(SHIFTED)[::-1], lambda given: given | ConfirmDrift())
    assert brief(pa.Table.from_batches(found, EVENTS)) == EXPECTED


def detected(some, **settings):
    verb = DetectDrift(BASE, 3600, event_time_column="time", allowed_lateness=7200)
    return some | verb | ConfirmDrift(wait=7200, **settings)


def test_a_stream_with_a_shift():
    """Late rows revise windows, which are final two hours after their end."""
    given = stream()
    for place, part in enumerate(SHIFTED):
        late = part.slice(0, 40)
        given = given.add_elements([part.slice(40)])
        given = given.advance_watermark_to((100 + place + 1) * 3600).add_elements([late])
    found, _ = run_stream(given.advance_watermark_to_infinity(), detected)
    events = pa.Table.from_batches(found, EVENTS)
    assert brief(events) == EXPECTED
    whole = run_on(SHIFTED, detected)
    assert events.equals(pa.Table.from_batches(whole, EVENTS))


def test_a_revision_after_the_end_changes_no_incident():
    parts = verdicts(SHIFTED)
    given = stream()
    for place, part in enumerate(parts):
        given = given.add_elements([part]).advance_watermark_to((101 + place) * 3600)
    late = verdicts(rows(12, 100, moved=range(12), seed=9))[8]
    late = late.set_column(6, "revision", pa.array([1] * late.num_rows))
    given = given.add_elements([late]).advance_watermark_to_infinity()
    found, _ = run_stream(given, lambda some: some | ConfirmDrift())
    assert brief(pa.Table.from_batches(found, EVENTS)) == EXPECTED
    assert brief(confirm([*parts, late])) != EXPECTED, "it would, if it came in time"


def test_state_is_small():
    confirmer = Confirmer()
    for each in verdicts(rows(6, 100, seed=4)):
        confirmer.add(each)
    assert set(confirmer.series) <= {("", "amount"), ("", "kind"), ("", None)}
