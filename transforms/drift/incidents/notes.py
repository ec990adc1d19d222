"""What is known of incidents, kept beside a run's output, so that it survives the process."""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from transforms.drift.incidents.series import Incident, Series
from transforms.files import filesystem


def _never() -> bool:
    return False


def _none() -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True)
class Notes:
    """A small file with the state of all series after a window.

    Attributes:
      path: The file.
      monitor: What tells the monitor; the notes of another one say nothing.
      draining: Tells whether the run is asked to end: windows then end before their time, and
        what they tell is not kept.
      told: Gives the ids of events that are where they belong already.
    """

    path: str
    monitor: str
    draining: Callable[[], bool] = _never
    told: Callable[[], frozenset[str]] = _none

    def write(self, known: dict[str, Any]) -> None:
        """Keeps what is known."""
        if not self.draining():
            content = json.dumps({"monitor": self.monitor, **known})
            filesystem.write_bytes(self.path, content.encode())

    def read(self) -> dict[str, Any] | None:
        """Returns what was kept last; None where nothing was."""
        if not filesystem.exists(self.path):
            return None
        known: dict[str, Any] = json.loads(filesystem.read_bytes(self.path))
        return known if known["monitor"] == self.monitor else None


def told_series(series: Series) -> dict[str, Any]:
    """Returns the state of a series as JSON has it."""
    return dataclasses.asdict(series)


def series_of(told: dict[str, Any]) -> Series:
    """Reads `told_series`."""
    incident = told["incident"]
    return Series(
        tuple((start, strong, weak, severity) for start, strong, weak, severity in told["recent"]),
        told["total"],
        (told["run"][0], told["run"][1]),
        told["since"],
        None if incident is None else Incident(**incident),
    )
