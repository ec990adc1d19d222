"""Schema files that people keep by hand: `schema.pbtxt`."""

import os

from transforms.errors import ConfigError
from transforms.metadata.arguments import check_schema
from transforms.metadata.protos import schema_pb2
from transforms.schema.text.edit import edit_text
from transforms.schema.text.fields import rendered
from transforms.schema.text.typos import parse_schema


def read_metadata(uri: str) -> schema_pb2.Schema:
    """Reads a tensorflow-metadata Schema from its text file.

    Args:
      uri: A `schema.pbtxt`, as TFX, TFDV and `write_metadata` write it.

    Raises:
      ConfigError: The file can't be read, or is not a schema; the text names file and line.
    """
    return _parsed(uri, _text(uri))


def write_metadata(schema: schema_pb2.Schema, uri: str) -> None:
    """Writes a schema to its text file, and changes as little of the file as possible.

    Args:
      schema: The new schema.
      uri: A `schema.pbtxt`. If it exists, its unchanged parts stay byte for byte, with their
        comments.

    Raises:
      ConfigError: The schema is not a schema, or the file can't be read or is not one. It is then
        not overwritten.
    """
    from transforms.files.filesystem import exists, write_bytes

    check_schema(schema)
    if not exists(uri):
        write_bytes(uri, rendered(schema).encode())
        return
    text = _text(uri)
    edited = edited_schema(text, schema, uri)
    if edited != text:
        write_bytes(uri, edited.encode())


def edited_schema(text: str, schema: schema_pb2.Schema, uri: str = "schema") -> str:
    """Returns the text of a schema file after the schema has changed.

    Args:
      text: As it was.
      schema: What it is to say.
      uri: What to call it in errors.
    """
    return edit_text(text, _parsed(uri, text), schema)


def _parsed(uri: str, text: str) -> schema_pb2.Schema:
    try:
        return parse_schema(text)
    except ConfigError as error:
        raise ConfigError(f"{uri}: {error}") from None


def _text(uri: str) -> str:
    from transforms.files.filesystem import read_text

    if os.path.isdir(uri):
        raise ConfigError(f"{uri}: is a folder: name the schema.pbtxt in it")
    wanted = "UTF-8 text: the text of a schema is wanted, not its binary form"
    return read_text(uri, "", wanted)
