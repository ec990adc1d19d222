"""Cells of tables that are transformed whole, and back: DLP's transformations of fields."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from privacy.cloud.cells import plain_text
from privacy.crypto import ff1
from privacy.crypto.keys import resolve_key
from privacy.server.limits import invalid, unimplemented
from privacy.transformations.compile import compile_transformation
from privacy.transformations.fpe import FfxFpe
from privacy.transformations.transformation import Transformation
from transforms.errors import ConfigError


def compiled(field: Any, reverse: bool) -> Transformation:
    """Returns the function of a field transformation.

    Raises:
      Refused: There is none, or it can't be reversed.
    """
    if field.HasField("condition") or not field.HasField("primitive_transformation"):
        raise unimplemented("conditions and infoTypes of fields")
    try:
        run = compile_transformation(field.primitive_transformation, None, key_bytes)
    except ConfigError as error:
        raise invalid(str(error)) from None
    if not reverse:
        return run
    if not isinstance(run, FfxFpe):
        raise invalid("this transformation can't be reversed")
    return lambda values: ff1.decrypt(values, run.key, None, run.alphabet)


def key_bytes(key: Any) -> bytes:
    """Returns the bytes of a CryptoKey message."""
    if key.HasField("unwrapped"):
        return bytes(key.unwrapped.key)
    if key.HasField("kms_wrapped"):
        wrapped = key.kms_wrapped
        return resolve_key(
            {
                "kms_wrapped": {
                    "wrapped_key": wrapped.wrapped_key,
                    "crypto_key_name": wrapped.crypto_key_name,
                }
            }
        )
    raise ConfigError("a transient key is made for each request: name no other one")


def transform_field(table: Any, name: str, run: Transformation) -> int:
    """Transforms a column of a table in place; returns how many values it had.

    Raises:
      Refused: A value can't be transformed. Like the service's, the text quotes it.
    """
    places = [at for at, header in enumerate(table.headers) if header.name == name]
    if not places:
        return 0
    cells = [row.values[places[0]] for row in table.rows]
    texts: Sequence[str | None] = [plain_text(cell) for cell in cells]
    made, faults = run(pa.array(texts, pa.string()))
    if faults.any():
        bad = texts[int(np.flatnonzero(faults)[0])]
        raise invalid(f"Invalid value {bad!r} for the transformation of field {name}")
    put_texts(cells, made)
    return sum(text is not None for text in texts)


def put_texts(cells: Sequence[Any], texts: pa.Array) -> None:
    """Writes texts into cells; null leaves a cell as it is."""
    for cell, text in zip(cells, texts.to_pylist(), strict=True):
        if text is not None:
            cell.string_value = text


def summarize(overview: Any, field: str, count: int) -> None:
    """Adds to an overview that so many values of a field were transformed."""
    summary = overview.transformation_summaries.add(field={"name": field})
    summary.results.add(count=count, code=1)
