"""Detectors of the user's own: functions, files of words, patterns good and bad."""

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.detectors.own.cost import is_cheap, without_captures
from privacy.detectors.own.plug_in import PlugIn, register_detector
from privacy.local.inspect import inspect_batch
from privacy.local.plan import compile_plan
from privacy.local.redact import redact_batch
from privacy.policy.read import parse_policy, policy_of
from tests.privacy.policies import REPLACE, policy
from transforms.errors import ConfigError

NAMES = r"\b(?:Ann|Bob|Zoë)\b"


def find_names(texts):
    return [[m.span() for m in re.finditer(NAMES, text)] for text in texts]


def failing(texts):
    raise ValueError(f"no {texts[0]}")


def beyond(texts):
    return [[(0, len(text) + 1)] for text in texts]


def few(texts):
    return []


def odd(texts):
    return [["ab"] for _ in texts]


def named(reference, **more):
    return policy_of(
        {
            "inspect_config": {
                "info_types": [{"name": "PERSON_NAME"}, {"name": "EMAIL_ADDRESS"}],
                "include_quote": True,
            },
            "deidentify_config": {"info_type_transformations": {"transformations": [REPLACE]}},
            "detectors": {"PERSON_NAME": reference},
            **more,
        }
    )


TEXTS = ["né Zoë & Ann", None, "ann@b.com, Bob", "né Zoë & Ann", "", "\U0001f600 Ann"]


def test_a_function_finds_what_needs_a_model():
    rules = named(f"{__name__}:find_names")
    batch = pa.record_batch({"t": pa.array(["x", *TEXTS]).slice(1)})
    found = [(x["row"], x["quote"]) for x in inspect_batch(batch, rules).to_pylist()]
    assert found == [
        (0, "Zoë"),
        (0, "Ann"),
        (2, "ann@b.com"),
        (2, "Bob"),
        (3, "Zoë"),
        (3, "Ann"),
        (5, "Ann"),
    ]
    rows, _ = redact_batch(batch, rules)
    assert rows.column("t").to_pylist() == [
        "né [PERSON_NAME] & [PERSON_NAME]",
        None,
        "[EMAIL_ADDRESS], [PERSON_NAME]",
        "né [PERSON_NAME] & [PERSON_NAME]",
        "",
        "\U0001f600 [PERSON_NAME]",
    ]


def test_a_file_of_python_travels_with_the_policy(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "def find(texts):\n    return [[(0, 3, 5)] if t[:3] == 'Ann' else [] for t in texts]\n"
    )
    rules = named(f"{path}:find")
    path.unlink()
    found = inspect_batch(pa.record_batch({"t": ["Annabel", "Bob"]}), rules).to_pylist()
    assert [(x["quote"], x["likelihood"]) for x in found] == [("Ann", "VERY_LIKELY")]


def test_a_registered_function(monkeypatch):
    monkeypatch.setattr("privacy.detectors.own.plug_in._REGISTERED", {})
    config = {"inspect_config": {"info_types": [{"name": "PERSON_NAME"}], "include_quote": True}}
    batch = pa.record_batch({"t": ["Ann"]})
    with pytest.raises(ConfigError, match="needs a model; use engine: cloud, or name a function"):
        inspect_batch(batch, policy_of(config))
    register_detector("PERSON_NAME", find_names)
    assert inspect_batch(batch, policy_of(config)).num_rows == 1
    compile_plan.cache_clear()


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("failing", "PERSON_NAME failed: ValueError$"),
        ("beyond", "does not lie in its text"),
        ("few", "returned 0 lists for 1 texts"),
        ("odd", "not \\(start, end\\)"),
    ],
)
def test_a_function_that_is_wrong_shows_no_value(function, message):
    rules = named(f"{__name__}:{function}")
    with pytest.raises(ConfigError, match=message) as error:
        inspect_batch(pa.record_batch({"t": ["secret"]}), rules)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("nowhere", "must be MODULE:FUNCTION or FILE.py:FUNCTION"),
        ("no_such_module:find", "can't be imported \\(ModuleNotFoundError\\)"),
        (f"{__name__}:absent", "can't be imported \\(AttributeError\\)"),
        (f"{__name__}:NAMES", "is no function"),
        ("/no/such/file.py:find", "detectors"),
    ],
)
def test_references_that_lead_nowhere_are_told_at_launch(reference, message):
    with pytest.raises(ConfigError, match=message):
        compile_plan(named(reference))


def test_many_texts_come_in_several_calls():
    sizes = []

    def find(texts):
        sizes.append(len(texts))
        return [[(0, 1)] for _ in texts]

    places = PlugIn("X", "", "", find=find).places(pa.array([f"t{i}" for i in range(2_500)]))
    assert sizes == [1_024, 1_024, 452]
    assert places[:, 0].tolist() == list(range(2_500))


def test_words_of_a_file_and_stored_types(tmp_path):
    (tmp_path / "words.txt").write_text("Sam Johnson\n\nquasimodo\n")
    rules = parse_policy(
        f"""
        inspect_config:
          include_quote: true
          custom_info_types:
          - info_type: {{name: A}}
            dictionary: {{cloud_storage_path: {{path: {tmp_path}/words.txt}}}}
          - infoType: {{name: B}}
            storedType: {{name: projects/p/storedInfoTypes/codes}}
        stored_info_types:
          codes: {{regex: {{pattern: 'X-[0-9]+'}}}}
        """
    )
    found = inspect_batch(
        pa.record_batch({"t": ["sam, johnson X-12 Quasimodo"]}), rules
    ).to_pylist()
    assert [(x["info_type"], x["quote"]) for x in found] == [
        ("A", "sam, johnson"),
        ("B", "X-12"),
        ("A", "Quasimodo"),
    ]


def test_a_stored_type_that_is_not_there(tmp_path):
    custom = [{"info_type": {"name": "B"}, "stored_type": {"name": "code"}}]
    with pytest.raises(ConfigError, match="no 'code'; did you mean codes"):
        policy_of(
            {
                "inspect_config": {"custom_info_types": custom},
                "stored_info_types": {"codes": {"regex": {"pattern": "x"}}},
            }
        )
    words = {"cloud_storage_path": {"path": str(tmp_path / "no")}}
    custom = [{"info_type": {"name": "B"}, "dictionary": words}]
    with pytest.raises(ConfigError, match="dictionary"):
        policy_of({"inspect_config": {"custom_info_types": custom}})


WORDS = ["sam johnson", "jen", "straße", "new york", "new york city", "x1", "ñandú"]
PIECES = st.sampled_from("Sam JOHNSON jennifer jen jen123 Straße New York City x1 , Ñandú".split())


def _dictionary(words):
    return {
        "custom_info_types": [
            {"info_type": {"name": "C"}, "dictionary": {"word_list": {"words": words}}}
        ]
    }


@given(st.lists(st.none() | st.lists(PIECES, max_size=6).map(" ".join), max_size=6))
def test_long_lists_find_what_short_ones_find(texts):
    """The same words, with so many more that an automaton is used."""
    batch = pa.record_batch({"t": pa.array(texts, pa.string())})
    more = [f"zq{i}zq" for i in range(200)]
    short, long = (
        inspect_batch(batch, policy(names=[], include_quote=True, **_dictionary(words)))
        for words in (WORDS, WORDS + more)
    )
    assert short.to_pylist() == long.to_pylist()


@pytest.mark.parametrize("pattern", [r"\bEMP-\d{6}\b", "(?i)internal only", r"[A-Z]{3}\d{5}"])
def test_plain_patterns_are_joined(pattern):
    assert is_cheap(pattern)


@pytest.mark.parametrize("pattern", [r"(a|b)[a-j ]{30}z", r"a[a-j ]{1,1000}z"])
def test_bad_patterns_run_apart_and_find_the_same(pattern):
    assert not is_cheap(pattern)
    custom = [{"info_type": {"name": "C"}, "regex": {"pattern": pattern}}]
    rules = policy(names=["EMAIL_ADDRESS"], custom_info_types=custom, include_quote=True)
    plan = compile_plan(rules)
    assert pattern not in plan.prefilter
    text = "ab" + "c d" * 10 + "z, a@b.com"
    found = inspect_batch(pa.record_batch({"t": [text]}), rules).to_pylist()
    assert re.search(pattern, text)[0] in [x["quote"] for x in found]


@pytest.mark.parametrize(
    ("pattern", "text", "wanted"),
    [
        (r"(ab)+(?P<x>\d)", "ab1 abab2", ["ab1", "abab2"]),
        (r"[(]a[])]", "(a) (a]", ["(a)", "(a]"]),
        (r"\(a\)|\Q(b)\E", "(a)(b)", ["(a)", "(b)"]),
        (r"[[:alpha:](]+\d", "x(1", ["x(1"]),
        (r"(?i)(id)-(\d+)", "ID-7", ["ID-7"]),
    ],
)
def test_groups_of_patterns_capture_nothing(pattern, text, wanted):
    custom = [{"info_type": {"name": "C"}, "regex": {"pattern": pattern}}]
    rules = policy(names=[], custom_info_types=custom, include_quote=True)
    found = inspect_batch(pa.record_batch({"t": [text]}), rules).to_pylist()
    assert [x["quote"] for x in found] == wanted
    assert "(?P" not in without_captures(pattern)


def test_groups_that_are_asked_for_are_what_is_found():
    regex = {"pattern": r"id (\d+) of (\w+)", "group_indexes": [1, 2]}
    custom = [{"info_type": {"name": "C"}, "regex": regex}]
    rules = policy(names=[], custom_info_types=custom, include_quote=True)
    found = inspect_batch(
        pa.record_batch({"t": ["é id 12 of Ann, id 3 of Bob"]}), rules
    ).to_pylist()
    assert [x["quote"] for x in found] == ["12", "Ann", "3", "Bob"]
    regex["group_indexes"] = [3]
    with pytest.raises(ConfigError, match="no group of each"):
        compile_plan(policy(names=[], custom_info_types=custom))
