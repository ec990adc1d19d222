"""Messages that each hold one Avro datum, by a schema that writer and reader agreed upon.

fastavro makes a Python dict of each, in C, as it does for `transforms.files.formats.avro.format`.
"""

import functools
import io
import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.arrow.cast_faults import Cast, marked, true_where
from transforms.arrow.casts import checked_cast
from transforms.batches import select_rows
from transforms.conform import described_faults
from transforms.errors import ConfigError
from transforms.faults import Fault
from transforms.files.formats.avro.types import avro_to_arrow, number_type, parsed_schema
from transforms.files.formats.json.wire import Unfit
from transforms.files.formats.text.records import BadRecords, faults_of
from transforms.io.payloads.payload import (
    Decoded,
    Encoded,
    Payload,
    fitted,
    one_each,
    reject_faults,
)
from transforms.reasons import Reason
from transforms.rejects import join_rejects, reject_rows, split_by_faults

_MARK = b"\xc3\x01"
_UNFIT = (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError, OverflowError)


@dataclass(frozen=True)
class Avro(Payload):
    """One Avro datum a message, in Avro's binary encoding.

    Args:
      avsc: The schema that they are written by, a record, as JSON.
      single_object: Whether each has, and gets, the header of Avro's single-object encoding: a
        mark and the schema's fingerprint. Where it need not, a header of this schema may be there.
    """

    avsc: str
    single_object: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _parsed(self.avsc)

    def read(self, messages: pa.RecordBatch, schema: pa.Schema, uri: str) -> Decoded:
        """Decodes them; what is not one datum of the schema is rejected.

        Raises:
          ConfigError: A column wanted is a union of several types or holds itself.
        """
        own = avro_to_arrow(_parsed(self.avsc), schema.names)
        data, numbers, faults = self._data(messages.column("data").to_pylist())
        casts = {f.name: _column([datum[f.name] for datum in data], f.type) for f in own}
        unsound, good = faults_of(casts, numbers)
        batch, numbers = _batch(casts, len(data)).filter(pa.array(good)), numbers[good]
        rows, kept, unfit = fitted(batch, schema)
        faults += unsound + [replace(f, records=numbers[f.records]) for f in unfit]
        return Decoded(rows, numbers[kept], reject_faults(messages, faults, uri))

    def _data(self, payloads: list[bytes]) -> tuple[list[Any], np.ndarray, list[BadRecords]]:
        """Returns the data, the numbers of their payloads, and the faults of the other payloads."""
        avro, header = _parsed(self.avsc), _header(self.avsc)
        data, numbers, faults = [], [], []
        for number, payload in enumerate(payloads):
            try:
                data.append(_datum(payload, avro, header, self.single_object))
                numbers.append(number)
            except Unfit as error:
                faults.append(BadRecords(error.reason, error.message, None, np.array([number])))
        return data, np.array(numbers, np.int64), faults

    def encode(self, rows: pa.RecordBatch) -> Encoded:
        """Writes the fields of the schema; columns that it lacks are left out.

        A row is rejected that has no value where the schema asks for one, or another than it has.

        Raises:
          ConfigError: A field is a union of several types or holds itself.
        """
        avro = _parsed(self.avsc)
        optional = {field["name"]: _is_optional(field["type"]) for field in avro["fields"]}
        casts = {
            field.name: _stored(rows, field, optional[field.name]) for field in avro_to_arrow(avro)
        }
        unsound = [cast.bad for cast in casts.values() if cast.bad is not None]
        bad = np.logical_or.reduce([np.zeros(rows.num_rows, bool), *unsound])
        header = _header(self.avsc) if self.single_object else b""
        payloads = pa.array(_written(casts, bad, avro, header), pa.binary())
        unfit = true_where(payloads.is_null()) & ~bad
        message = "the row has a value that its Avro schema has not"
        rejects = [split_by_faults(rows, described_faults(casts))[1]]
        if unfit.any():
            rejects.append(reject_rows(select_rows(rows, unfit), Reason.WRONG_TYPE, message))
        return one_each(payloads, join_rejects(rejects))


@functools.lru_cache(maxsize=16)
def _parsed(avsc: str) -> Any:
    """Returns the schema in the form for `avro_types` and fastavro.

    Raises:
      ConfigError: It isn't JSON, or not the schema of a record.
    """
    try:
        avro = parsed_schema(json.loads(avsc))
    except ValueError as error:
        raise ConfigError(f"the Avro schema of the payloads is not JSON: {error}") from None
    avro_to_arrow(avro, ())
    return avro


@functools.lru_cache(maxsize=16)
def _header(avsc: str) -> bytes:
    """Returns the header of the schema's data in Avro's single-object encoding."""
    from fastavro.schema import fingerprint, to_parsing_canonical_form

    canonical = to_parsing_canonical_form(json.loads(avsc))
    return _MARK + bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO"))


def _datum(payload: bytes, avro: Any, header: bytes, required: bool) -> Any:
    """Returns the record in a payload.

    Raises:
      Unfit: There is none, or something follows it.
    """
    import fastavro

    if payload.startswith(header):
        payload = payload[len(header) :]
    elif required:
        raise Unfit(Reason.UNPARSABLE, "the payload has not the header of the Avro schema")
    stream = io.BytesIO(payload)
    try:
        # Text that is not UTF-8 comes as surrogates, so that it differs from other faults.
        datum = fastavro.schemaless_reader(stream, avro, handle_unicode_errors="surrogateescape")
    except Exception:  # Bytes that are not what the schema says fail in any way there is.
        raise Unfit(Reason.UNPARSABLE, "the payload is not a datum of the Avro schema") from None
    if stream.tell() < len(payload):
        raise Unfit(Reason.UNPARSABLE, "bytes follow the Avro datum in the payload")
    return datum


def _column(values: list[Any], type: pa.DataType) -> Cast:
    """Returns a column of fastavro's values; if that fails, made value by value."""
    try:
        return Cast(pa.array(values, type))
    except _UNFIT:
        pass
    arrays, faults = [], []
    for place, value in enumerate(values):
        try:
            arrays.append(pa.array([value], type))
        except _UNFIT as error:
            arrays.append(pa.nulls(1, type))
            text = isinstance(error, UnicodeEncodeError)
            mask = np.arange(len(values)) == place
            faults.append(Fault(mask, Reason.INVALID_UTF8 if text else Reason.OVERFLOW))
    return Cast(pa.concat_arrays(arrays), tuple(faults))


def _batch(casts: dict[str, Cast], rows: int) -> pa.RecordBatch:
    if not casts:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * rows, pa.struct([])))
    return pa.RecordBatch.from_arrays([cast.values for cast in casts.values()], list(casts))


def _is_optional(avro: Any) -> bool:
    return "null" in (avro if isinstance(avro, list) else [avro])


def _stored(rows: pa.RecordBatch, field: pa.Field, optional: bool) -> Cast:
    """Returns a column in its field's type; nulls if there is no such column."""
    index = rows.schema.get_field_index(field.name)
    column = pa.nulls(rows.num_rows) if index < 0 else rows.column(index)
    cast = checked_cast(column, field.type)
    if optional:
        return cast
    absent = Fault(true_where(cast.values.is_null()), Reason.MISSING_VALUE)
    return marked(cast.values, *cast.faults, absent)


def _written(
    casts: dict[str, Cast], bad: np.ndarray, avro: Any, header: bytes
) -> list[bytes | None]:
    """Returns the payloads of rows, with None for rows that are bad or do not fit."""
    columns = [_values(cast.values) for cast in casts.values()]
    each = zip(*columns, strict=True) if columns else [()] * len(bad)
    return [
        None if wrong else _payload(dict(zip(casts, values, strict=True)), avro, header)
        for values, wrong in zip(each, bad.tolist(), strict=True)
    ]


def _payload(datum: dict[str, Any], avro: Any, header: bytes) -> bytes | None:
    import fastavro

    stream = io.BytesIO()
    stream.write(header)
    try:
        fastavro.schemaless_writer(stream, avro, datum)
    except Exception:  # A null in a list, a symbol that an enum lacks: each fails in its own way.
        return None
    return stream.getvalue()


def _values(column: pa.Array) -> list[Any]:
    """Returns a column as the Python values that fastavro takes."""
    numbers = checked_cast(column, number_type(column.type)).values
    try:
        return list(numbers.to_pylist(maps_as_pydicts="strict"))
    except KeyError:
        return [_value(value) for value in numbers]


def _value(value: pa.Scalar) -> Any:
    """Returns a value; for a map with a repeated key, one that fastavro refuses."""
    try:
        return value.as_py(maps_as_pydicts="strict")
    except KeyError:
        return ...
