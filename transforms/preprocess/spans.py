"""Analysis by span: what a cache keeps of each day is not read again."""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import apache_beam as beam
import pyarrow as pa

from transforms.batches import row_origin
from transforms.coders import Batches
from transforms.errors import ConfigError
from transforms.preprocess.analyze import Analyze
from transforms.preprocess.cache import SpanCache
from transforms.preprocess.declared.analyze import homes_of, learn_spans
from transforms.preprocess.tft_cache import AnalyzerKeys, cache_of, store

Rows = Callable[[frozenset[str], str], Batches]
"""Reads the rows of some spans, by their names: those that are new, or every one."""
NEW, EVERY = "New", "Every"
"""The two readings."""


@dataclass(frozen=True)
class SpanAnalysis:
    """An analysis of spans, and what the cache has of it.

    Attributes:
      analyze: What is analyzed, without its folder.
      cache: What is kept.
      names: The figures or analyzers that the cache can keep.
      keys: What tf.Transform calls them; None for declared steps.
    """

    analyze: Analyze
    cache: SpanCache
    names: frozenset[str]
    keys: AnalyzerKeys | None = None

    @classmethod
    def resolve(cls, analyze: Analyze, cache: SpanCache) -> "SpanAnalysis":
        """Finds out what the analysis would keep."""
        if not cache.spans:
            raise ConfigError("--cache: there are no spans to analyze")
        if analyze.plan is not None:
            return cls(analyze, cache, analyze.plan.kept)
        assert analyze.function is not None
        spans = [span.name for span in cache.spans]
        keys = AnalyzerKeys.of(analyze.function, analyze.columns, spans)
        return cls(analyze, cache, frozenset(keys.names), keys)

    def news(self) -> str | None:
        """Returns what to say before the run: which spans are analyzed again, and why."""
        return self.cache.news(self.names)

    @property
    def rereads(self) -> bool:
        """Whether every span is read: figures that depend on others are not kept."""
        return self.analyze.plan is not None and self.analyze.plan.phases > 1

    def run(self, root: Any, rows: Rows, folder: str, temp: str) -> "beam.PCollection[str]":
        """Builds the analysis, and returns the folder of the graph once all is in it.

        Args:
          root: The pipeline.
          rows: Reads the rows of spans.
          folder: Where the graph is written.
          temp: A folder for what is in between.
        """
        analyze = replace(self.analyze, folder=folder, temp=temp)
        if self.keys is None:
            made = self._steps(root, rows, analyze)
        else:
            made = self._function(root, rows, analyze, self.keys)
        return made | "DropOthers" >> beam.Map(_drop_others, self.cache)

    def _steps(self, root: Any, rows: Rows, analyze: Analyze) -> "beam.PCollection[str]":
        assert analyze.plan is not None
        missing = frozenset(self.cache.missing(self.names))
        every = frozenset(span.name for span in self.cache.spans)
        news = rows(missing, NEW) if missing else None
        again = rows(every, EVERY) if self.rereads else None
        known = learn_spans(root, news, again, analyze.plan, self.cache)
        return analyze.write_steps(known)

    def _function(
        self, root: Any, rows: Rows, analyze: Analyze, keys: AnalyzerKeys
    ) -> "beam.PCollection[str]":
        tft_beam = importlib.import_module("tensorflow_transform.beam")
        given = cache_of(root, keys, self.cache)
        needed = keys.needed(given)
        parts = self._parts(rows(needed, NEW), analyze, needed) if needed else {}
        spans = {keys.datasets[each.name]: parts.get(each.name) for each in self.cache.spans}
        with analyze.context():
            step = tft_beam.AnalyzeDatasetWithCache(analyze.function, pipeline=root)
            analyzed, made = (spans, given, analyze.columns.adapter()) | "Analyze" >> step
        store(root, made, keys, self.cache)
        return analyze.write_function(analyzed)

    def _parts(self, read: Batches, analyze: Analyze, names: frozenset[str]) -> dict[str, Any]:
        """Returns rows as tf.Transform takes them, by span."""
        homes = homes_of(self.cache)
        parts = read | "BySpan" >> beam.ParDo(_PartFn(homes)).with_outputs(*names)
        for name in names:
            parts[name].element_type = pa.RecordBatch
        return {name: analyze.fed(parts[name], f"Feed {name}") for name in sorted(names)}


class _PartFn(beam.DoFn):
    """Sends each batch to an output that is called as its span."""

    def __init__(self, homes: dict[str, str]) -> None:
        self._homes = homes

    def process(self, batch: pa.RecordBatch) -> Iterator[Any]:
        yield beam.pvalue.TaggedOutput(self._homes[row_origin(batch)[0]], batch)


def _drop_others(folder: str, cache: SpanCache) -> str:
    cache.drop_others()
    return folder
