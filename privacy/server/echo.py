"""An engine that changes nothing: to measure a client, or to try what it does about faults."""

from typing import Any

from google.cloud.dlp_v2 import types


class EchoEngine:
    """Finds nothing and returns content as it came."""

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
