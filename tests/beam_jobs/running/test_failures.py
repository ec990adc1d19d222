"""Failures: the root of what Beam raises, in words for the user."""

import pytest

from beam_jobs.running.failures import Cause, cause, explain
from transforms import errors

FRAMES = (
    "Traceback (most recent call last):\n"
    '  File "apache_beam/runners/common.py", line 1512, in process\n'
    '  File "/x/job.py", line 6, in f\n    raise X\n    ^^^^^^^\n'
)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            RuntimeError(f"{FRAMES}ValueError: no [while running 'A/B']\n"),
            Cause("ValueError", "no", "A/B"),
        ),
        (
            RuntimeError(
                f"{FRAMES}ValueError: first\n\nDuring handling of the above exception, another:\n\n"
                f"{FRAMES}transforms.errors.Refused: two: lines\nlong [while running 'Commit']\n"
            ),
            Cause("transforms.errors.Refused", "two: lines\nlong", "Commit"),
        ),
        (
            RuntimeError(f"{FRAMES}RuntimeError: OSError: [Errno 28] full [while running 'W']"),
            Cause("OSError", "[Errno 28] full", "W"),
        ),
        (
            RuntimeError(f"{FRAMES}KeyError: \"q [while running 'A']\""),
            Cause("KeyError", '"q"', "A"),
        ),
        (RuntimeError("plain"), Cause("builtins.RuntimeError", "plain")),
        (
            errors.Refused("no [while running 'Commit']"),
            Cause("transforms.errors.Refused", "no", "Commit"),
        ),
    ],
)  # fmt: skip
def test_the_root_of_a_failure(error, expected):
    assert cause(error) == expected


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (errors.ConfigError("no model"), 2, "no model"),
        (errors.RejectedRows("3 rows"), 1, "3 rows"),
        (RuntimeError(f"{FRAMES}transforms.errors.Refused: no\n"), 3, "no"),
        (PermissionError(13, "Permission denied", "/x/y"), 1, "/x/y: permission denied"),
        (OSError(28, "No space left on device", "/x/y"), 1, "the disk is full: /x/y. Make room"),
        (OSError(30, "Read-only file system"), 1, "/out, gs://b/out: read-only file system"),
        (ValueError("long " * 200), 1, "ValueError: long long"),
        (
            RuntimeError(f"{FRAMES}google.auth.exceptions.DefaultCredentialsError: x"),
            1,
            "no Google",
        ),
    ],
)
def test_what_the_user_is_told(error, code, text):
    found, told = explain(error, ["/out", "gs://b/out"])
    assert found == code
    assert told.startswith(text)
    assert len(told) < 600
