"""A job's Terraform module: as python-hcl2 reads it, beside the job's template."""

import hcl2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.metadata import jobs
from beam_jobs.options.declare import declared
from beam_jobs.templates.hcl import attributes, text
from beam_jobs.templates.spec import container_spec
from beam_jobs.templates.terraform import MACHINES, terraform

JOBS = sorted(jobs())


def read(job, name):
    return hcl2.loads(terraform(jobs()[job])[name])


def variables(job):
    found = {}
    for variable in read(job, "variables.tf")["variable"]:
        ((name, fields),) = variable.items()
        found[name.strip('"')] = fields
    return found


@pytest.mark.parametrize("job", JOBS)
def test_every_parameter_is_a_variable_and_handed_on(job):
    parameters = {p["name"]: p for p in container_spec(jobs()[job])["metadata"]["parameters"]}
    found = variables(job)
    own = found.keys() - MACHINES - {"on_delete", "project", "region", "name"}
    assert own - {"container_spec_gcs_path"} == parameters.keys()
    (given,) = read(job, "main.tf")["locals"]
    assert given["given"].keys() - {"__is_block__"} == parameters.keys()
    assert all(f"var.{name}" in given["given"][name] for name in parameters)
    optional = {name for name in parameters if "default" in found[name]}
    assert optional == {name for name, p in parameters.items() if p["isOptional"]}


@pytest.mark.parametrize("job", JOBS)
def test_every_variable_is_used_and_every_used_one_is_there(job):
    main = terraform(jobs()[job])["main.tf"]
    found = variables(job)
    ((resource,),) = [list(r.values()) for r in read(job, "main.tf")["resource"]]
    ((_, fields),) = resource.items()
    assert fields["parameters"] == "${local.parameters}"
    assert {
        name for name in (*MACHINES, "on_delete") if fields[name] != f"${{var.{name}}}"
    } == set()
    assert all(f"var.{name}" in main for name in found)


@pytest.mark.parametrize("job", JOBS)
def test_what_the_template_refuses_is_refused_at_the_plan(job):
    found = variables(job)
    for option in declared(jobs()[job]):
        if option.in_template and option.choices:
            (validation,) = found[option.name]["validation"]
            assert all(f'"{choice}"' in validation["condition"] for choice in option.choices)
        if option.in_template and option.minimum is not None and option.type in (int, float):
            (validation,) = found[option.name]["validation"]
            assert f">= {option.minimum:g}" in validation["condition"]


def test_a_stream_is_drained_and_a_batch_cancelled():
    assert variables("ingest")["on_delete"]["default"] == '"drain"'
    assert variables("validate")["on_delete"]["default"] == '"cancel"'


def test_types_are_those_that_people_write():
    found = variables("score")
    types = {name: found[name]["type"] for name in ("keep_columns", "map", "gate", "batch_rows")}
    assert list(types.values()) == ["${list(string)}", "${map(list(string))}", "bool", "number"]


def test_equals_signs_stand_below_each_other():
    assert attributes({"a": "1", "long": "2"}) == ["  a    = 1", "  long = 2"]


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])))
def test_a_text_is_read_back_as_it_is(value):
    read_back = hcl2.loads(f"a = {text(value)}\n")["a"].removeprefix('"').removesuffix('"')
    for written, meant in (("$${", "${"), ("%%{", "%{"), ('\\"', '"'), ("\\\\", "\\")):
        read_back = read_back.replace(written, meant)
    assert read_back == value or "\\" in value
