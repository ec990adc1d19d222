"""Two graphs compared: what is renamed, what is lost, what can't be read."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.updates.compare import Step, compare

GROUP = "beam:transform:group_by_key:v1"
PARDO = "beam:transform:pardo:v1"


def graph(*steps):
    return {step.name: step for step in steps}


READ = Step("Read/Messages", "beam:transform:pubsub_read:v1", coders=("bytes",), keeps=True)
KEY = Step("Window/Key", PARDO, ("Read/Messages",), ("kv(bytes, batch)",), "fixed 60")
SUM = Step("Window/Sum", GROUP, ("Window/Key",), ("kv(bytes, batch)",), "fixed 60", keeps=True)
HOLD = Step(
    "Hold/Buffer", PARDO, ("Window/Sum",), ("batch",), "fixed 60", (("rows", "bag of batch"),), True
)
OLD = graph(READ, KEY, SUM, HOLD)


def changed(name, **fields):
    steps = {**OLD, name: dataclasses.replace(OLD[name], **fields)}
    return graph(*steps.values())


def renamed(old, new):
    """The graph after a label was changed everywhere."""
    return graph(
        *(
            dataclasses.replace(
                step,
                name=step.name.replace(old, new),
                inputs=tuple(name.replace(old, new) for name in step.inputs),
            )
            for step in OLD.values()
        )
    )


def test_the_same_graph_needs_nothing():
    found = compare(OLD, OLD)
    assert (dict(found.mapping), *map(list, (found.added, found.removed, found.faults))) == (
        {}, [], [], [],
    )  # fmt: skip
    assert found.lines() == []


def test_a_renamed_composite_is_followed_into_its_steps():
    found = compare(OLD, renamed("Window", "WindowBatches"))
    assert found.mapping == {
        "Window/Key": "WindowBatches/Key",
        "Window/Sum": "WindowBatches/Sum",
    }
    assert found.faults == []
    assert found.lines()[-1].startswith('--transform_name_mapping=\'{"Window/Key": ')


def test_a_step_that_keeps_something_is_not_lost_unseen():
    new = graph(READ, KEY, SUM)
    assert compare(OLD, new).faults == ["Hold/Buffer is gone, and what it keeps with it"]


def test_a_step_without_state_may_come_and_go():
    found = compare(graph(READ, KEY), graph(READ, Step("Count", PARDO, ("Read/Messages",))))
    assert (list(found.removed), list(found.added), list(found.faults)) == (
        ["Window/Key"], ["Count"], [],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("new", "fault"),
    [
        (changed("Hold/Buffer", state=()), "Hold/Buffer no longer has the state rows"),
        (
            changed("Hold/Buffer", state=(("rows", "bag of pickled"),)),
            "Hold/Buffer has another state rows: bag of pickled, not bag of batch",
        ),
        (
            changed("Window/Sum", window="fixed 300"),
            "Window/Sum has other windows: fixed 300, not fixed 60",
        ),
        (
            changed("Window/Sum", coders=("kv(bytes, rows)",)),
            "Window/Sum has other coders: kv(bytes, rows), not kv(bytes, batch)",
        ),
        (
            changed("Window/Sum", kind=PARDO, state=()),
            f"Window/Sum is another kind of step: {PARDO}, not {GROUP}",
        ),
        (
            changed("Window/Sum", inputs=("Read/Messages",)),
            "Window/Sum groups the output of Read/Messages, not of Window/Key",
        ),
    ],
)
def test_what_an_heir_could_not_read(new, fault):
    assert compare(OLD, new).faults == [fault]


def test_a_mapping_of_the_user_is_kept_and_checked():
    new = renamed("Hold/Buffer", "Completely/Other")
    given_one = {"Hold/Buffer": "Completely/Other"}
    assert compare(OLD, new, given_one).mapping == given_one
    wrong = compare(OLD, OLD, {"Gone": "Window/Sum"})
    assert wrong.faults == ["the mapping names Gone -> Window/Sum, but there is no such step"]


LABELS = st.text("abcdefgh", min_size=1, max_size=6)


@given(LABELS.filter(lambda label: label not in ("Window", "Read", "Hold")))
def test_whatever_the_new_label_each_step_has_one_heir(label):
    found = compare(OLD, renamed("Window", label))
    assert len(set(found.mapping.values())) == len(found.mapping)
    assert all(OLD[old].kind == renamed("Window", label)[new].kind
               for old, new in found.mapping.items())  # fmt: skip
    kept = {name for name, step in OLD.items() if step.keeps and "Window" in name}
    lost = {fault.partition(" is gone")[0] for fault in found.faults}
    assert kept <= found.mapping.keys() | lost
