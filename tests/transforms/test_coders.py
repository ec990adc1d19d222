"""PickledCoder: values come back, and nobody pickles them to know their size."""

import apache_beam as beam
import pytest
from apache_beam.coders.typecoders import registry
from apache_beam.pipeline import PipelineVisitor

from tests.support import batch_of
from transforms.coders import PickledCoder
from transforms.gate.check import CheckData
from transforms.gate.judge import Judge, Judgement
from transforms.statistics.collect import Collector
from transforms.statistics.dataset import described
from transforms.statistics.generate import Slices
from transforms.statistics.options import StatisticsOptions

OPTIONS = StatisticsOptions()


def slices_of(**columns):
    collector = Collector(OPTIONS)
    collector.add(batch_of(**columns))
    return Slices(collector.slices())


class Unpickled(Slices):
    """Can't be pickled."""

    def __reduce_ex__(self, protocol):
        raise AssertionError("it was pickled")


def test_values_come_back():
    slices = slices_of(n=[1, 2, None], s=[{"a": "x"}, {"a": "y"}, None], l=[[[1.5]], [], None])
    again = PickledCoder().decode(PickledCoder().encode(slices))
    assert type(again) is Slices
    assert described(again, OPTIONS) == described(slices, OPTIONS)


@pytest.mark.parametrize("made", [Slices, Judgement])
def test_it_codes_what_is_bulky(made):
    assert registry.get_coder(made) == PickledCoder()


def test_a_size_is_told_without_pickling():
    value = Unpickled(slices_of(a=[1], b=[2]))
    assert PickledCoder().estimate_size(value) == value.nbytes > 0
    assert PickledCoder().estimate_size(Judgement((("a", b"12"), ("b", b"345")), (), 7)) == 5


class Types(PipelineVisitor):
    """Gathers the types of what passes from step to step."""

    def __init__(self):
        self.found = {}

    def visit_value(self, value, producer):
        self.found[producer.full_label] = str(value.element_type)


def test_what_is_known_passes_every_step_as_such():
    """As anything else it would be pickled at each to know how large it is."""
    pipeline, types = beam.Pipeline(), Types()
    judged = pipeline | beam.Create([batch_of(n=[1])]) | CheckData(Judge())
    pipeline.visit(types)
    merge = [
        each for name, each in types.found.items() if "/Merge/" in name and "DoOnce" not in name
    ]
    assert len(merge) == 5
    assert all("generate.Slices" in each for each in merge)
    assert judged.element_type is Judgement
