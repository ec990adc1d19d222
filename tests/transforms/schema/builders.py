"""Statistics of small columns, computed from their values, and messages from text."""

import math
from itertools import pairwise

import numpy as np
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

Stats = statistics_pb2.FeatureNameStatistics
Histogram = statistics_pb2.Histogram


def schema_of(text):
    return text_format.Parse(text, schema_pb2.Schema())


def stats_from(text):
    """Statistics of one data set from text."""
    data = statistics_pb2.DatasetFeatureStatisticsList()
    text_format.Parse(text, data.datasets.add())
    return data


def stats_of(rows=None, **columns):
    """Statistics of columns of Python values: None is missing, a list holds several values."""
    data = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = data.datasets.add(num_examples=rows or max(map(len, columns.values()), default=0))
    for name, values in columns.items():
        add_column(dataset, name, values)
    return data


def add_column(dataset, name, values):
    feature = dataset.features.add()
    feature.path.step.extend(name.split("."))
    flat = [each for value in values if value is not None for each in _list(value)]
    some = flat[0] if flat else ""
    if isinstance(some, dict):
        feature.type = Stats.STRUCT
        common = feature.struct_stats.common_stats
    elif isinstance(some, bytes):
        feature.type = Stats.BYTES
        feature.bytes_stats.max_num_bytes_int = max(map(len, flat))
        common = feature.bytes_stats.common_stats
    elif isinstance(some, str):
        feature.type = Stats.STRING
        set_texts(feature.string_stats, flat)
        common = feature.string_stats.common_stats
    else:
        feature.type = Stats.INT if isinstance(some, int) else Stats.FLOAT
        set_numbers(feature, flat)
        common = feature.num_stats.common_stats
    set_common(common, values)
    return feature


def set_common(common, values):
    present = [_list(value) for value in values if value is not None]
    sizes = [len(each) for each in present]
    common.num_non_missing = len(present)
    common.num_missing = len(values) - len(present)
    common.min_num_values = min(sizes, default=0)
    common.max_num_values = max(sizes, default=0)
    common.tot_num_values = sum(sizes)
    common.avg_num_values = sum(sizes) / len(sizes) if sizes else 0


def set_texts(texts, flat):
    counts = sorted(((flat.count(each), each) for each in set(flat)), key=lambda p: (-p[0], p[1]))
    texts.unique = len(counts)
    for rank, (count, text) in enumerate(counts):
        texts.rank_histogram.buckets.add(
            low_rank=rank, high_rank=rank, label=text, sample_count=count
        )


def set_numbers(feature, flat):
    numbers = feature.num_stats
    if feature.type == Stats.INT:
        feature.custom_stats.add(name="min_int64", str=str(min(flat)))
        feature.custom_stats.add(name="max_int64", str=str(max(flat)))
    values = np.array(flat, np.float64)
    known = values[~np.isnan(values)]
    nan = len(values) - len(known)
    if len(known):
        numbers.min, numbers.max = float(known.min()), float(known.max())
    numbers.num_zeros = int((values == 0).sum())
    finite = known[np.isfinite(known)]
    numbers.histograms.append(standard(finite, nan, known))
    numbers.histograms.append(quantiles(finite, nan))


def standard(finite, nan, known, bins=10):
    histogram = Histogram(type=Histogram.STANDARD, num_nan=nan)
    if len(finite):
        with np.errstate(over="ignore", invalid="ignore"):
            edges = np.linspace(finite.min(), finite.max(), bins + 1)
        if np.isfinite(edges).all() and (edges[1:] > edges[:-1]).all():
            counts = np.histogram(finite, edges)[0]
        else:
            edges, counts = np.array([finite.min(), finite.max()]), [len(finite)]
        for low, high, count in zip(edges, edges[1:], counts, strict=False):
            histogram.buckets.add(low_value=low, high_value=high, sample_count=count)
    for infinite in (-math.inf, math.inf):
        count = int((known == infinite).sum())
        if count:
            histogram.buckets.add(low_value=infinite, high_value=infinite, sample_count=count)
    return histogram


def quantiles(finite, nan, bins=10):
    histogram = Histogram(type=Histogram.QUANTILES, num_nan=nan)
    if len(finite):
        edges = np.quantile(finite, np.linspace(0, 1, bins + 1), method="lower")
        for low, high in pairwise(edges):
            histogram.buckets.add(low_value=low, high_value=high, sample_count=len(finite) / bins)
    return histogram


def with_fine_histograms(data, **columns):
    """Adds what our own statistics hold: a bin for each distinct number."""
    for feature in data.datasets[0].features:
        values = columns[feature.path.step[0]]
        histogram = feature.custom_stats.add(name="fine_histogram").histogram
        histogram.num_nan = int(np.isnan(values).sum())
        for value, count in zip(
            *np.unique(values[~np.isnan(values)], return_counts=True), strict=True
        ):
            histogram.buckets.add(low_value=value, high_value=value, sample_count=count)
    return data


def kinds_of(anomalies):
    """The kinds of anomalies by path; those of the data set as a whole under the empty one."""
    named = anomalies_pb2.AnomalyInfo.Type.Name
    found = {
        path: [named(reason.type) for reason in info.reason]
        for path, info in anomalies.anomaly_info.items()
    }
    if anomalies.HasField("dataset_anomaly_info"):
        found[""] = [named(reason.type) for reason in anomalies.dataset_anomaly_info.reason]
    return found


def _list(value):
    return value if isinstance(value, list) else [value]
