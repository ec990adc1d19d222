"""Inspect and de-identify templates, kept in memory."""

import re
import threading
from typing import Any

from google.cloud.dlp_v2 import types
from grpc import StatusCode

from privacy.server.faults import NAMES
from privacy.server.limits import Refused, invalid

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
MAX_TEMPLATES = 1_000


def id_of(given: str) -> str:
    """Returns the last part of a name: what was asked for, or a number.

    Raises:
      Refused: It has other characters than letters, digits, `_` and `-`.
    """
    made = given or str(next(NAMES))
    if not _ID.fullmatch(made):
        raise invalid("an id may hold letters, digits, _ and - only")
    return made


class Templates:
    """The templates of one kind, of all projects.

    Args:
      kind: "inspect" or "deidentify".
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._reply = (
            types.ListInspectTemplatesResponse.pb()
            if kind == "inspect"
            else (types.ListDeidentifyTemplatesResponse.pb())
        )
        self._kept: dict[str, Any] = {}
        self._lock = threading.Lock()

    def create(self, request: Any) -> Any:
        """Keeps a template under its id, or a number."""
        name = f"{request.parent}/{self.kind}Templates/{id_of(request.template_id)}"
        template = type(self._given(request))()
        template.CopyFrom(self._given(request))
        template.name = name
        template.create_time.GetCurrentTime()
        template.update_time.CopyFrom(template.create_time)
        with self._lock:
            if name in self._kept:
                raise Refused(StatusCode.ALREADY_EXISTS, f"{name} already exists")
            if len(self._kept) >= MAX_TEMPLATES:
                raise invalid(f"at most {MAX_TEMPLATES} templates are kept")
            self._kept[name] = template
        return template

    def update(self, request: Any) -> Any:
        """Puts a template in the place of one of its name.

        Raises:
          Refused: No template has this name.
        """
        template, old = type(self._given(request))(), self.get(request.name)
        template.CopyFrom(self._given(request))
        template.name = request.name
        template.create_time.CopyFrom(old.create_time)
        template.update_time.GetCurrentTime()
        with self._lock:
            self._kept[request.name] = template
        return template

    def get(self, name: str) -> Any:
        """Returns a template.

        Raises:
          Refused: There is no such template.
        """
        with self._lock:
            if name not in self._kept:
                raise Refused(StatusCode.NOT_FOUND, f"{name} was not found")
            return self._kept[name]

    def list(self, request: Any) -> Any:
        """Returns the templates of a parent, a page of them."""
        with self._lock:
            names = sorted(x for x in self._kept if x.startswith(f"{request.parent}/{self.kind}T"))
            start = int(request.page_token or 0)
            stop = start + (request.page_size or 100)
            reply = self._reply()
            getattr(reply, f"{self.kind}_templates").extend(
                self._kept[name] for name in names[start:stop]
            )
        reply.next_page_token = str(stop) if stop < len(names) else ""
        return reply

    def delete(self, name: str) -> None:
        """Forgets a template.

        Raises:
          Refused: There is no such template.
        """
        self.get(name)
        with self._lock:
            self._kept.pop(name, None)

    def merged(self, name: str, inline: Any, field: str) -> Any:
        """Returns a template's config with an inline one over it, as DLP merges them."""
        config = type(inline)()
        if name:
            config.CopyFrom(getattr(self.get(name), field))
        config.MergeFrom(inline)
        return config

    def _given(self, request: Any) -> Any:
        return getattr(request, f"{self.kind}_template")
