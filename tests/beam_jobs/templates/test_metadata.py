"""What is generated of the options: the Flex Template's spec and the docs."""

import copy
import json
import re
from importlib.metadata import version
from pathlib import Path

import jsonschema
import pytest

import beam_jobs
from beam_jobs import metadata
from beam_jobs.metadata import generated, jobs, options_table
from beam_jobs.options.declare import declared
from beam_jobs.options.streaming import StreamOptions
from beam_jobs.templates.lint import lint
from beam_jobs.templates.spec import container_spec
from tests.beam_jobs.options.test_options import Options

MODULE = ("main", "outputs", "variables", "versions")
VERSION = beam_jobs.__version__.replace(".", "-")
SPEC = container_spec(Options, "registry/image@sha256:1")


def parameter(spec, name):
    return next(p for p in spec["metadata"]["parameters"] if p["name"] == name)


def test_the_spec_has_the_shape_of_the_api():
    assert SPEC["image"] == "registry/image@sha256:1"
    assert SPEC["defaultEnvironment"] == {
        "sdkContainerImage": "registry/image@sha256:1",
        "launcherMachineType": "n1-standard-2",
        "diskSizeGb": 50,
        "additionalUserLabels": {"millrace-job": "test_options", "millrace-version": VERSION},
        "enableLauncherVmSerialPortLogging": True,
    }
    assert SPEC["sdkInfo"] == {"language": "PYTHON", "version": version("apache-beam")}
    assert SPEC["metadata"]["name"] == "Millrace test_options"
    assert SPEC["metadata"]["description"] == "Tries every type of option. It does nothing else."
    assert SPEC["metadata"]["streaming"] is False
    assert parameter(SPEC, "input") == {
        "name": "input",
        "label": "Input",
        "helpText": "Files.",
        "paramType": "GCS_READ_FILE",
        "isOptional": False,
        "groupName": "Data",
        "regexes": ["^(gs://.+)$"],
        "customMetadata": {"type": "text"},
    }
    assert parameter(SPEC, "mode")["enumOptions"] == [
        {"value": "fast", "label": "fast"},
        {"value": "exact", "label": "exact"},
    ]


def test_what_the_api_has_no_field_for_is_custom():
    custom = {p["name"]: p["customMetadata"] for p in SPEC["metadata"]["parameters"]}
    assert custom["rows"] == {"type": "integer", "minimum": "1", "maximum": "99"}
    assert custom["wait_for"] == {"type": "duration", "minimum": "0.5", "maximum": "7200"}
    assert [custom[name] for name in ("keep", "map")] == [{"type": "list"}, {"type": "mapping"}]


def test_an_option_that_depends_on_another_is_shown_with_it():
    found = parameter(container_spec(jobs()["ingest"]), "payload")
    assert (found["parentName"], found["parentTriggerValues"]) == ("replay", ["true"])


def test_every_default_is_a_text():
    shown = {p["name"]: p.get("defaultValue") for p in SPEC["metadata"]["parameters"]}
    expected = {"input": None, "rows": "10", "share": "0.5", "mode": "fast", "strict": "false"}
    assert {name: shown[name] for name in expected} == expected
    assert shown["keep"] is shown["map"] is shown["schema"] is None


def test_waiting_is_no_parameter():
    assert "wait" not in {p["name"] for p in SPEC["metadata"]["parameters"]}


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("input", ["gs://b/x/*.csv"], ["", "/tmp/x"]),
        ("rows", ["3", ""], ["3.5", "x"]),
        ("share", ["0.5", "1", "1e-3", ""], [".", "x"]),
        ("strict", ["true", "false", ""], ["yes"]),
        ("name", ["a1", ""], ["a", "a11"]),
        ("map", ["x=a", "x=a,b;y=c", "x=a;", ""], ["x", "x=", "=a"]),
        ("run_id", ["score-2026.1", ""], ["a b", "-a"]),
    ],
)
def test_what_dataflow_accepts(name, good, bad):
    (regex,) = parameter(SPEC, name)["regexes"]
    assert all(re.search(regex, text) for text in good)
    assert not any(re.search(regex, text) for text in bad)


def test_a_sound_spec_has_no_faults():
    assert lint(SPEC) == []


def faulty(change):
    spec = copy.deepcopy(SPEC)
    change(spec)
    return lint(spec)


SECRETS = ("imageRepositoryUsernameSecretId", "imageRepositoryPasswordSecretId")


def set_environment(**values):
    return lambda spec: spec["defaultEnvironment"].update(values)


def set_in(where, /, **values):
    return lambda spec: parameter(spec, where).update(values)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda s: s.update(image=""), "spec: no image"),
        (lambda s: s.update(image=1), "spec: image is not a text"),
        (lambda s: s.update(metadata=[]), "spec: metadata is not an object"),
        (lambda s: s.update(imageRepositoryUsernameSecretId="projects/p/secrets/s/versions/1"),
         "spec: imageRepositoryUsernameSecretId and imageRepositoryPasswordSecretId go together"),
        (lambda s: s.update(dict.fromkeys(SECRETS, "hunter2")),
         "spec: a registry's secret is not of the form projects/P/secrets/S/versions/V"),
        (lambda s: s["sdkInfo"].update(version=2.77), "sdkInfo: version is not a text"),
        (lambda s: s["metadata"].update(yamlDefinition=1),
         "metadata: yamlDefinition is not a text"),
        (lambda s: s["metadata"].update(parameters={}), "metadata: parameters is not a list"),
        (lambda s: s["metadata"]["parameters"].append("x"),
         "metadata: a parameter is not an object"),
        (lambda s: s["metadata"].update(streaming=True, defaultStreamingMode="AT_LEAST_ONCE"),
         "metadata: defaultStreamingMode AT_LEAST_ONCE without supportsAtLeastOnce"),
        (lambda s: s.update(sdkInfo={}), "spec: sdkInfo.language is not PYTHON"),
        (lambda s: s.update(extra=1), "spec: unknown key 'extra'"),
        (lambda s: s["metadata"].pop("name"), "metadata: no name"),
        (lambda s: s["metadata"].pop("streaming"), "metadata: streaming is missing"),
        (lambda s: s["metadata"].update(streaming="no"), "metadata: streaming is not a boolean"),
        (
            lambda s: s["metadata"].update(supportsAtLeastOnce=True),
            "metadata: supportsAtLeastOnce without streaming",
        ),
        (
            lambda s: s["metadata"].update(streaming=True, defaultStreamingMode="FAST"),
            "metadata: defaultStreamingMode is unknown",
        ),
        (lambda s: s["metadata"]["parameters"].append(parameter(s, "rows")), "rows: named twice"),
        (set_in("rows", helpText=" "), "rows: no helpText"),
        (set_in("rows", name="r-s"), "r-s: its name is not made of letters, "
         "digits and underscores"),
        (set_in("rows", paramType="INT"), "rows: paramType 'INT' is unknown"),
        (set_in("rows", isOptional="true"), "rows: isOptional is not a boolean"),
        (set_in("rows", defaultValue=10), "rows: defaultValue is not a text"),
        (set_in("rows", defaultValue="x"), "rows: its default 'x' does not match ^([0-9]+)?$"),
        (set_in("input", defaultValue="gs://b/x"), "input: has a default but is not optional"),
        (set_in("rows", regexes=[r"^\d+$"]), r"rows: regex ^\d+$ is not POSIX"),
        (set_in("rows", regexes=["(?:a)"]), "rows: regex (?:a) is not POSIX"),
        (set_in("rows", regexes=["a+?"]), "rows: regex a+? is not POSIX"),
        (set_in("rows", regexes=["("]), "rows: regex (: missing ), unterminated subpattern "
         "at position 0"),
        (set_in("rows", regexes=["[0-9]+"]),
         "rows: regex [0-9]+ matches a part of a value: put it between ^ and $"),
        (set_in("rows", regexes="^1$"), "rows: regexes is not a list of texts"),
        (set_in("rows", hiddenUi="no"), "rows: hiddenUi is not a boolean"),
        (set_in("rows", customMetadata={"a": 1}), "rows: customMetadata is not an object of texts"),
        (set_in("rows", name="region"), "region: its name is one of the launcher's own arguments"),
        (set_in("mode", enumOptions=[{"label": "x"}]), "mode: enumOptions: no value"),
        (set_in("mode", enumOptions=[{"value": "fast"}] * 2), "mode: choice 'fast' is there twice"),
        (set_in("rows", parentName="strict"),
         "rows: parentName and parentTriggerValues go together"),
        (set_in("rows", parentName="strict", parentTriggerValues=["yes"]),
         "rows: its parent strict never has the value 'yes'"),
        (set_in("rows", parentName="mode", parentTriggerValues=["slow"]),
         "rows: its parent mode never has the value 'slow'"),
        (set_in("rows", parentName="share", parentTriggerValues=["1"]),
         "rows: its parent share has no fixed values"),
        (set_in("strict", parentName="strict", parentTriggerValues=["true"]),
         "strict: is its own parent"),
        (set_environment(maxWorker=1), "defaultEnvironment: unknown key 'maxWorker'"),
        (set_environment(maxWorkers="9"), "defaultEnvironment: maxWorkers is not a whole number"),
        (set_environment(numWorkers=9, maxWorkers=3),
         "defaultEnvironment: numWorkers 9 is more than maxWorkers 3"),
        (set_environment(diskSizeGb=-1), "defaultEnvironment: diskSizeGb is less than 0"),
        (set_environment(workerRegion="r", workerZone="us-central1-a"),
         "defaultEnvironment: workerRegion and workerZone exclude each other"),
        (set_environment(additionalPipelineOptions=["--x=1"]),
         "defaultEnvironment: additionalPipelineOptions: '--x=1' is not of the form name=value"),
        (set_environment(additionalUserLabels={"Team": "a"}),
         "defaultEnvironment: label 'Team' is not made of small letters, digits, - and _"),
        (set_environment(ipConfiguration="PRIVATE"),
         "defaultEnvironment: ipConfiguration 'PRIVATE' is not of the form "
         "WORKER_IP_(UNSPECIFIED|PUBLIC|PRIVATE)"),
        (set_in("rows", enumOptions=[{"value": "10"}]),
         "rows: enumOptions go with paramType ENUM, and it with them"),
        (set_in("mode", defaultValue="slow"), "mode: its default is not among its enumOptions"),
        (set_in("rows", parentName="gone"), "rows: parentName 'gone' is no parameter"),
        (set_in("rows", type="int"), "rows: unknown key 'type'"),
    ],
)  # fmt: skip
def test_the_linter_finds(change, fault):
    assert fault in faulty(change)


def test_streaming_flags_pass_with_streaming():
    flags = {"supportsAtLeastOnce": True, "supportsExactlyOnce": True, "streaming": True}
    assert faulty(lambda s: s["metadata"].update(flags, defaultStreamingMode="EXACTLY_ONCE")) == []


SCHEMA = json.loads((Path(__file__).parent / "container_spec.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@pytest.mark.parametrize("job", sorted(jobs()))
def test_every_spec_fits_the_json_schema(job):
    assert [error.message for error in VALIDATOR.iter_errors(container_spec(jobs()[job]))] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.update(extra=1),
        lambda s: s["metadata"].pop("name"),
        lambda s: s["metadata"].update(streaming="no"),
        set_in("rows", defaultValue=10),
        set_in("rows", paramType="ENUM"),
        set_in("rows", parentName="strict"),
        set_environment(maxWorkers="9"),
    ],
)
def test_the_json_schema_refuses_what_the_linter_finds(change):
    spec = copy.deepcopy(SPEC)
    change(spec)
    assert list(VALIDATOR.iter_errors(spec))
    assert lint(spec)


STREAMS = {name for name, kind in jobs().items() if issubclass(kind, StreamOptions)}


@pytest.mark.parametrize("job", sorted(jobs().keys() - STREAMS))
def test_jobs_of_files_say_nothing_of_streaming(job):
    flags = container_spec(jobs()[job])["metadata"]
    assert {name: flags[name] for name in flags if "tream" in name} == {"streaming": False}


@pytest.mark.parametrize("job", sorted(STREAMS))
def test_jobs_that_may_read_messages_say_so(job):
    spec = container_spec(jobs()[job])
    flags = spec["metadata"]
    assert flags["streaming"] is flags["supportsExactlyOnce"] is True
    assert flags["supportsAtLeastOnce"] is False
    assert flags["defaultStreamingMode"] == "EXACTLY_ONCE"
    kinds = {p["name"]: p["paramType"] for p in spec["metadata"]["parameters"]}
    assert kinds["input"] == kinds["output"] == "TEXT"
    assert kinds["window"] == "TEXT", "it may be 10m"
    assert kinds["event_time_column"] == kinds["dedup_key"] == "TEXT"


@pytest.mark.parametrize("name", ["input", "output"])
def test_files_and_messages_are_accepted(name):
    (regex,) = parameter(container_spec(jobs()["score"]), name)["regexes"]
    for text in ("gs://b/x/*.csv", "pubsub://projects/p/subscriptions/s?format=avro", "bq://p.d.t"):
        assert re.search(regex, text)
    for text in ("", "/tmp/x", "pubsub:s", "stdout:"):
        assert not re.search(regex, text)


def test_what_is_generated_is_current_and_sound():
    assert metadata.check() == []
    assert {str(path) for path in generated()} == {
        "docs/api.md",
        "docs/options.md",
        "docs/running.md",
        "templates/ci/cloudbuild.yaml",
        "templates/ci/github.yaml",
        *(f"templates/{job}.json" for job in jobs()),
        *(f"templates/pipelines/{job}.yaml" for job in jobs()),
        *(f"templates/terraform/{job}/{name}.tf" for job in jobs() for name in MODULE),
    }


def test_stale_files_are_told_with_the_command_to_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(metadata, "ROOT", tmp_path)
    assert metadata.main(["--check"]) == 1
    told = capsys.readouterr().err
    assert "templates/score.json is stale: run `python -m beam_jobs.metadata`" in told
    assert metadata.main([]) == 0
    assert metadata.main(["--check"]) == 0
    (tmp_path / "docs/options.md").write_text("old")
    assert metadata.check() == ["docs/options.md is stale: run `python -m beam_jobs.metadata`"]


def test_a_spec_is_printed_with_its_image(capsys):
    assert metadata.main(["score", "--image", "r/i:1"]) == 0
    spec = json.loads(capsys.readouterr().out)
    assert spec["image"] == spec["defaultEnvironment"]["sdkContainerImage"] == "r/i:1"
    assert lint(spec) == []


def test_a_spec_is_printed_with_its_machines(capsys):
    given = ["maxWorkers=20", "enableStreamingEngine=true", "additionalUserLabels=team=x,env=y"]
    assert metadata.main(["ingest", *(f"--set={text}" for text in given)]) == 0
    environment = json.loads(capsys.readouterr().out)["defaultEnvironment"]
    assert environment["maxWorkers"] == 20
    assert environment["enableStreamingEngine"] is True
    assert environment["additionalUserLabels"] == {"team": "x", "env": "y"}


@pytest.mark.parametrize(
    ("given", "code", "fault"),
    [
        ("maxworkers=1", 2, "--set: 'maxworkers' is no field; did you mean maxWorkers?"),
        ("maxWorkers=many", 2, "--set: maxWorkers is a whole number, not 'many'"),
        ("tempLocation=/tmp", 1, "defaultEnvironment: tempLocation '/tmp' is not of the form"),
    ],
)
def test_machines_that_can_not_be(capsys, given, code, fault):
    assert metadata.main(["ingest", f"--set={given}"]) == code
    assert capsys.readouterr().err.startswith(fault)


@pytest.mark.parametrize("job", sorted(jobs()))
def test_every_option_of_a_job_is_in_its_template_and_docs(job):
    kind = jobs()[job]
    names = [p["name"] for p in container_spec(kind)["metadata"]["parameters"]]
    assert sorted(names) == sorted(o.name for o in declared(kind) if o.in_template)
    assert all(f"| `{option.flag}` |" in options_table(kind) for option in declared(kind))


def test_the_options_table():
    rows = options_table(Options).splitlines()
    assert rows[:3] == [
        "| option | value | default | what it does |",
        "|---|---|---|---|",
        "| `--input` | path or URI | required | Files. |",
    ]
    assert "| `--mode` | `fast`, `exact` | `fast` | How. |" in rows
    assert "| `--rows` | whole number | `10` | How many. |" in rows
    assert "| `--map` | mapping |  | Columns by feature. |" in rows
