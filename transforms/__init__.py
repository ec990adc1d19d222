"""Columnar Beam PTransforms: what flows between them is `pyarrow.RecordBatch`.

What is public is imported from here: `from transforms import Read, Validate, Write`.
"""

import os
from typing import TYPE_CHECKING

from transforms.lazy import front_door

if TYPE_CHECKING:
    from transforms.coders import Batches
    from transforms.commit.commit import Commit
    from transforms.commit.dead_letters import DeadLetters, split_rejects
    from transforms.commit.ledger import Gate
    from transforms.commit.stream.commit import StreamCommit
    from transforms.drift.baseline import read_baseline
    from transforms.drift.build import BuildBaseline
    from transforms.drift.confirm import ConfirmDrift, ConfirmErrors
    from transforms.drift.detect import CompareWindows, DetectDrift
    from transforms.drift.fill import FillWindows
    from transforms.drift.incidents.series import Confirmation
    from transforms.drift.make import build_baseline
    from transforms.drift.measure import MeasureQuality
    from transforms.drift.profile import ProfileWindows
    from transforms.drift.quality.sums import Quality
    from transforms.errors import ConfigError, Refused
    from transforms.gate.check import CheckData, store
    from transforms.gate.findings import findings
    from transforms.gate.judge import Judge
    from transforms.gate.places import read_anomalies, read_statistics
    from transforms.io.file_read import read_batches
    from transforms.io.inputs import resolve_input
    from transforms.io.read import Read
    from transforms.io.replay import Replay
    from transforms.io.write import Write
    from transforms.keys.partition import PartitionByKey
    from transforms.keys.splits import SplitRows, Splits
    from transforms.keys.unique import Unique
    from transforms.preprocess.analyze import Analyze
    from transforms.preprocess.apply import LoadedGraph, transform_batch
    from transforms.preprocess.declared.columns import raw_schema
    from transforms.preprocess.declared.function import StepsFunction
    from transforms.preprocess.declared.parse import Steps
    from transforms.preprocess.function import PreprocessingFn
    from transforms.preprocess.graph import TransformGraph
    from transforms.preprocess.preprocess import Preprocess
    from transforms.reasons import Reason
    from transforms.rebatch import Rebatch
    from transforms.reports.statistics.report import statistics_report
    from transforms.row_checks.checks import Checks
    from transforms.row_checks.validate import Validate, validate_batch
    from transforms.rows.bridge import FromRows, ToRows
    from transforms.rules.check_columns import CheckColumns
    from transforms.rules.files import parse_rules, read_rules
    from transforms.select import Select
    from transforms.skew.detect import DetectFeatureSkew
    from transforms.statistics.collect import statistics_of
    from transforms.statistics.generate import GenerateStatistics
    from transforms.statistics.options import StatisticsOptions
    from transforms.statistics.slices.values import SliceBy
    from transforms.windows.features.compute import window_features
    from transforms.windows.features.declare import Lag, Rolling
    from transforms.windows.features.verb import WindowFeatures
    from transforms.windows.micro_batch import MicroBatch
    from transforms.windows.window_batches import WindowBatches

_HOMES = {
    # Ends of a pipeline.
    "Read": "io.read",
    "Write": "io.write",
    "FromRows": "rows.bridge",
    "ToRows": "rows.bridge",
    "Replay": "io.replay",
    "resolve_input": "io.inputs",
    "read_batches": "io.file_read",
    # A run: what it publishes, what it rejects.
    "Commit": "commit.commit",
    "StreamCommit": "commit.stream.commit",
    "Gate": "commit.ledger",
    "DeadLetters": "commit.dead_letters",
    "split_rejects": "commit.dead_letters",
    "Reason": "reasons",
    "ConfigError": "errors",
    "Refused": "errors",
    # Rows.
    "Validate": "row_checks.validate",
    "validate_batch": "row_checks.validate",
    "Checks": "row_checks.checks",
    "read_rules": "rules.files",
    "parse_rules": "rules.files",
    "Unique": "keys.unique",
    "PartitionByKey": "keys.partition",
    # Batches and windows.
    "Batches": "coders",
    "Rebatch": "rebatch",
    "Select": "select",
    "MicroBatch": "windows.micro_batch",
    "WindowBatches": "windows.window_batches",
    # Data as a whole.
    "GenerateStatistics": "statistics.generate",
    "StatisticsOptions": "statistics.options",
    "SliceBy": "statistics.slices.values",
    "statistics_of": "statistics.collect",
    "statistics_report": "reports.statistics.report",
    "CheckColumns": "rules.check_columns",
    "CheckData": "gate.check",
    "Judge": "gate.judge",
    "store": "gate.check",
    "findings": "gate.findings",
    "read_statistics": "gate.places",
    "read_anomalies": "gate.places",
    "DetectFeatureSkew": "skew.detect",
    # Drift.
    "BuildBaseline": "drift.build",
    "ProfileWindows": "drift.profile",
    "CompareWindows": "drift.detect",
    "DetectDrift": "drift.detect",
    "ConfirmDrift": "drift.confirm",
    "ConfirmErrors": "drift.confirm",
    "MeasureQuality": "drift.measure",
    "Quality": "drift.quality.sums",
    "Confirmation": "drift.incidents.series",
    "FillWindows": "drift.fill",
    "build_baseline": "drift.make",
    "read_baseline": "drift.baseline",
    # Features.
    "Analyze": "preprocess.analyze",
    "Preprocess": "preprocess.preprocess",
    "PreprocessingFn": "preprocess.function",
    "Steps": "preprocess.declared.parse",
    "StepsFunction": "preprocess.declared.function",
    "raw_schema": "preprocess.declared.columns",
    "TransformGraph": "preprocess.graph",
    "LoadedGraph": "preprocess.apply",
    "transform_batch": "preprocess.apply",
    "WindowFeatures": "windows.features.verb",
    "window_features": "windows.features.compute",
    "Lag": "windows.features.declare",
    "Rolling": "windows.features.declare",
    "SplitRows": "keys.splits",
    "Splits": "keys.splits",
}

__all__ = [
    "Analyze",
    "Batches",
    "BuildBaseline",
    "CheckColumns",
    "CheckData",
    "Checks",
    "Commit",
    "CompareWindows",
    "ConfigError",
    "ConfirmDrift",
    "ConfirmErrors",
    "Confirmation",
    "DeadLetters",
    "DetectDrift",
    "DetectFeatureSkew",
    "FillWindows",
    "FromRows",
    "Gate",
    "GenerateStatistics",
    "Judge",
    "Lag",
    "LoadedGraph",
    "MeasureQuality",
    "MicroBatch",
    "PartitionByKey",
    "Preprocess",
    "PreprocessingFn",
    "ProfileWindows",
    "Quality",
    "Read",
    "Reason",
    "Rebatch",
    "Refused",
    "Replay",
    "Rolling",
    "Select",
    "SliceBy",
    "SplitRows",
    "Splits",
    "StatisticsOptions",
    "Steps",
    "StepsFunction",
    "StreamCommit",
    "ToRows",
    "TransformGraph",
    "Unique",
    "Validate",
    "WindowBatches",
    "WindowFeatures",
    "Write",
    "build_baseline",
    "findings",
    "parse_rules",
    "raw_schema",
    "read_anomalies",
    "read_baseline",
    "read_batches",
    "read_rules",
    "read_statistics",
    "resolve_input",
    "split_rejects",
    "statistics_of",
    "statistics_report",
    "store",
    "transform_batch",
    "validate_batch",
    "window_features",
]

# tf.Transform turns Keras 3 off where nothing is set as it is imported: set before anyone does.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "0")

__getattr__ = front_door(__name__, _HOMES)
