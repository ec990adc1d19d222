"""Feature engineering with tf.Transform: a pass that analyzes, and a frozen graph to apply."""

from typing import TYPE_CHECKING

from transforms.lazy import front_door

if TYPE_CHECKING:
    from transforms.preprocess.analyze import Analyze
    from transforms.preprocess.apply import LoadedGraph, transform_batch
    from transforms.preprocess.declared.columns import raw_schema
    from transforms.preprocess.declared.function import StepsFunction
    from transforms.preprocess.declared.parse import Steps
    from transforms.preprocess.function import PreprocessingFn
    from transforms.preprocess.graph import TransformGraph
    from transforms.preprocess.preprocess import Preprocess

__all__ = [
    "Analyze",
    "LoadedGraph",
    "Preprocess",
    "PreprocessingFn",
    "Steps",
    "StepsFunction",
    "TransformGraph",
    "raw_schema",
    "transform_batch",
]

_HOMES = {
    "Analyze": "analyze",
    "LoadedGraph": "apply",
    "Preprocess": "preprocess",
    "PreprocessingFn": "function",
    "Steps": "declared.parse",
    "StepsFunction": "declared.function",
    "TransformGraph": "graph",
    "raw_schema": "declared.columns",
    "transform_batch": "apply",
}


__getattr__ = front_door(__name__, _HOMES)
