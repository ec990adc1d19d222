"""A launcher's arguments, its image's variables, and what is shown of its log."""

import json

import pytest

from beam_jobs.rehearsal.launcher import Ended, Launch, image_variables
from beam_jobs.rehearsal.parameters import Request
from tests.support import ROOT
from transforms.errors import MillraceError

LAUNCH = Launch(
    "score",
    "registry/score:1",
    "gs://b/job_object",
    Request({"map": "x=a,b", "name": 'it\'s\n2 "lines"', "schema": ""}, {"num_workers": "2"}),
)


def test_each_value_is_one_argument_as_it_is():
    arguments = LAUNCH.arguments("b")
    assert arguments[-3:] == ["--map=x=a,b", '--name=it\'s\n2 "lines"', "--schema="]
    assert "--num_workers=2" in arguments
    assert "--template_location=gs://b/job_object" in arguments
    assert "--sdk_container_image=registry/score:1" in arguments


def test_the_variables_are_those_of_the_image():
    found = image_variables((ROOT / "templates/Dockerfile").read_text(), LAUNCH)
    assert found["FLEX_TEMPLATE_PYTHON_PY_FILE"] == "/opt/template/launch.py"
    assert found["MILLRACE_JOB"] == "score"
    assert found["MILLRACE_IMAGE"] == "registry/score:1"


def test_an_image_that_would_install_at_each_launch():
    text = "FROM x\nENV A=1 \\\n    FLEX_TEMPLATE_PYTHON_REQUIREMENTS_FILE=/r.txt\n"
    with pytest.raises(MillraceError, match=r"REQUIREMENTS_FILE: .*belong into the image"):
        image_variables(text, LAUNCH)


def test_of_a_log_errors_and_plain_lines_are_shown():
    lines = [
        json.dumps({"severity": "INFO", "message": "quiet"}),
        json.dumps({"severity": "ERROR", "message": "first\nsecond"}),
        "score: error: the reason",
        json.dumps([1]),
    ]
    told = Ended(1, 2.0, False, "\n".join(lines)).told()
    assert told == ["ERROR: first", "second", "score: error: the reason", "[1]"]
