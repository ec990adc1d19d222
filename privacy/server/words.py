"""Words in Cloud Storage and BigQuery that requests name, read from emulators or a folder."""

import fnmatch
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from privacy.policy.words import words_of_table
from privacy.server.limits import invalid
from transforms.errors import MillraceError

_STORAGE, _BIGQUERY = "STORAGE_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST"
_FRESH = 10.0
"""Seconds for which words are kept: Cloud DLP reads a file anew for each request."""


class Words:
    """Reads lists of words.

    Args:
      folder: Stands for Cloud Storage: `gs://b/words.txt` is the file b/words.txt in it. None reads
        from the emulator that STORAGE_EMULATOR_HOST names.
    """

    def __init__(self, folder: str | None = None) -> None:
        self._folder = folder
        self._kept: dict[str, tuple[float, list[str]]] = {}

    def of_large(self, config: Any) -> list[str]:
        """Returns the words of a `LargeCustomDictionaryConfig`.

        Raises:
          Refused: They can't be read.
        """
        if config.HasField("big_query_field"):
            return _of_table(config.big_query_field)
        return self.of_files(config.cloud_storage_file_set.url)

    def resolved(self, config: Any) -> Any:
        """Returns an `InspectConfig` whose dictionaries have the words of the files they name.

        Raises:
          Refused: A file can't be read.
        """
        if not any(True for _ in _with_files(config)):
            return config
        made = type(config)()
        made.CopyFrom(config)
        for dictionary in _with_files(made):
            words = self.of_files(dictionary.cloud_storage_path.path)
            dictionary.word_list.words.extend(words)
        return made

    def of_files(self, uri: str) -> list[str]:
        """Returns the lines of a file, or of the files of a glob, that are not empty.

        Raises:
          Refused: There is no such file, or nothing to read it from.
        """
        known = self._kept.get(uri)
        if known is None or time.monotonic() - known[0] > _FRESH:
            known = time.monotonic(), self._read(uri)
            self._kept[uri] = known
        return known[1]

    def _read(self, uri: str) -> list[str]:
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        if not uri.startswith("gs://") or not name:
            raise invalid(f"{uri!r} is not gs://BUCKET/NAME")
        if self._folder is not None:
            texts = list(_of_folder(Path(self._folder) / bucket, name))
        elif os.environ.get(_STORAGE):
            texts = list(_of_emulator(bucket, name))
        else:
            raise invalid(
                f"the emulator has no Cloud Storage to read {uri} from: start it with "
                f"--storage=FOLDER, or set {_STORAGE}"
            )
        if not texts:
            raise invalid(f"{uri} was not found")
        try:
            lines = [line.strip() for text in texts for line in text.decode().splitlines()]
        except UnicodeDecodeError:
            raise invalid(f"{uri} is not UTF-8 text") from None
        return [line for line in lines if line]


def _of_folder(folder: Path, name: str) -> Iterator[bytes]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and fnmatch.fnmatchcase(path.relative_to(folder).as_posix(), name):
            yield path.read_bytes()


def _of_emulator(bucket: str, name: str) -> Iterator[bytes]:
    import google.cloud.storage as storage
    from google.auth.credentials import AnonymousCredentials

    client = storage.Client(
        project="emulator",
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": os.environ[_STORAGE]},
    )
    for blob in client.list_blobs(bucket, prefix=name.partition("*")[0]):
        if fnmatch.fnmatchcase(blob.name, name):
            yield blob.download_as_bytes()


def _of_table(field: Any) -> list[str]:
    from google.protobuf import json_format

    if not os.environ.get(_BIGQUERY):
        raise invalid(f"the emulator reads tables only where {_BIGQUERY} says")
    given = json_format.MessageToDict(field, preserving_proto_field_name=True)
    try:
        return words_of_table(given, "big_query_field")
    except MillraceError as error:
        raise invalid(str(error)) from None


def _with_files(config: Any) -> Iterator[Any]:
    """Yields the dictionaries of an `InspectConfig` that name a file."""
    for custom in config.custom_info_types:
        if custom.dictionary.HasField("cloud_storage_path"):
            yield custom.dictionary
    for rule_set in config.rule_set:
        for rule in rule_set.rules:
            if rule.exclusion_rule.dictionary.HasField("cloud_storage_path"):
                yield rule.exclusion_rule.dictionary
