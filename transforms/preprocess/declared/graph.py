"""Declared steps and their constants, written as a transform graph that tf.Transform reads."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transforms.files.filesystem import write_bytes
from transforms.preprocess.declared.function import StepsFunction
from transforms.preprocess.declared.plan import Plan
from transforms.preprocess.declared.states import Known
from transforms.preprocess.graph import RAW_SCHEMA, SAVED
from transforms.preprocess.manifest import write_manifest
from transforms.tensorflow import tensorflow, tensorflow_transform

METADATA = "transformed_metadata"


def write_graph(plan: Plan, known: Known, schema: Any, folder: str) -> None:
    """Writes a transform graph.

    Args:
      plan: The steps.
      known: The constants of all their figures.
      schema: The tensorflow-metadata `Schema` of the raw columns.
      folder: Where to; what is there is written over.
    """
    tensorflow_transform()
    from google.protobuf import text_format

    with tempfile.TemporaryDirectory() as place:
        saved = Path(place) / "saved"
        vocabularies = Path(place) / "vocabularies"
        vocabularies.mkdir()
        function = StepsFunction(plan, known, str(vocabularies))
        made = _save(function, plan, str(saved), place)
        assets = sorted(path.name for path in vocabularies.iterdir())
        write_bytes(f"{folder}/{METADATA}/schema.pbtxt", text_format.MessageToString(made).encode())
        if assets:
            told = json.dumps({name: name for name in assets})
            write_bytes(f"{folder}/{METADATA}/asset_map", told.encode())
        _put(saved, f"{folder}/{SAVED}")
    text = str(text_format.MessageToString(schema)).encode()
    write_bytes(f"{folder}/{RAW_SCHEMA}", text)
    write_manifest(folder, SAVED)


def _save(function: StepsFunction, plan: Plan, saved: str, temp: str) -> Any:
    """Saves a function as tf.Transform does, and returns the schema of its outputs.

    tf.Transform traces a function twice, the second time to evaluate what is known of its
    outputs. Here that is known already, and a trace is a third of the time that all of it takes.
    """
    from tensorflow_transform import graph_context, impl_helper, schema_inference
    from tensorflow_transform.saved.saved_transform_io_v2 import write_v2_saved_model
    from tfx_bsl.tfxio.tensor_adapter import TensorAdapter

    tf, domains = tensorflow(), {}

    def made(inputs: Mapping[str, Any]) -> dict[str, Any]:
        outputs, found = function.with_domains(inputs)
        domains.update(found)
        return outputs

    module = tf.Module()
    context = graph_context.TFGraphContext(module, temp, None)
    specs = TensorAdapter(plan.columns.adapter()).OriginalTypeSpecs()
    traced = impl_helper.get_traced_transform_fn(made, specs, context)
    concrete = write_v2_saved_model(module, traced, "transform_fn", saved)
    return schema_inference.infer_feature_schema_v2(
        concrete.structured_outputs, lambda: _overrides(domains), True
    )


def _overrides(domains: Mapping[str, tuple[int, int]]) -> dict[str, list[Any]]:
    """Returns the least and greatest of categories, as tf.Transform tells them of a graph."""
    from tensorflow_transform import schema_inference as home

    tf = tensorflow()
    return {
        home._TF_METADATA_TENSOR_COLLECTION: [tf.constant(name) for name in domains],
        home._TF_METADATA_TENSOR_MIN_COLLECTION: [
            tf.constant(low, tf.int64) for low, _ in domains.values()
        ],
        home._TF_METADATA_TENSOR_MAX_COLLECTION: [
            tf.constant(top, tf.int64) for _, top in domains.values()
        ],
    }


def _put(source: Path, target: str) -> None:
    """Copies a folder's files; the graph's own file last, so that what is there is whole."""
    files = [path for path in source.rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: path.name == "saved_model.pb"):
        write_bytes(f"{target}/{path.relative_to(source)}", path.read_bytes())
