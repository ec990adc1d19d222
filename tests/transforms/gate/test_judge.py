"""Judge: what it tells by several ways agrees."""

from tests.support import batch_of
from transforms.gate.judge import Judge
from transforms.gate.places import REPORT
from transforms.schema import infer_schema
from transforms.statistics.collect import Collector, statistics_of
from transforms.statistics.generate import Slices
from transforms.statistics.options import StatisticsOptions
from transforms.statistics.slices.values import SliceBy

OPTIONS = StatisticsOptions(slices=(SliceBy(("s",)),))


def rows(shares):
    """Of each slice 200 rows, of which a share has x = "u"."""
    x = [["u", "v"][place >= 200 * share] for share in shares for place in range(200)]
    return batch_of(s=["a"] * 200 + ["b"] * 200 + ["c"] * 200, x=x)


def test_the_table_and_the_report_count_the_same_slices():
    """All rows drift, and a and b with them; c does not."""
    before = statistics_of(rows([0.5, 0.5, 0.5]), OPTIONS)
    schema = infer_schema(before)
    for feature in schema.feature:
        feature.drift_comparator.infinity_norm.threshold = 0.1
    collector = Collector(OPTIONS)
    collector.add(rows([0.9, 0.9, 0.5]))
    judgement = Judge(OPTIONS, schema=schema, reference=before)(Slices(collector.slices()))
    told = {each.feature: each.why for each in judgement.findings}
    assert "x" in told
    assert "(2 of 3 slices)" in told
    page = dict(judgement.files)[REPORT].decode()
    assert 'href="#slices">2<' in page
