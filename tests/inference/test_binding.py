"""Columns are matched with inputs, and what does not fit is told before any row moves."""

import pyarrow as pa
import pytest

from inference.signature.binding import bind
from inference.signature.spec import Layout, Signature, TensorSpec
from transforms.errors import ConfigError

SCHEMA = pa.schema(
    {
        "fare": pa.float32(),
        "company": pa.string(),
        "hour": pa.int64(),
        "when": pa.timestamp("us"),
        "pixels": pa.list_(pa.uint8(), 4),
        "words": pa.list_(pa.string()),
        "f10": pa.float64(),
        "f2": pa.float64(),
        "empty": pa.null(),
    }
)


def dense(name, *shape, dtype="float32", part=None):
    return TensorSpec(name, dtype, (None, *shape), parts=(part or name,))


def bound(*specs, schema=SCHEMA, features=None, **mapping):
    return bind(Signature("s", specs, (), features=features), mapping, schema)


def columns(binding):
    return [[column.name for column in feed.columns] for feed in binding.feeds]


def test_names_mappings_and_patterns():
    spec = dense("x", 2)
    assert columns(bound(dense("fare"), dense("hour"))) == [["fare"], ["hour"]]
    assert columns(bound(spec, x=("fare", "hour"))) == [["fare", "hour"]]
    assert columns(bound(spec, x=("f*",), schema=SCHEMA.remove(0))) == [["f2", "f10"]]
    assert columns(bound(dense("x", part="inputs_3"), inputs_3=("fare",))) == [["fare"]]
    starred = pa.schema({"f*": pa.float32(), "fare": pa.float32()})
    assert columns(bound(dense("x"), x=("f*",), schema=starred)) == [["f*"]]


def test_casts_only_where_they_change_something():
    specs = [dense("fare"), dense("f2"), dense("pixels", 4), dense("empty")]
    casts = [feed.columns[0].cast for feed in bound(*specs).feeds]
    assert casts == [None, pa.float32(), None, pa.float32()]
    assert bound(dense("hour")).feeds[0].columns[0].cast == pa.float32()


@pytest.mark.parametrize(
    ("spec", "mapping", "texts"),
    [
        (dense("fair"), {}, ["'fair'", "missing", "mean 'fare'?", 'mapping={"fair": "COLUMN"}']),
        (dense("x"), {"x": ("tip",)}, ["'x'", "'tip'", "missing"]),
        (dense("company"), {}, ["'company' is string", "float32", "types=", "mapping="]),
        (dense("when", dtype="int64"), {}, ["timestamp", "cast it first"]),
        (dense("fare", dtype="string"), {}, ["'fare' is float", "not text"]),
        (dense("fare", 3), {}, ["'fare' is float", "float32 [n, 3]", '"FIRST,SECOND,..."']),
        (dense("pixels", 3), {}, ["4 values instead of 3"]),
        (dense("pixels", 2, 2), {}, ["1 levels of lists instead of 2"]),
        (dense("pixels"), {}, ["'pixels'"]),
        (dense("x", 3), {"x": ("fare", "hour")}, ["takes 3 columns, but 2 are mapped"]),
        (dense("x", 2), {"x": ("fare", "pixels")}, ["'pixels'", "only scalars"]),
        (dense("x"), {"x": ("fare", "hour")}, ["2 columns", "two dimensions"]),
        (dense("x"), {"x": ()}, ["'x'", "needs a value in each row"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(spec, mapping, texts):
    with pytest.raises(ConfigError) as error:
        bound(spec, **mapping)
    for text in texts:
        assert text in str(error.value)


def test_everything_is_told_at_once():
    with pytest.raises(ConfigError) as error:
        bound(dense("fair"), dense("company"), dense("hoor"))
    assert len(str(error.value).splitlines()) == 4


def test_an_ambiguous_column():
    twice = pa.schema([("x", pa.float32()), ("x", pa.float32())])
    with pytest.raises(ConfigError, match="occurs 2 times"):
        bound(dense("x"), schema=twice)


def test_an_optional_input_can_be_left_without_values():
    spec = TensorSpec(
        "tips", "float32", (None, None), Layout.SPARSE, ("i", "v", "d"), required=False
    )
    with pytest.raises(ConfigError, match=r'mapping=\{"tips": ""\} to leave it without values'):
        bound(spec)
    assert columns(bound(spec, tips=())) == [[]]


TEXT = TensorSpec("examples", "string", (None,), parts=("examples",))
FEATURES = (
    TensorSpec("fare", "float32", (None,)),
    TensorSpec("words", "string", (None, None), Layout.SPARSE, required=False),
)


def test_features_are_encoded():
    binding = bound(TEXT, features=FEATURES)
    assert binding.examples == TEXT
    assert columns(binding) == [["fare"], ["words"]]
    assert columns(bound(TEXT, features=FEATURES, fare=("hour",))) == [["hour"], ["words"]]


def test_ready_made_examples_are_fed_as_they_are():
    schema = SCHEMA.append(pa.field("examples", pa.binary()))
    binding = bound(TEXT, features=FEATURES, schema=schema)
    assert (binding.examples, columns(binding)) == (None, [["examples"]])
    binding = bound(TEXT, features=FEATURES, examples=("company",))
    assert (binding.examples, columns(binding)) == (None, [["company"]])


def test_all_columns_are_encoded_where_the_features_are_unknown():
    binding = bound(TEXT, features=())
    assert columns(binding) == [
        [n] for n in ("fare", "company", "hour", "pixels", "words", "f10", "f2")
    ]


def test_text_is_no_example_where_the_model_parses_none():
    with pytest.raises(ConfigError, match="needs column 'examples'"):
        bound(TEXT)
