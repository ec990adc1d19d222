"""What tf.Transform's analyzers keep of each span, in our cache: its own writes half of a run."""

import hashlib
import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from transforms.io.spans import Span
from transforms.preprocess.cache import SpanCache
from transforms.preprocess.columns import RawColumns
from transforms.preprocess.function import Function
from transforms.tensorflow import tensorflow_transform

_Entry = tuple[str, tuple[str, bytes]]


def _builder() -> Any:
    return importlib.import_module("tensorflow_transform.beam.analysis_graph_builder")


@dataclass(frozen=True)
class AnalyzerKeys:
    """What tf.Transform calls what it keeps of a function: a hash of the graph before an analyzer.

    Attributes:
      function: A `preprocessing_fn`.
      columns: What it is given.
      names: Its analyzers' keys, by the names that they have in our cache.
      datasets: tf.Transform's keys of spans.
    """

    function: Function
    columns: RawColumns
    names: Mapping[str, Any]
    datasets: Mapping[str, Any]

    @classmethod
    def of(cls, function: Function, columns: RawColumns, spans: Sequence[str]) -> "AnalyzerKeys":
        """Traces a function for the keys of its analyzers."""
        tensorflow_transform()
        home = importlib.import_module("tensorflow_transform.beam.analyzer_cache")
        datasets = {span: home.DatasetKey(f"span-{span}") for span in spans}
        keys = _builder().get_analysis_cache_entry_keys(
            function, _specs(columns), set(datasets.values()), False
        )
        return cls(function, columns, {_name(key): key for key in keys}, datasets)

    def needed(self, given: Mapping[Any, Any]) -> frozenset[str]:
        """Returns the spans whose rows have to be read.

        Args:
          given: What `cache_of` returned.
        """
        found = _builder().get_analysis_dataset_keys(
            self.function, _specs(self.columns), set(self.datasets.values()), given, False
        )
        return frozenset(span for span, key in self.datasets.items() if key in found)


def _specs(columns: RawColumns) -> Any:
    from tfx_bsl.tfxio.tensor_adapter import TensorAdapter

    return TensorAdapter(columns.adapter()).OriginalTypeSpecs()


def _name(key: Any) -> str:
    content = key if isinstance(key, bytes) else str(key).encode()
    return hashlib.sha256(content).hexdigest()[:24]


def cache_of(root: Any, keys: AnalyzerKeys, cache: SpanCache) -> dict[Any, Any]:
    """Returns what is kept, as tf.Transform takes it: collections by span and analyzer.

    Args:
      root: The pipeline.
      keys: Which analyzers there are.
      cache: What is kept.
    """
    home = importlib.import_module("tensorflow_transform.beam.analyzer_cache")
    made = {}
    for span in cache.spans:
        held = sorted((cache.read(span) or {}).keys() & keys.names.keys())
        if held:
            parts = _parts(root, span, held, cache)
            entries = {keys.names[name]: parts[name] for name in held}
            made[keys.datasets[span.name]] = home.DatasetCache(entries, None)
    return made


def _parts(root: Any, span: Span, names: Sequence[str], cache: SpanCache) -> dict[str, Any]:
    """Returns collections of what is kept of a span, by name."""
    spans = root | f"Held {span.name}" >> beam.Create([span], reshuffle=False)
    load = beam.ParDo(_LoadFn(cache, frozenset(names))).with_outputs(*names)
    found = spans | f"Load {span.name}" >> load
    for name in names:
        found[name].element_type = bytes
    return {name: found[name] for name in names}


class _LoadFn(beam.DoFn):
    def __init__(self, cache: SpanCache, names: frozenset[str]) -> None:
        self._cache, self._names = cache, names

    def process(self, span: Span) -> Iterator[Any]:
        for name, parts in self._cache.held(span, self._names).items():
            for part in parts:
                yield beam.pvalue.TaggedOutput(name, part)


def store(root: Any, made: Mapping[Any, Any] | None, keys: AnalyzerKeys, cache: SpanCache) -> None:
    """Keeps what analyzers have learned of spans that were read.

    Args:
      root: The pipeline.
      made: What `AnalyzeDatasetWithCache` returned besides the graph.
      keys: Which analyzers there are.
      cache: Where it is kept.
    """
    spans = {key: name for name, key in keys.datasets.items()}
    entries = []
    for place, (dataset, found) in enumerate((made or {}).items()):
        for number, (key, parts) in enumerate(found.cache_dict.items()):
            tag = beam.Map(_tagged, spans[dataset], _name(key)).with_output_types(_Entry)
            entries.append(parts | f"Keep {place} {number}" >> tag)
    if entries:
        flat = tuple(entries) | "Kept" >> beam.Flatten()
        _ = flat | "KeptBySpan" >> beam.GroupByKey() | "Store" >> beam.Map(_write, cache)


def _tagged(part: bytes, span: str, name: str) -> _Entry:
    return span, (name, part)


def _write(kept: tuple[str, Iterable[tuple[str, bytes]]], cache: SpanCache) -> None:
    name, parts = kept
    (span,) = (each for each in cache.spans if each.name == name)
    entries: dict[str, list[bytes]] = {}
    for entry, part in parts:
        entries.setdefault(entry, []).append(part)
    cache.write(span, entries)
