"""The estimate is what the emulator then counts."""

import pytest

from privacy.cloud.estimate import FREE, GIB, estimate, price
from privacy.cloud.limits import Limits
from privacy.cloud.redact import redact_batches
from tests.privacy.cloud.support import batch, cloud, emulator


def test_requests_and_bytes():
    given = [batch(7_000), batch(3_000, 7_000)]
    with emulator() as server, cloud(server, limits=Limits(bytes=40_000)) as engine:
        found = estimate(engine.policy, given)
        redact_batches(engine, given)
        asked = server.trouble
        # The first request is the probe; the estimate allows a little for each config.
        assert found.requests == pytest.approx(asked.calls - 1, rel=0.25)
        assert asked.bytes <= found.bytes <= 1.4 * asked.bytes
        assert found.dollars == 0


def test_prices():
    assert price(FREE) == 0
    assert price(FREE + GIB) == pytest.approx(5)
    assert price(FREE + 1024 * GIB + GIB) == pytest.approx(1024 * 5 + 3)


def test_nothing():
    with emulator() as server, cloud(server) as engine:
        assert estimate(engine.policy, []).requests == 0
        assert estimate(engine.policy, [batch(0)]).requests == 0
