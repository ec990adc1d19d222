"""Options: declared once, read from command lines and files, and never a guess about a mistake."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.options.command_line import job_of, parse
from beam_jobs.options.declare import ColumnMap, JobOptions, Seconds, declared, option
from beam_jobs.options.durations import REGEX, duration_text, seconds_of
from transforms.errors import ConfigError

ROOT = Path(__file__).parents[3]
DURATION = "a duration, as in 30s, 10m, 1h, 7d or plain seconds"


@dataclass(frozen=True, kw_only=True)
class Options(JobOptions):
    """Tries every type of option.

    It does nothing else.

    Examples:
      python -m beam_jobs.try --input=x --rows=3   # 100% real
    """

    input: str = option("Files.", kind="GCS_READ_FILE", group="Data")
    rows: int = option("How many.", default=10, minimum=1, maximum=99, group="Data")
    share: float = option("Which part.", default=0.5, minimum=0, maximum=1, group="Data")
    mode: str = option("How.", default="fast", choices=("fast", "exact"), group="Data")
    schema: str | None = option("Types.", default=None, group="Data")
    name: str = option("A name, 100% yours.", default="a1", regex="[a-z][0-9]", group="Data")
    keep: tuple[str, ...] = option("Columns.", default=(), group="Data")
    map: ColumnMap = option("Columns by feature.", default=(), group="Data")
    strict: bool = option("Be strict.", default=False, group="Data")
    wait_for: Seconds = option("How long.", default=90.0, minimum=0.5, maximum=7200, group="Data")
    every: Seconds | None = option("How often.", default=None, group="Data")


def parsed(*argv):
    return parse(Options, ["--input=in", *argv])


def values(*argv):
    return parsed(*argv)[0]


def refusal(*argv):
    with pytest.raises(ConfigError) as found:
        parsed(*argv)
    return str(found.value)


def test_defaults_and_every_type():
    assert values() == Options(input="in")
    given = values(
        "--rows=3", "--share", "0.25", "--mode=exact", "--schema=s.json", "--name=b2", "--keep=a, b"
    )
    assert (given.rows, given.share, given.mode) == (3, 0.25, "exact")
    assert (given.schema, given.name, given.keep) == ("s.json", "b2", ("a", "b"))


def test_declared_options_tell_their_kind_for_the_template():
    kinds = {o.name: o.kind for o in declared(Options)}
    expected = {
        "input": "GCS_READ_FILE",
        "rows": "NUMBER",
        "share": "NUMBER",
        "mode": "ENUM",
        "schema": "TEXT",
        "keep": "TEXT",
        "strict": "BOOLEAN",
        "wait_for": "TEXT",
        "every": "TEXT",
    }
    assert {name: kinds[name] for name in expected} == expected
    assert [o.name for o in declared(Options)][:2] == ["input", "rows"]
    assert [o.name for o in declared(Options)][-1] == "allow_unreadable_files"
    assert [o.name for o in declared(Options) if o.required] == ["input"]


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["--strict"], True),
        (["--strict=true"], True),
        (["--strict=True"], True),
        (["--strict", "false"], False),
        (["--strict=false"], False),
        (["--strict="], False),
        (["--strict", "--strict=false"], False),
    ],
)
def test_switches_take_true_and_false(argv, expected):
    assert values(*argv).strict is expected


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["--map=x=a"], (("x", ("a",)),)),
        (["--map=x=a,b;y=c"], (("x", ("a", "b")), ("y", ("c",)))),
        (["--map", "x = a", "--map=y=c;"], (("x", ("a",)), ("y", ("c",)))),
        (["--map=x=a=b"], (("x", ("a=b",)),)),
        (["--map="], ()),
    ],
)
def test_columns_by_feature(argv, expected):
    assert values(*argv).map == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("90.5", 90.5),
        ("500ms", 0.5),
        ("30s", 30.0),
        ("10m", 600.0),
        ("1.5h", 5400.0),
        ("1.1h", 3960.0),
        (".01h", 36.0),
        ("1e3", 1000.0),
    ],
)
def test_durations(text, seconds):
    assert values(f"--wait_for={text}", f"--every={text}") == Options(
        input="in", wait_for=seconds, every=seconds
    )


@given(st.integers(0, 10**12))
def test_a_duration_shown_is_the_duration(millis):
    text = duration_text(millis / 1000)
    assert seconds_of(text) == millis / 1000
    assert re.fullmatch(REGEX, text)


def test_durations_are_shown_in_their_unit():
    shown = [duration_text(each) for each in (0.0, 0.2, 1.5, 90.0, 600.0, 3600.0, 172_800.0)]
    assert shown == ["0s", "200ms", "1500ms", "90s", "10m", "1h", "2d"]


def test_lists_may_be_repeated():
    assert values("--keep=a,b", "--keep=c").keep == ("a", "b", "c")


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["--rows=x"], "--rows is a whole number, not 'x'"),
        (["--rows=0"], "--rows is at least 1 and at most 99, not 0"),
        (["--share=nan"], "--share is at least 0 and at most 1, not nan"),
        (
            ["--max_rejected_fraction=2"],
            "--max_rejected_fraction is at least 0 and at most 1, not 2",
        ),
        (["--wait_for=soon"], f"--wait_for is {DURATION}, not 'soon'"),
        (["--wait_for=1w"], f"--wait_for is {DURATION}, not '1w'"),
        (["--wait_for=-1m"], f"--wait_for is {DURATION}, not '-1m'"),
        (["--wait_for=3h"], "--wait_for is at least 500ms and at most 2h, not 3h"),
        (["--wait_for=0.4"], "--wait_for is at least 500ms and at most 2h, not 0.4"),
        (["--every=1e999"], "--every is finite, not 1e999"),
        (["--mode=slow"], "--mode is one of fast, exact, not 'slow'"),
        (["--name=xx"], "--name: 'xx' does not match [a-z][0-9]"),
        (["--strict=maybe"], "--strict is true or false, not 'maybe'"),
        (["--map=x"], "--map is feature=column or feature=column0,column1,..."),
        (["--map=x=a;x=b"], "--map names x twice"),
        (["--limit=0"], "--limit is at least 1, not 0"),
        (["--rows"], "--rows: expected one argument"),
        (["--run_id=a b"], "--run_id: 'a b' does not match [A-Za-z0-9][A-Za-z0-9._-]{0,99}"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_by_option(argv, text):
    assert refusal(*argv) == text


def test_what_is_missing_is_named():
    with pytest.raises(ConfigError, match=r"^missing: --input$"):
        parse(Options, [])
    with pytest.raises(ConfigError, match=r"^--input is empty$"):
        parse(Options, ["--input="])


def test_an_optional_text_left_empty_is_its_default():
    assert values("--schema=", "--rows=", "--mode=") == values()


@pytest.mark.parametrize(
    ("argument", "near"),
    [
        ("--inptu=x", "; did you mean --input?"),
        ("--dead-letters=x", "; did you mean --dead_letters?"),
        ("--num_worker=3", "; did you mean --num_workers?"),
        ("--qqqqqq", ""),
        ("-x", ""),
        ("--inp=x", "; did you mean --input?"),
    ],
)
def test_an_unknown_option_names_the_nearest(argument, near):
    flag = argument.partition("=")[0]
    assert refusal(argument) == f"{flag} is no option of this job or of Beam{near}"


def test_a_stray_argument_is_no_option():
    assert refusal("x.csv").startswith("unexpected 'x.csv'")


def test_beams_own_options_are_passed_on():
    rest = ["--runner", "DataflowRunner", "--num_workers=3", "--experiments=a", "--experiments=b"]
    assert parsed(*rest, "--limit=5")[1] == rest
    assert refusal("--num_workers=abc") == "--num_workers: invalid int value: 'abc'"


def test_beams_switches_may_be_given_as_templates_do():
    argv = ["--streaming=false", "--no_use_public_ips=true", "--update=True"]
    assert parsed(*argv)[1] == ["--no_use_public_ips", "--update"]
    assert refusal("--streaming=perhaps") == "--streaming is true or false, not 'perhaps'"


def test_no_option_of_ours_is_beams():
    from beam_jobs.metadata import jobs
    from beam_jobs.options.beam import names

    for kind in jobs().values():
        # Ours shows the pipeline; Beam's, which Dataflow alone knows, is set by it.
        assert {o.flag for o in declared(kind)} & names() == {"--dry_run"}


@pytest.mark.parametrize("suffix", [".json", ".toml", ".yaml"])
def test_an_options_file(tmp_path, suffix):
    path = tmp_path / f"job{suffix}"
    content = {"input": "from file", "rows": 7, "strict": True, "keep": ["a,b", "c"], "share": 1}
    toml = 'input = "from file"\nrows = 7\nstrict = true\nkeep = ["a,b", "c"]\nshare = 1\n'
    # JSON is YAML too.
    path.write_text(toml if suffix == ".toml" else json.dumps(content))
    given, rest = parse(Options, [f"--options_file={path}", "--rows=8"])
    assert (given.input, given.rows, given.strict) == ("from file", 8, True)
    assert (given.keep, given.share, rest) == (("a,b", "c"), 1.0, [])


def test_an_options_file_may_hold_a_mapping_and_beams_options(tmp_path):
    path = tmp_path / "job.toml"
    path.write_text(
        'map = {x = "a", y = ["b,c", "d"]}\nproject = "p"\nstreaming = true\n'
        'experiments = ["e", "f"]\nnum_workers = 2\n'
    )
    given, rest = parsed(f"--options_file={path}", "--num_workers=3")
    assert given.map == (("x", ("a",)), ("y", ("b,c", "d")))
    assert rest == [
        "--project=p", "--streaming", "--experiments=e", "--experiments=f", "--num_workers=2",
        "--num_workers=3",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.json", '{"rosw": 1}', "'rosw' is no option of this job or of Beam; did you mean rows?"),
        ("a.json", '{"rows": "x"}', "--rows is a whole number, not 'x'"),
        ("a.json", '{"rows": [1]}', "--rows takes one value"),
        ("a.json", "[1]", "holds no table"),
        ("a.json", "{", "can't be read"),
        ("a.toml", "rows = ", "can't be read"),
        ("a.yaml", "rows: [", "can't be read: while parsing"),
        ("a.yaml", "- rows", "holds no table"),
        ("a.ini", "rows: 1", "ends in none of .json, .toml, .yaml, .yml"),
        ("a.json", "[" * 100_000, "is nested too deep for options"),
    ],
)
def test_a_faulty_options_file_is_named(tmp_path, name, content, text):
    (tmp_path / name).write_text(content)
    told = refusal(f"--options_file={tmp_path / name}")
    assert str(tmp_path / name) in told
    assert text in told


def test_an_options_file_that_is_not_there():
    assert refusal("--options_file=no.json") == "--options_file: no.json: No such file or directory"


def test_help_is_grouped_shows_defaults_and_examples(capsys):
    with pytest.raises(SystemExit) as end:
        parse(Options, ["--help"])
    told = capsys.readouterr().out
    assert end.value.code == 0
    assert told.startswith("usage: python -m beam_jobs.test_options --input URI [options]\n")
    order = ["Tries every type", "Required:\n  --input URI", "Data:", "--rows N", "(default: 10)",
             "fast|exact", "100% yours", "--strict [true|false]", "Run:", "--help", "Dead letters:",
             "Examples:\n  python -m beam_jobs.try", "too: --runner", "3 a gate said"]  # fmt: skip
    places = [told.index(text) for text in order]
    assert places == sorted(places)
    assert max(len(line) for line in told.splitlines()) <= 100


def test_help_and_quick_mistakes_import_the_standard_library_only():
    code = (
        "import sys\nbefore = set(sys.modules)\nfrom beam_jobs import score\n"
        "try: score.main(['--help'])\nexcept SystemExit: pass\n"
        "code = score.main(['--batch_rows=x'])\n"
        "found = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(code, sorted(found - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "2 ['beam_jobs', 'transforms']", done.stderr


def test_the_jobs_name_is_its_modules():
    from beam_jobs.score import Options as ScoreOptions

    assert job_of(ScoreOptions) == "score"
