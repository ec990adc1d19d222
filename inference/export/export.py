"""Exports a model and its transform graph as one SavedModel, checked before it is there."""

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inference.export.fuse import fused_module
from inference.export.place import publish, staging, unwritable
from inference.export.sample import sample_rows
from inference.export.verify import verify
from inference.model.model import Columns, Model
from inference.model.resolve import resolved
from inference.signature.raw_schema import write_raw_schema
from inference.table import table_of
from transforms.errors import ConfigError
from transforms.files.filesystem import exists
from transforms.nearest import nearest_column
from transforms.tensorflow import tensorflow
from transforms.wording import setting

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Exported:
    """An exported model.

    Attributes:
      uri: Where it is.
      columns: The raw columns that it takes.
      outputs: The names of its outputs.
      rows: How many rows gave the same bits by the pipeline and by both signatures.
      rejected: Why other rows can't be scored, in either way, and how many each. Many may mean that
        the model was trained behind another graph.
    """

    uri: str
    columns: tuple[str, ...]
    outputs: tuple[str, ...]
    rows: int
    rejected: tuple[str, ...] = ()


def export_model(
    model: Any,
    transform_graph: str,
    output: str,
    mapping: Columns | None = None,
    label: str | Sequence[str] = (),
    rows: Any = None,
    trust_model: bool = False,
) -> Exported:
    """Fuses a trained model with its transform graph into one SavedModel, for raw rows.

    Its signature `serving_default` takes a tensor for each raw column that the model depends on,
    and `serving_examples` serialized tf.Examples with these features. Vocabularies and weights are
    in it. Before it is put in its place it is loaded anew, and rows are scored by the pipeline and
    by both signatures: all bits must be the same.

    Args:
      model: The URI of a `.keras` file or SavedModel, or a Keras model in memory.
      transform_graph: The frozen transform graph whose outputs it was trained on.
      output: A folder that isn't there yet, local or gs://, such as `models/tips/1`.
      mapping: Inputs of the model to outputs of the graph, where their names differ.
      label: Raw columns that are not known when it serves; a model that depends on one is refused.
      rows: n rows to compare, as `score_table` takes them; None makes some up.
      trust_model: Lets model and graph reach outside of TensorFlow; see `Model.resolve`.

    Returns: Where it is, what it takes and gives, and how many rows were compared.

    Raises:
      ConfigError: The graph doesn't make what the model takes, a label is needed, a table or weight
        isn't tracked, the bits differ, or something is at the place.
    """
    if not output.strip():
        raise ConfigError(f"{setting('output')} is empty: name a folder that isn't there yet")
    if exists(output):
        raise ConfigError(f"{setting('output')} {output}: something is there already")
    chosen = resolved(
        model, mapping=mapping, trust_model=trust_model, transform_graph=transform_graph
    )
    _check_labels(chosen, (label,) if isinstance(label, str) else tuple(label))
    given = sample_rows(chosen.signature) if rows is None else table_of(rows, chosen)[0]
    try:
        staged = staging(output)
    except OSError as error:
        raise ConfigError(unwritable(output, error)) from None
    try:
        _save(chosen, f"{staged}/model")
        compared, rejected = verify(f"{staged}/model", chosen, given)
        publish(f"{staged}/model", output)
    except OSError as error:
        raise ConfigError(unwritable(output, error)) from None
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    taken, made = chosen.signature.inputs, chosen.signature.outputs
    return Exported(
        output,
        tuple(each.name for each in taken),
        tuple(each.name for each in made),
        compared,
        rejected,
    )


def _check_labels(model: Model, labels: Sequence[str]) -> None:
    assert model.transformed is not None
    known = [feature.name for feature in model.transformed.graph.columns.features]
    for label in labels:
        # One that is no column of the graph is not needed; one that is nearly one may be a mistake.
        near = nearest_column(label, known)
        if label not in known and near:
            _log.warning("%s: the graph takes no column %r%s", setting("label"), label, near)
    needed = [spec.name for spec in model.signature.inputs if spec.name in labels]
    if needed:
        raise ConfigError(
            f"the model depends on {', '.join(map(repr, needed))}, which is not known when it "
            "serves: train it without the features that are made of that"
        )


def _save(model: Model, folder: str) -> None:
    tf = tensorflow()
    module, signatures = fused_module(model)
    try:
        tf.saved_model.save(module, folder, signatures=signatures)
        write_raw_schema(folder, model.signature)
    except (AssertionError, ValueError, TypeError, KeyError, tf.errors.OpError) as error:
        text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
        line = (text.strip().splitlines() or [type(error).__name__])[0]
        raise ConfigError(f"model {model.uri} can't be exported: {line}") from error
