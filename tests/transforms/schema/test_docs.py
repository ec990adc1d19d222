"""docs/anomalies.md says what the rules do."""

import re

from tensorflow_metadata.proto.v0 import anomalies_pb2

from tests.support import ROOT
from transforms.schema.anomalies.rules import KINDS

TEXT = (ROOT / "docs" / "anomalies.md").read_text()


def test_every_kind_is_in_the_table_once():
    rows = TEXT.split("## Every kind")[1].split("\n## ")[0]
    named = re.findall(r"^\| ([A-Z0-9_, ]+) \|", rows, re.MULTILINE)
    kinds = [kind for row in named for kind in row.split(", ")]
    assert sorted(kinds) == sorted(KINDS)


def test_what_nothing_raises():
    others = set(anomalies_pb2.AnomalyInfo.Type.keys()) - KINDS
    assert f"The other {len(others)} names" in TEXT
