"""Schema files kept by hand: what did not change stands as it stood; slips are told by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.schema.builders import schema_of, stats_of
from transforms.errors import ConfigError
from transforms.metadata.protos import schema_pb2
from transforms.schema import (
    diff_schemas,
    infer_schema,
    read_metadata,
    update_schema,
    write_metadata,
)
from transforms.schema.files import edited_schema
from transforms.schema.text.edit import edit_text
from transforms.schema.text.fields import rendered

HAND = """\
# Trips of the city. Ask Ana before you change it.

# Money
feature {
  name: "fare"   # in dollars
  type: FLOAT
  presence { min_fraction: 1.0  min_count: 1 }
  float_domain {
    min: 0.0  # no refunds
    max: 500
  }
}

# Who drove
feature: <
  name: 'com' "pany"; type: BYTES,
  domain: "company"
  not_in_environment: ["A", "B"]
>
feature { name: "old" type: INT }
# Names as of May
string_domain {
  name: "company"
  value: "Zoë # cabs"
  # two that merged
  value: "\\"A\\" { cab"
  value: "B"
}
default_environment: "A"
default_environment: "B"
"""


def changed(**edits):
    """The schema after some edits, and its text."""
    schema = schema_of(HAND)
    for edit in edits.values():
        edit(schema)
    return schema, edited_schema(HAND, schema)


def test_an_unchanged_schema_is_the_same_text():
    assert changed()[1] == HAND


def test_a_wider_range():
    _, text = changed(a=lambda s: setattr(s.feature[0].float_domain, "max", 700.5))
    assert text == HAND.replace("max: 500", "max: 700.5")


def test_a_field_in_one_line():
    _, text = changed(a=lambda s: setattr(s.feature[0].presence, "min_fraction", 0.25))
    assert text == HAND.replace("min_fraction: 1.0", "min_fraction: 0.25")


def test_a_field_that_goes():
    _, text = changed(a=lambda s: s.feature[0].float_domain.ClearField("min"))
    assert text == HAND.replace("    min: 0.0  # no refunds\n", "")


def test_a_field_that_is_new():
    _, text = changed(a=lambda s: setattr(s.feature[0], "lifecycle_stage", schema_pb2.DEPRECATED))
    assert text == HAND.replace(
        "    max: 500\n  }\n", "    max: 500\n  }\n  lifecycle_stage: DEPRECATED\n"
    )


def test_a_field_that_is_new_in_one_line():
    schema, text = changed(a=lambda s: setattr(s.feature[2].value_count, "max", 1))
    assert schema_of(text) == schema
    line = next(line for line in text.splitlines() if '"old"' in line)
    assert line == 'feature { name: "old" type: INT  value_count { max: 1 } }'


def test_values_that_are_new_and_gone():
    def edit(schema):
        values = schema.string_domain[0].value
        values.remove("B")
        values.append("C")
        values.insert(0, "Ärzte")

    _, text = changed(a=edit)
    assert text == HAND.replace('  value: "B"\n', '  value: "C"\n').replace(
        '  value: "Zoë', '  value: "Ärzte"\n  value: "Zoë'
    )


def test_a_list_in_brackets():
    schema, text = changed(a=lambda s: s.feature[1].not_in_environment.remove("A"))
    assert schema_of(text) == schema
    assert [line for line in text.splitlines() if line not in HAND.splitlines()] == [
        '  not_in_environment: "B"'
    ]


def test_features_that_are_new_and_gone():
    def edit(schema):
        del schema.feature[0]
        schema.feature.add(name="new", type=schema_pb2.INT)

    schema, text = changed(a=edit)
    assert schema_of(text) == schema
    assert text.startswith("# Trips of the city. Ask Ana before you change it.\n\n")
    assert "# Money" not in text
    assert 'feature {\n  name: "new"\n  type: INT\n}\n# Names as of May' in text


def test_lines_that_end_as_on_windows():
    schema = schema_of(HAND)
    schema.string_domain[0].value.append("C")
    text = HAND.replace("\n", "\r\n")
    edited = edited_schema(text, schema)
    assert edited == text.replace('  value: "B"\r\n', '  value: "B"\r\n  value: "C"\r\n')


@pytest.mark.parametrize("text", ["", "# Mine", "# Mine\n", "\n# Mine\n\n"])
def test_a_text_without_a_field(text):
    schema = schema_of(HAND)
    edited = edited_schema(text, schema)
    assert edited.startswith(text)
    assert edited.removeprefix(text).removeprefix("\n") == rendered(schema)


@pytest.mark.parametrize("body", ["{}", "{ }", "{\n}", "{\n  # none yet\n}", "{ # none yet\n}"])
def test_a_message_without_a_field(body):
    text = f"feature {body}"
    schema = schema_of(text)
    schema.feature[0].type = schema_pb2.INT
    edited = edited_schema(text, schema)
    assert schema_of(edited) == schema
    assert ("# none yet" in edited) == ("# none yet" in body)
    assert edited.count("\n") == text.count("\n") + (0 if "\n" not in body else 1)


def test_a_list_of_one_message_in_brackets():
    text = "# kept\nfeature: [{ name: 'a' type: INT }]\n"
    schema = schema_of(text)
    schema.feature[0].type = schema_pb2.FLOAT
    edited = edited_schema(text, schema)
    assert schema_of(edited) == schema
    assert "FLOAT" in edited


def test_what_moved_is_written_anew():
    def edit(schema):
        features = list(schema.feature)
        del schema.feature[:]
        schema.feature.extend(reversed(features))

    schema, text = changed(a=edit)
    assert schema_of(text) == schema


def test_an_update_changes_only_the_features_concerned(tmp_path):
    path = tmp_path / "schema.pbtxt"
    path.write_text(HAND)
    schema = read_metadata(str(path))
    data = stats_of(fare=[700.5, 1.0], company=["B", "C"], old=[1, 2], tip=[1.5, 2.5])
    write_metadata(update_schema(schema, data), str(path))
    lines = path.read_text().splitlines()
    assert [line for line in HAND.splitlines() if line not in lines] == ["    max: 500"]
    added = [line for line in lines if line not in HAND.splitlines()]
    assert added[:2] == ["    max: 700.5", '  name: "tip"']
    assert added[-1] == '  value: "C"'


def test_a_file_that_is_not_there_is_written(tmp_path):
    path = str(tmp_path / "schema.pbtxt")
    schema = infer_schema(stats_of(x=["é"], y=[1]))
    write_metadata(schema, path)
    assert read_metadata(path) == schema
    assert 'value: "é"' in (tmp_path / "schema.pbtxt").read_text()


def test_a_file_that_is_no_schema_is_not_overwritten(tmp_path):
    path = tmp_path / "schema.pbtxt"
    path.write_text("feature {\n  nme: 'x'\n}\n")
    with pytest.raises(ConfigError, match=rf"{path}: line 2: Feature has no field 'nme'"):
        write_metadata(schema_pb2.Schema(), str(path))
    assert path.read_text() == "feature {\n  nme: 'x'\n}\n"


def test_files_that_cant_be_read(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.pbtxt: can't be read: No such file"):
        read_metadata(str(tmp_path / "none.pbtxt"))
    (tmp_path / "bytes.pbtxt").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"bytes\.pbtxt: is not UTF-8"):
        read_metadata(str(tmp_path / "bytes.pbtxt"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("feature {\n tpye: INT }", "line 2: Feature has no field 'tpye'; did you mean 'type'?"),
        ("feature {\n type: INTT }", "line 2: FeatureType has no value 'INTT'; did you mean 'INT'"),
        ("feature {\n qqqqqqqq: 1 }", "line 2: Feature has no field 'qqqqqqqq'$"),
        ("feature {\n\n type: INT", "line 3: not a tensorflow-metadata Schema: Expected"),
        ("feature {\n presence {\n min_fraction: much } }", "line 3: not a"),
        (
            "feature { name: 'a'\n domain: 'compny' }\nstring_domain { name: 'company' }",
            "line 2: there is no string_domain 'compny'; did you mean 'company'?",
        ),
        (
            "default_environment: 'SERVING'\nfeature { not_in_environment:\n'SERVNG' }",
            "line 2: there is no environment 'SERVNG'; did you mean 'SERVING'?",
        ),
        ("feature { name: 'a' }\nfeature { name: 'a' }", "line 2: feature 'a' is there twice"),
        (
            "string_domain { name: 'a' }\nstring_domain {\nname: 'a' }",
            "line 3: string_domain 'a' is there twice",
        ),
    ],
)
def test_slips(tmp_path, text, words):
    path = tmp_path / "schema.pbtxt"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words) as error:
        read_metadata(str(path))
    assert str(error.value).startswith(f"{path}: line ")


def test_what_may_be_on_purpose_is_read():
    text = "feature { name: 'a' type: BYTES domain: 'none' not_in_environment: 'ELSEWHERE' }"
    assert edited_schema(text, schema_of(text)) == text


NAMES = st.sampled_from(["a", "b", "c", 'quote"d', "ha#sh", "cur{ly", "tab\t", "ünï"])
NUMBERS = st.none() | st.integers(-5, 2**40)


@st.composite
def features(draw, depth=2):
    feature = schema_pb2.Feature(name=draw(NAMES), type=draw(st.integers(1, 4)))
    for message, field, value in (
        (feature.presence, "min_count", draw(NUMBERS)),
        (feature.presence, "min_fraction", draw(st.none() | st.floats(0, 1))),
        (feature.value_count, "min", draw(NUMBERS)),
        (feature.unique_constraints, "max", draw(NUMBERS)),
    ):
        if value is not None:
            setattr(message, field, value)
    domain = draw(st.integers(0, 4))
    if domain == 1:
        feature.float_domain.max = draw(st.floats(width=32, allow_nan=False))
    elif domain == 2:
        feature.string_domain.value.extend(draw(st.lists(NAMES, max_size=4)))
    elif domain == 3 and depth:
        feature.struct_domain.feature.extend(
            draw(st.lists(features(depth - 1), max_size=2, unique_by=lambda each: each.name))
        )
    elif domain == 4:
        feature.natural_language_domain.token_constraints.extend(
            schema_pb2.SequenceValueConstraints(int_value=value)
            for value in draw(st.lists(st.integers(0, 3), max_size=3))
        )
    feature.in_environment.extend(draw(st.lists(NAMES, max_size=2)))
    return feature


@st.composite
def schemas(draw):
    schema = schema_pb2.Schema(
        feature=draw(st.lists(features(), max_size=4, unique_by=lambda each: each.name)),
        default_environment=draw(st.lists(NAMES, max_size=2)),
    )
    for name in draw(st.lists(NAMES, max_size=2, unique=True)):
        schema.string_domain.add(name=name, value=draw(st.lists(NAMES, max_size=4)))
    if draw(st.booleans()):
        group = schema.tensor_representation_group[draw(NAMES)]
        group.tensor_representation["t"].varlen_sparse_tensor.column_name = draw(NAMES)
    return schema


def commented(text, draw):
    lines = [f"{line}  # {n} {{\n" for n, line in enumerate(text.splitlines())]
    if draw(st.booleans()):
        lines = [f"# about {n}\n{line}" for n, line in enumerate(lines)]
    return "".join(lines)


@given(schemas(), schemas(), st.data())
def test_an_edited_text_says_what_it_is_to_say(old, new, data):
    text = commented(rendered(old), data.draw)
    assert edit_text(text, old, old) == text
    assert schema_of(edit_text(text, old, new)) == new
    assert schema_of(edit_text(" ".join(rendered(old).split("\n")), old, new)) == new


@given(schemas(), features(), st.data())
def test_other_features_stand_as_they_stood(old, added, data):
    text = commented(rendered(old), data.draw)
    new = schema_pb2.Schema()
    new.CopyFrom(old)
    taken = {feature.name for feature in old.feature}
    if added.name in taken:
        at = [feature.name for feature in new.feature].index(added.name)
        new.feature[at].CopyFrom(added)
    else:
        new.feature.append(added)
    edited = edit_text(text, old, new).splitlines()
    changed_at = (
        [feature.name for feature in old.feature].index(added.name)
        if (added.name in taken)
        else None
    )
    numbered = [line for line in text.splitlines() if not line.startswith("# about")]
    assert [
        line
        for line, owner in zip(numbered, owners(rendered(old)), strict=True)
        if owner != ("feature", changed_at) and line not in edited
    ] == []


def owners(text):
    """Of each line the field at the top that it is in, and which of those it is."""
    name, count = "", {}
    for line in text.splitlines():
        if line[0] not in " }":
            name = line.split()[0].rstrip(":")
            count[name] = count.get(name, -1) + 1
        yield name, count[name]


@given(schemas(), schemas())
def test_a_diff_is_empty_if_and_only_if_schemas_are_equal(old, new):
    assert (diff_schemas(old, new) == []) == (old == new)
    assert diff_schemas(new, new) == []


def test_a_diff_in_words():
    old = schema_of(HAND)
    new = schema_of(HAND)
    new.feature[0].float_domain.max = 700.5
    new.feature[0].presence.ClearField("min_count")
    new.feature[1].lifecycle_stage = schema_pb2.DEPRECATED
    new.feature[1].not_in_environment.remove("A")
    new.string_domain[0].value.extend(map(str, range(9)))
    new.default_environment.reverse()
    new.dataset_constraints.min_examples_count = 5
    del new.feature[2]
    new.feature.add(name="tip", type=schema_pb2.FLOAT)
    assert diff_schemas(old, new) == [
        'feature "fare": least number of rows that have it 1 -> unset',
        'feature "fare": greatest value 500 -> 700.5',
        'feature "company": environments without it removed: "A"',
        'feature "company": lifecycle stage unset -> DEPRECATED',
        'feature "old": removed',
        'feature "tip": added (FLOAT)',
        'string domain "company": values added: "0", "1", "2", "3", "4" and 4 more',
        "default environments in another order",
        "dataset_constraints unset -> {min_examples_count: 5}",
    ]


def test_a_diff_of_order_alone():
    old = schema_of("feature { name: 'a' } feature { name: 'b' }")
    new = schema_of("feature { name: 'b' } feature { name: 'a' }")
    assert diff_schemas(old, new) == ["feature in another order"]
