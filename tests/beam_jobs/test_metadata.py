"""What is generated of the options: the Flex Template's spec and the docs."""

import copy
import json
import re

import pytest

from beam_jobs import metadata
from beam_jobs.metadata import container_spec, generated, jobs, options_table
from beam_jobs.options.declare import declared
from beam_jobs.options.streaming import StreamOptions
from beam_jobs.templates.lint import lint
from tests.beam_jobs.options.test_options import Options

SPEC = container_spec(Options, "registry/image@sha256:1")


def parameter(spec, name):
    return next(p for p in spec["metadata"]["parameters"] if p["name"] == name)


def test_the_spec_has_the_shape_of_the_api():
    assert SPEC["image"] == "registry/image@sha256:1"
    assert SPEC["defaultEnvironment"] == {"sdkContainerImage": "registry/image@sha256:1"}
    assert SPEC["sdkInfo"] == {"language": "PYTHON"}
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
    }
    assert parameter(SPEC, "mode")["enumOptions"] == [
        {"value": "fast", "label": "fast"},
        {"value": "exact", "label": "exact"},
    ]


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


def set_in(where, /, **values):
    return lambda spec: parameter(spec, where).update(values)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda s: s.update(image=""), "spec: no image"),
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
    kinds = {p["name"]: p["paramType"] for p in spec["metadata"]["parameters"]}
    assert kinds["input"] == kinds["output"] == "TEXT"
    assert kinds["window"] == "TEXT", "it may be 10m"
    assert kinds["event_time_column"] == kinds["dedup_key"] == "TEXT"


@pytest.mark.parametrize("name", ["input", "output"])
def test_files_and_messages_are_accepted(name):
    (regex,) = parameter(container_spec(jobs()["score"]), name)["regexes"]
    for text in ("gs://b/x/*.csv", "pubsub://projects/p/subscriptions/s?format=avro"):
        assert re.search(regex, text)
    for text in ("", "/tmp/x", "pubsub:s", "stdout:"):
        assert not re.search(regex, text)


def test_what_is_generated_is_current_and_sound():
    assert metadata.check() == []
    assert {str(path) for path in generated()} == {
        "docs/api.md",
        "docs/options.md",
        *(f"templates/{job}.json" for job in jobs()),
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
