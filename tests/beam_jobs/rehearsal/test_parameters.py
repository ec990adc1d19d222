"""A launch's parameters, as Dataflow and gcloud take them."""

import shlex

import pytest

from beam_jobs.metadata import jobs
from beam_jobs.options.declare import declared
from beam_jobs.rehearsal.parameters import Request, command, faults, uploaded
from beam_jobs.rehearsal.rehearsal import template
from beam_jobs.rehearse import pairs
from tests.support import ROOT
from transforms.errors import ConfigError

FINE = {"input": "gs://b/in/*.csv", "model": "gs://b/m", "output": "gs://b/out/"}


def test_what_concerns_machines_goes_elsewhere():
    request = Request.of({**FINE, "machine_type": "n1-standard-4", "labels": "a=b"})
    assert request.parameters == FINE
    assert request.environment == {"machine_type": "n1-standard-4", "labels": "a=b"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (FINE, []),
        ({**FINE, "schema": "", "keep_columns": "a,b"}, []),
        ({**FINE, "modle": "x"}, ["modle: unrecognized parameter; did you mean model?"]),
        ({"input": "gs://b/i", "output": "gs://b/o"}, ["model: missing"]),
        ({**FINE, "wait": "true"}, ["wait: unrecognized parameter"]),
        (
            {**FINE, "batch_rows": "many"},
            ["batch_rows: 'many' does not match the template's ^([0-9]+)?$"],
        ),
        ({**FINE, "model": ""}, ["model: '' does not match the template's ^(gs://.+)$"]),
    ],
)
def test_what_dataflow_refuses(given, told):
    assert faults(Request.of(given), template("score")) == told


def words(text):
    """A command's words, as a shell reads them: a backslash joins lines."""
    return shlex.split(text.replace("\\\n", ""))


def test_the_command_keeps_commas_quotes_and_spaces():
    given = {"map": "x=a,b;y=c", "name": "it's 5 o'clock", "none": "", "machine_type": "g2"}
    text = command("score", Request.of({**given, "disk_size_gb": "50", "experiments": "a,b"}))
    flags = dict(word.split("=", 1) for word in words(text)[5:])
    assert flags["--parameters"] == "^~^map=x=a,b;y=c~name=it's 5 o'clock"
    assert flags["--worker-machine-type"] == "g2"
    assert flags["--additional-experiments"] == "a,b"
    assert flags["--additional-pipeline-options"] == "disk_size_gb=50"


class Bucket:
    """Takes files, and says where they are."""

    bucket = "b"

    def put(self, local, name):
        return f"gs://b/{name}/{local.rpartition('/')[2]}"


def test_files_of_this_machine_are_put_where_a_launcher_finds_them(tmp_path):
    (tmp_path / "f.py").touch()
    given = {
        "preprocessing_fn": f"{tmp_path}/f.py:name",
        "schema": f"{tmp_path}/s.pbtxt",
        "output": "out/",
        "splits": "train:2,eval:1",
    }
    options = declared(jobs()["preprocess"])
    found = uploaded(Request.of({**given, "machine_type": "g2"}), options, Bucket())
    assert found.parameters == {
        "preprocessing_fn": "gs://b/preprocessing_fn/f.py:name",
        "schema": "gs://b/schema/s.pbtxt",
        "output": "gs://b/output/out/",
        "splits": "train:2,eval:1",
    }


def test_a_delimiter_that_no_value_holds():
    text = command("score", Request.of({"a": "1,~", "b": "|"}))
    assert words(text)[-1] == "--parameters=^#^a=1,~#b=|"
    assert words(command("score", Request.of({"a": "1", "b": "2"})))[-1].endswith("=a=1,b=2")


def test_options_as_they_are_typed():
    argv = ["--a=1,2", "--b", "x y", "--gate", "--c=", "--d=-1", "--e=k=v"]
    assert pairs(argv) == {"a": "1,2", "b": "x y", "gate": "true", "c": "", "d": "-1", "e": "k=v"}
    with pytest.raises(ConfigError, match="unexpected 'x'"):
        pairs(["x"])
    with pytest.raises(ConfigError, match="--a is given twice"):
        pairs(["--a=1", "--a=2"])


def test_a_job_without_a_template():
    with pytest.raises(ConfigError, match=r"no template of 'scor'; did you mean score\?"):
        template("scor")


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda text: text[:-3], "is no JSON: .*beam_jobs.metadata. writes it anew"),
        (lambda text: text.replace('"helpText"', '"helptext"', 1), "helptext"),
        (lambda text: text.replace('"paramType": "TEXT"', '"paramType": "WORDS"', 1), "WORDS"),
        (lambda text: text.replace('"metadata"', '"meta"', 1), "metadata"),
    ],
)
def test_a_template_that_was_edited(edit, told, tmp_path):
    (tmp_path / "templates").mkdir()
    text = (ROOT / "templates/score.json").read_text()
    assert edit(text) != text
    (tmp_path / "templates/score.json").write_text(edit(text))
    with pytest.raises(ConfigError, match=told):
        template("score", tmp_path)
