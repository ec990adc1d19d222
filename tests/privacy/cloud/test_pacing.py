"""The bucket, in a time that the test makes: no waiting."""

import pytest
from grpc import StatusCode

from privacy.cloud.outcomes import Action, action_for
from privacy.cloud.pacing import Bucket, shared_bucket


class Time:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def run(quota_per_minute, first, seconds, in_flight=1):
    """A service with a token bucket of its own: gives calls answered and refused."""
    time = Time()
    bucket = Bucket(first, clock=time, sleep=time.sleep)
    allowed, at, good, refused = quota_per_minute / 60, 0.0, 0, 0
    while time.now < seconds:
        sent = bucket.take()
        allowed = min(quota_per_minute / 60, allowed + (sent - at) * quota_per_minute / 60)
        at = sent
        if allowed >= 1:
            allowed -= 1
            good += 1
        else:
            refused += 1
            bucket.refused(sent)
    return good, refused


def test_a_known_quota_is_used_whole_and_never_exceeded():
    good, refused = run(600, 600, 120)
    assert good >= 0.9 * 1_200
    assert refused == 0


@pytest.mark.parametrize("first", [1_200, 6_000])
def test_an_unknown_quota_is_found_and_mostly_used(first):
    good, refused = run(600, first, 600)
    assert good >= 0.9 * 6_000
    assert refused <= 0.02 * (good + refused)


def test_what_was_in_flight_together_cuts_once():
    time = Time()
    bucket = Bucket(600, clock=time, sleep=time.sleep)
    sent = bucket.take()
    time.now = sent + 0.15
    for _ in range(16):
        bucket.refused(sent)
    assert bucket.per_minute == pytest.approx(294)


def test_a_storm_is_forgotten():
    """All calls are refused for ten seconds; two minutes later the rate is the old one."""
    time = Time()
    bucket = Bucket(600, clock=time, sleep=time.sleep)
    while time.now < 10:
        bucket.refused(bucket.take())
    assert bucket.per_minute < 30
    while time.now < 130:
        bucket.take()
    assert bucket.per_minute == pytest.approx(588)


def test_one_bucket_for_a_project_in_a_process():
    assert shared_bucket("p", 600) is shared_bucket("p", 600)
    assert shared_bucket("p", 600) is not shared_bucket("q", 600)


@pytest.mark.parametrize(
    ("code", "message", "action"),
    [
        (StatusCode.RESOURCE_EXHAUSTED, "Quota exceeded for quota metric", Action.WAIT),
        (StatusCode.RESOURCE_EXHAUSTED, "Received message larger than max (5 vs. 4)", Action.SPLIT),
        (
            StatusCode.INVALID_ARGUMENT,
            "Too many findings. Retry with a smaller request.",
            Action.SPLIT,
        ),
        (StatusCode.INVALID_ARGUMENT, "Request payload size exceeds the limit", Action.SPLIT),
        (StatusCode.INVALID_ARGUMENT, "Invalid value", Action.BISECT),
        (StatusCode.UNAVAILABLE, "", Action.RETRY),
        (StatusCode.DEADLINE_EXCEEDED, "", Action.RETRY),
        (StatusCode.ABORTED, "", Action.RETRY),
        (StatusCode.INTERNAL, "", Action.RETRY_FEW),
        (StatusCode.UNKNOWN, "", Action.RETRY_FEW),
        (StatusCode.NOT_FOUND, "", Action.STOP),
        (StatusCode.PERMISSION_DENIED, "", Action.STOP),
        (StatusCode.UNAUTHENTICATED, "", Action.STOP),
        (StatusCode.UNIMPLEMENTED, "", Action.STOP),
    ],
)
def test_what_a_refusal_means(code, message, action):
    assert action_for(code, message) is action


def test_throttled_time_counts_once_however_many_wait():
    time = Time()
    bucket = Bucket(60, burst=1, clock=time, sleep=lambda seconds: None)
    for _ in range(10):
        bucket.take()
    assert bucket.claim_throttled() == 0, "nothing of it has passed yet"
    time.now = 4.0
    assert bucket.claim_throttled() == 4
    assert bucket.claim_throttled() == 0
    time.now = 60.0
    assert bucket.claim_throttled() == 5
    bucket.throttle(3)
    bucket.throttle(2)
    time.now = 70.0
    assert bucket.claim_throttled() == 3
