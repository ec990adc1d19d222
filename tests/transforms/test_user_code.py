"""Rules in Python."""

import pickle
import subprocess
import sys

import pytest

from tests.support import ROOT, batch_of, run_on
from tests.transforms.row_checks.schemas import schema
from transforms.errors import ConfigError
from transforms.row_checks.checks import Checks
from transforms.row_checks.validate import Validate, validate_batch
from transforms.rules.python_rules import PythonRule
from transforms.user_code import Code

CODE = """
import pyarrow.compute as pc

LIMIT = 10

def small(batch):
    return pc.less(batch["x"], LIMIT)

def wrong_type(batch):
    return [True] * batch.num_rows

def wrong_length(batch):
    return small(batch).slice(1)

def fails(batch):
    raise ValueError(f"secret {batch['x'][0]}")
"""
SCHEMA = 'feature { name: "x" type: INT }'


@pytest.fixture
def code(tmp_path):
    (tmp_path / "code.py").write_text(CODE)
    return str(tmp_path / "code.py")


def _checks(tmp_path, code, rule):
    (tmp_path / "rules.yaml").write_text(f"- python: {rule}")
    return Checks.of(schema(SCHEMA), str(tmp_path / "rules.yaml"), code=code)


def test_rows_and_batches(tmp_path, code):
    checks = _checks(tmp_path, code, "small")
    batch = batch_of(x=[1, 10, None])
    good, rejects = validate_batch(batch, checks)
    assert good["x"].to_pylist() == [1, None]
    assert rejects["errorMessage"].to_pylist() == ["rule 'small' does not hold"]
    assert rejects["column"].to_pylist() == [None]
    assert [len(checks.check_row(row)) for row in batch.to_pylist()] == [0, 1, 0]
    assert checks.check_row({}) == []


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("wrong_type", r"wrong_type\(\) must return an Arrow array of booleans, but returned list"),
        ("wrong_length", r"wrong_length\(\) must return 3 booleans, one a row, but gave 2"),
        ("fails", r"fails\(\) failed in line 16: ValueError$"),
    ],
)
def test_what_a_rule_must_return(tmp_path, code, rule, message):
    with pytest.raises(ConfigError, match=message):
        validate_batch(batch_of(x=[1, 2, 3]), _checks(tmp_path, code, rule))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(:\n", r"code.py: line 1: invalid syntax"),
        ("x = 1\nimport nothing_of_the_kind\n", r"code.py: line 2: ModuleNotFoundError"),
    ],
)
def test_a_broken_file_is_found_at_start(tmp_path, text, message):
    (tmp_path / "code.py").write_text(text)
    with pytest.raises(ConfigError, match=message):
        Code.read(str(tmp_path / "code.py"))


def test_there_is_no_such_file(tmp_path):
    with pytest.raises(ConfigError, match=r"--code .*none.py: can't be read"):
        Code.read(str(tmp_path / "none.py"))


def test_a_worker_needs_no_file(tmp_path, code):
    """What is shipped is the text: another process has neither the file nor its module."""
    rule = PythonRule("small", Code.read(code))
    (tmp_path / "code.py").unlink()
    (tmp_path / "rule").write_bytes(pickle.dumps(rule))
    script = (
        "import pickle, pyarrow as pa;"
        f"rule = pickle.load(open({str(tmp_path / 'rule')!r}, 'rb'));"
        "print(rule.broken(pa.record_batch({'x': [1, 10]})).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[False, True]", done.stderr


def test_in_a_pipeline(tmp_path, code):
    (tmp_path / "rules.yaml").write_text("- python: small")
    verb = Validate(schema(SCHEMA), str(tmp_path / "rules.yaml"), code=code)
    (out,) = run_on([batch_of(x=[1, 2])], lambda rows: rows | verb)
    assert out["x"].to_pylist() == [1, 2]
