"""Declared steps and their constants, written as a transform graph that tf.Transform reads."""

import json
import tempfile
from pathlib import Path
from typing import Any

from transforms.files.filesystem import write_bytes
from transforms.preprocess.declared.function import StepsFunction
from transforms.preprocess.declared.plan import Plan
from transforms.preprocess.declared.states import Known
from transforms.preprocess.graph import RAW_SCHEMA, SAVED
from transforms.tensorflow import tensorflow_transform

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
    from tensorflow_transform import impl_helper
    from tfx_bsl.tfxio.tensor_adapter import TensorAdapter

    specs = TensorAdapter(plan.columns.adapter()).OriginalTypeSpecs()
    with tempfile.TemporaryDirectory() as place:
        saved = Path(place) / "saved"
        vocabularies = Path(place) / "vocabularies"
        vocabularies.mkdir()
        function = StepsFunction(plan, known, str(vocabularies))
        impl_helper.trace_and_write_v2_saved_model(
            str(saved), function, specs, place, {}, None, None, None
        )
        metadata = saved / impl_helper.METADATA_DIR_NAME
        assets = sorted(path.name for path in vocabularies.iterdir())
        _put(metadata, f"{folder}/{METADATA}")
        if assets:
            told = json.dumps({name: name for name in assets})
            write_bytes(f"{folder}/{METADATA}/asset_map", told.encode())
        _put(saved, f"{folder}/{SAVED}", impl_helper.METADATA_DIR_NAME)
    text = str(text_format.MessageToString(schema)).encode()
    write_bytes(f"{folder}/{RAW_SCHEMA}", text)


def _put(source: Path, target: str, without: str = "") -> None:
    """Copies a folder's files; the graph's own file last, so that what is there is whole."""
    files = [path for path in source.rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: path.name == "saved_model.pb"):
        name = path.relative_to(source)
        if not without or name.parts[0] != without:
            write_bytes(f"{target}/{name}", path.read_bytes())
