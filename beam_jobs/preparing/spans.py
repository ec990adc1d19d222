"""The rows of preprocess by their spans, and the cache that keeps what was learned of each."""

import logging
from typing import TYPE_CHECKING, Any

from beam_jobs.options.preprocessing import PreprocessingOptions
from transforms.errors import ConfigError

if TYPE_CHECKING:
    from transforms.io.inputs import Input
    from transforms.io.spans import Span
    from transforms.preprocess.analyze import Analyze
    from transforms.preprocess.spans import SpanAnalysis

_log = logging.getLogger(__name__)


def wanted_spans(options: PreprocessingOptions) -> "tuple[Span, ...]":
    """Returns the spans that are wanted; none where --input has none."""
    from transforms.files.filesystem import list_files
    from transforms.files.uris import parse
    from transforms.io.spans import glob_of, has_spans, latest, spans_of

    if not has_spans(options.input):
        for name in ("cache", "spans"):
            if getattr(options, name) not in (None, "all"):
                raise ConfigError(
                    f"--{name} needs spans in --input: 'day-{{SPAN}}/*.csv', say, or "
                    "'{YYYY}-{MM}-{DD}.csv'"
                )
        return ()
    if options.limit is not None and options.cache:
        raise ConfigError("--limit: the cache keeps whole spans: use --spans last:N instead")
    files = list(list_files(parse(glob_of(options.input)).path))
    if not files:
        raise ConfigError(f"--input: no files match {options.input!r}")
    return latest(spans_of(options.input, files), options.spans)


def rows_of(options: PreprocessingOptions, spans: "tuple[Span, ...]", types: Any = None) -> "Input":
    """Returns the rows: those of the spans, if there are some."""
    from transforms.io.file_source import Source
    from transforms.io.inputs import resolve_bounded
    from transforms.io.spans import glob_of

    if not spans:
        source: Input = resolve_bounded(options.input, None, types, options.limit)
        return source
    files = [file for span in spans for file in span.files]
    return Source.resolve(glob_of(options.input), None, types, options.limit, files)


def by_spans(
    options: PreprocessingOptions, analysis: "Analyze | None", spans: "tuple[Span, ...]"
) -> "SpanAnalysis":
    """Returns an analysis by span, and says what the cache lacks that it might have."""
    from transforms.preprocess.cache import SpanCache
    from transforms.preprocess.spans import SpanAnalysis

    assert options.cache is not None
    if analysis is None:
        raise ConfigError("--cache is about the analysis, and --transform_graph is given")
    rows = [options.splits, options.split_key, options.input.partition("?")[2]]
    by_span = SpanAnalysis.resolve(analysis, SpanCache(options.cache, spans, repr(rows)))
    if news := by_span.news():
        _log.warning(news)
    return by_span
