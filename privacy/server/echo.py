"""An engine that changes nothing: to measure a client, or to try what it does about faults."""

from types import SimpleNamespace
from typing import Any

from google.cloud.dlp_v2 import types

from transforms.varints import read_varint

_ITEM = {
    request.pb().DESCRIPTOR.fields_by_name["item"].number << 3 | 2
    for request in (types.DeidentifyContentRequest, types.ReidentifyContentRequest)
}
_TABLE = SimpleNamespace(table=SimpleNamespace(rows=(), headers=()))


class Raw(bytes):
    """A request as it came, unread: what is measured is the client, and not this process."""

    item = _TABLE

    def ByteSize(self) -> int:
        """Returns its size, by the name that messages have for it."""
        return len(self)


def returned(request: Raw) -> bytes:
    """Returns the reply that holds the item of a request to de-identify, as it is."""
    at = 0
    while at < len(request):
        tag = request[at]
        size, begin = read_varint(request, at + 1)
        if tag in _ITEM:
            # The item is the first field of the reply.
            return b"\x0a" + request[at + 1 : begin + size]
        at = begin + size
    return b""


class EchoEngine:
    """Finds nothing and returns content as it came."""

    def unread(self, request: Raw) -> bytes:
        """Returns the reply to a request that was not read."""
        return returned(request)

    def info_types(self) -> list[str]:
        """Returns no infoTypes."""
        return []

    def inspect(self, item: Any, config: Any) -> list[Any]:
        """Returns no findings."""
        return []

    def deidentify(self, item: Any, inspect: Any, config: Any) -> tuple[Any, Any, int]:
        """Returns the item as it is."""
        return item, types.TransformationOverview.pb()(), 0

    def reidentify(self, item: Any, inspect: Any, config: Any) -> tuple[Any, Any]:
        """Returns the item as it is."""
        return item, types.TransformationOverview.pb()()
