"""Stored infoTypes, kept in memory: patterns and lists of words that requests name."""

import threading
from collections.abc import Sequence
from typing import Any

from google.cloud.dlp_v2 import types
from grpc import StatusCode

from privacy.server.limits import Refused, invalid
from privacy.server.templates import id_of
from privacy.server.words import Words

MAX_STORED = 30


class StoredInfoTypes:
    """The stored infoTypes of all projects.

    Args:
      words: Reads the words of large dictionaries.
    """

    def __init__(self, words: Words) -> None:
        self._kept: dict[str, Any] = {}
        self._read = words
        self._words: dict[str, Sequence[str]] = {}
        self._lock = threading.Lock()

    def create(self, request: Any) -> Any:
        """Keeps an infoType under its id, or a number.

        Raises:
          Refused: It exists, there are too many, or its words can't be read.
        """
        name = f"{request.parent}/storedInfoTypes/{id_of(request.stored_info_type_id)}"
        made = types.StoredInfoType.pb()(name=name)
        words = self._filled(made, request.config)
        with self._lock:
            if name in self._kept:
                raise Refused(StatusCode.ALREADY_EXISTS, f"{name} already exists")
            if sum(x.startswith(f"{request.parent}/") for x in self._kept) >= MAX_STORED:
                raise invalid(f"at most {MAX_STORED} stored infoTypes are kept")
            self._kept[name], self._words[name] = made, words
        return made

    def update(self, request: Any) -> Any:
        """Puts another config in the place of one.

        Raises:
          Refused: No stored infoType has this name, or its words can't be read.
        """
        made = type(self.get(request.name))()
        made.CopyFrom(self.get(request.name))
        # As with Cloud DLP: an update without a config reads the words of a dictionary anew.
        given = request.config if request.config.WhichOneof("type") else made.current_version.config
        words = self._filled(made, given)
        with self._lock:
            self._kept[request.name], self._words[request.name] = made, words
        return made

    def get(self, name: str) -> Any:
        """Returns a stored infoType.

        Raises:
          Refused: No stored infoType has this name.
        """
        with self._lock:
            if name not in self._kept:
                raise Refused(StatusCode.NOT_FOUND, f"{name} was not found")
            return self._kept[name]

    def list(self, request: Any) -> Any:
        """Returns the stored infoTypes of a parent."""
        start = int(request.page_token or 0)
        stop = start + (request.page_size or 100)
        with self._lock:
            names = sorted(x for x in self._kept if x.startswith(f"{request.parent}/storedInfo"))
            reply = types.ListStoredInfoTypesResponse.pb()()
            reply.stored_info_types.extend(self._kept[name] for name in names[start:stop])
        reply.next_page_token = str(stop) if stop < len(names) else ""
        return reply

    def delete(self, name: str) -> None:
        """Forgets a stored infoType.

        Raises:
          Refused: No stored infoType has this name.
        """
        self.get(name)
        with self._lock:
            self._kept.pop(name, None)
            self._words.pop(name, None)

    def resolved(self, config: Any) -> Any:
        """Returns an `InspectConfig` with the contents of the stored infoTypes that it names.

        Raises:
          Refused: One is not there.
        """
        if not any(each.HasField("stored_type") for each in config.custom_info_types):
            return config
        made = type(config)()
        made.CopyFrom(config)
        for each in made.custom_info_types:
            if each.HasField("stored_type"):
                version = self.get(each.stored_type.name).current_version.config
                kind = version.WhichOneof("type")
                if kind == "large_custom_dictionary":
                    each.dictionary.word_list.words.extend(self._words[each.stored_type.name])
                else:
                    getattr(each, kind).CopyFrom(getattr(version, kind))
        return made

    def _filled(self, stored: Any, config: Any) -> Sequence[str]:
        """Writes a config into a stored infoType, ready at once; returns its words, if it is large.

        Raises:
          Refused: It is of no kind, or its words can't be read.
        """
        kind = config.WhichOneof("type")
        words: Sequence[str] = ()
        if kind is None:
            raise invalid("a stored infoType is a dictionary, a large_custom_dictionary or a regex")
        version = types.StoredInfoTypeVersion.pb()(state=types.StoredInfoTypeState.READY)
        version.config.CopyFrom(config)
        version.create_time.GetCurrentTime()
        if kind == "large_custom_dictionary":
            words = self._read.of_large(config.large_custom_dictionary)
            version.stats.large_custom_dictionary.approx_num_phrases = len(words)
        stored.current_version.CopyFrom(version)
        return words
