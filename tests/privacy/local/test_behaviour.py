"""Cases of DLP's own samples and documentation: what the live service does, the engine does."""

import datetime
import json
import re

import pyarrow as pa
import pytest

from privacy.local.inspect import inspect_batch
from privacy.local.redact import redact_batch
from privacy.local.reidentify import reidentify_batch
from privacy.policy.read import policy_of
from tests.support import shared_data


def cases():
    try:
        return json.loads(shared_data("pii", "dlp_behaviour_cases.json").read_text())
    except pytest.skip.Exception as skipped:
        return [pytest.param(None, id="absent", marks=pytest.mark.skip(reason=str(skipped)))]


def _id(case):
    return case and case["id"]


@pytest.mark.parametrize("case", cases(), ids=_id)
def test_behaviour(case):
    if case.get("needs"):
        pytest.skip(f"needs a model of {case['needs']}")
    check(case, made(case))


def made(case):
    """What the engine makes of a case: the quotes that are found, or the cells that come out."""
    batch = batch_of(case["item"])
    if case["method"] == "reidentify":
        # The service finds tokens by the inspect_config; here the policy that made them says it.
        config = json.loads(json.dumps(case["reidentify_config"]))
        rules = policy_of({"deidentify_config": config, "inspect_config": {}})
        return cells(reidentify_batch(batch, rules))
    config = {k: case[k] for k in ("inspect_config", "deidentify_config") if k in case}
    config["detectors"] = {"PERSON_NAME": f"{__name__}:names"}
    rules = policy_of(config)
    if case["method"] == "inspect":
        return inspect_batch(batch, rules).to_pylist()
    return cells(redact_batch(batch, rules))


def names(texts):
    """First names, in the place of a model: they are found within addresses too."""
    return [[m.span() for m in re.finditer("(?i)alice|james", text)] for text in texts]


def cells(outcome):
    rows, rejects = outcome
    assert rejects.num_rows == 0
    return [list(row.values()) for row in rows.to_pylist()]


def check(case, got):
    """Checks what a case expects; the keys are those of its file's notes."""
    checks = {
        "findings": lambda want: all(
            any(all(f[k] == v for k, v in each.items()) for f in got) for each in want
        ),
        "some_of": lambda want: any(
            f["info_type"] == each["info_type"] and f["quote"] == each["quote"]
            for f in got
            for each in want
        ),
        "no_quotes": lambda want: not {f["quote"] for f in got} & set(want),
        "no_info_types": lambda want: not {f["info_type"] for f in got} & set(want),
        "count": lambda want: len(got) == want,
        "value": lambda want: got == [[want]],
        "value_one_of": lambda want: len(got) == 1 and got[0][0] in want,
        "rows": lambda want: got == want,
        "cells_contain": lambda want: all(each in str(got) for each in want),
        "not_in_output": lambda want: not any(each in str(got) for each in want),
        "not_equal_cells": lambda want: not any(cell in want for r in got for cell in r),
        "same_token": lambda _: all(row[0] in row[1] for row in got),
    }
    assert set(case["expect"]) <= set(checks), "a kind of expectation that is not known"
    for name, want in case["expect"].items():
        assert checks[name](want), name


def batch_of(item):
    if "value" in item:
        return pa.record_batch({"": [item["value"]]})
    table = item["table"]
    rows = [[_value(value) for value in row["values"]] for row in table["rows"]]
    names = [header["name"] for header in table["headers"]]
    return pa.RecordBatch.from_arrays(
        [pa.array(column) for column in zip(*rows, strict=True)], names=names
    )


def _value(value):
    (kind, given), *_ = value.items()
    return datetime.date(**given) if kind == "date_value" else given
