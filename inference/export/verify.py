"""Compares an exported model with the pipeline, bit by bit, signature by signature."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa

from inference.export.fuse import EXAMPLES, RAW
from inference.model.model import Model
from inference.table import score_table
from transforms.errors import ConfigError


def verify(folder: str, model: Model, rows: pa.Table) -> tuple[int, tuple[str, ...]]:
    """Scores rows by the pipeline and by both signatures of an exported model.

    Args:
      folder: The exported model.
      model: The model behind its transform graph.
      rows: Rows with its raw columns; others, such as a label, are not looked at.

    Returns: How many rows were scored and compared, and why the others could not be scored.

    Raises:
      ConfigError: A signature gives another value, or scores other rows, or none could be scored.
    """
    wanted = [spec.name for spec in model.signature.inputs]
    model.check(rows.schema, keep_columns=())
    numbered = rows.select(wanted).append_column(_NUMBER, pa.array(range(rows.num_rows)))
    expected, rejects = _scored(replace(model, output_prefix=""), numbered)
    if not expected.num_rows:
        why = f" ({_reasons(rejects)[0]})" if rejects.num_rows else ""
        raise ConfigError(
            f"none of {rows.num_rows} rows can be scored{why}, so the export can't be checked: "
            "pass rows that the transform graph takes"
        )
    for name in (RAW, EXAMPLES):
        served = Model.resolve(folder, name, batch_rows=model.batch_rows, trust_model=model.trusted)
        _compare(name, _scored(served, numbered)[0], expected, model)
    return int(expected.num_rows), _reasons(rejects)


_NUMBER = "millrace_row"


def _reasons(rejects: pa.RecordBatch) -> tuple[str, ...]:
    """Returns why rows can't be scored, the most frequent reason first, each with their number."""
    counts = Counter(rejects["errorMessage"].to_pylist()).most_common()
    return tuple(f"{number:,}: {message}" for message, number in counts)


def _scored(model: Model, rows: pa.Table) -> tuple[pa.Table, pa.RecordBatch]:
    scored, rejects = score_table(rows, model, keep_columns=[_NUMBER])
    return scored, rejects


def _compare(name: str, found: pa.Table, expected: pa.Table, model: Model) -> None:
    """Raises a ConfigError if a signature's outputs are not those of the pipeline."""
    if not found[_NUMBER].equals(expected[_NUMBER]):
        raise ConfigError(
            f"signature {name!r} scores {found.num_rows} rows where the pipeline scores "
            f"{expected.num_rows}: the export is not put in its place"
        )
    for spec in model.signature.outputs:
        if not same_bits(found[spec.name], expected[spec.name]):
            raise ConfigError(
                f"output {spec.name!r} of signature {name!r} has other bits than the pipeline "
                "gives: the export is not put in its place"
            )


def same_bits(one: pa.ChunkedArray, other: pa.ChunkedArray) -> bool:
    """Returns whether two columns are the same to the last bit; NaNs are equal here."""
    if not one.type.equals(other.type) or len(one) != len(other):
        return False
    return all(
        np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        for a, b in zip(_parts(one), _parts(other), strict=True)
    )


def _parts(column: pa.ChunkedArray) -> list[np.ndarray]:
    """Returns a column's lengths and values, level by level."""
    array, parts = column.combine_chunks(), []
    while pa.types.is_list(array.type) or pa.types.is_fixed_size_list(array.type):
        parts.append(array.value_lengths().to_numpy(zero_copy_only=False))
        array = array.flatten()
    return [*parts, array.to_numpy(zero_copy_only=False)]
