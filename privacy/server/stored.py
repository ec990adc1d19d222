"""Stored infoTypes, kept in memory: patterns and lists of words that requests name."""

import threading
from typing import Any

from google.cloud.dlp_v2 import types
from grpc import StatusCode

from privacy.server.limits import Refused, invalid
from privacy.server.templates import id_of

MAX_STORED = 30


class StoredInfoTypes:
    """The stored infoTypes of all projects."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}
        self._lock = threading.Lock()

    def create(self, request: Any) -> Any:
        """Keeps an infoType under its id, or a number.

        Raises:
          Refused: It exists, there are too many, or it is of a kind that lies in the cloud.
        """
        name = f"{request.parent}/storedInfoTypes/{id_of(request.stored_info_type_id)}"
        made = types.StoredInfoType.pb()(name=name)
        _fill(made, request.config)
        with self._lock:
            if name in self._kept:
                raise Refused(StatusCode.ALREADY_EXISTS, f"{name} already exists")
            if sum(x.startswith(f"{request.parent}/") for x in self._kept) >= MAX_STORED:
                raise invalid(f"at most {MAX_STORED} stored infoTypes are kept")
            self._kept[name] = made
        return made

    def update(self, request: Any) -> Any:
        """Puts another config in the place of one.

        Raises:
          Refused: No stored infoType has this name.
        """
        made = self.get(request.name)
        with self._lock:
            _fill(made, request.config)
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
                getattr(each, kind).CopyFrom(getattr(version, kind))
        return made


def _fill(stored: Any, config: Any) -> None:
    """Writes a config into a stored infoType, ready at once.

    Raises:
      Refused: The words lie in Cloud Storage or BigQuery.
    """
    if config.WhichOneof("type") not in ("dictionary", "regex"):
        raise invalid("the emulator stores dictionaries of words and regexes only")
    stored.current_version.config.CopyFrom(config)
    stored.current_version.state = types.StoredInfoTypeState.READY
    stored.current_version.create_time.GetCurrentTime()
