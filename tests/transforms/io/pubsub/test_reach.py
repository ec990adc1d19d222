"""Whether a service answers."""

from transforms.io.pubsub.reach import PATIENCE, Reach


def reach():
    clock = [1000.0]
    return Reach("It", lambda: clock[0]), clock


def test_answers_without_a_break():
    here, clock = reach()
    assert here.since() is None
    here.answered()
    clock[0] += PATIENCE
    assert (here.since(), here.silent()) == (1000.0, PATIENCE)
    here.answered()
    clock[0] += PATIENCE
    assert here.since() == 1000.0


def test_a_break_in_silence():
    here, clock = reach()
    here.answered()
    clock[0] += PATIENCE + 1
    assert here.since() is None
    here.answered()
    assert here.since() == 1000.0 + PATIENCE + 1


def test_a_failure_is_a_break_told_once(caplog):
    here, clock = reach()
    here.answered()
    for _ in range(3):
        clock[0] += 1
        here.failed()
        assert here.since() is None
    clock[0] += 4
    here.answered()
    here.answered()
    assert here.since() == 1007.0
    assert [record.getMessage() for record in caplog.records] == [
        "It can't be reached; trying again until it can",
        "It is back after 6 s",
    ]
