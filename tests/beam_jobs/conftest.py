"""Fixtures that the tests of this folder share."""

import pytest

from transforms import progress


@pytest.fixture
def fresh_counts():
    """No counts of another test in this process, and none left to the next."""
    progress.reset()
    yield
    progress.reset()
