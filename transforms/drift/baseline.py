"""The baseline: frozen cells, how many rows were in each, and how far its own windows differ.

Its file is JSON, with a version and a hash of what it says; nothing in it is code.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from transforms.drift.counting.cells import KINDS, ColumnCells
from transforms.drift.counting.counts import Counts
from transforms.drift.counting.layout import Layout
from transforms.drift.judging.calibration import Calibration
from transforms.drift.judging.tested import TestedCells
from transforms.drift.quality.reference import Reference
from transforms.errors import ConfigError

FORMAT, VERSION = "millrace.baseline", 1
FILE = "baseline.json"
"""Its name in a folder."""


@dataclass(frozen=True)
class Baseline:
    """What windows are compared with.

    Attributes:
      layout: The cells.
      counts: Of all its rows.
      calibrations: Of each slice.
      window_us: The length of the windows that it was calibrated on, in microseconds; None where
        rows had no event times.
      origin: Of what it was made: "rows", or "statistics", which tell less.
      reference: How good predictions were; None where labels were not looked at.
    """

    layout: Layout
    counts: Counts
    calibrations: tuple[Calibration, ...]
    window_us: int | None = None
    origin: str = "rows"
    reference: Reference | None = None

    @property
    def windows(self) -> int:
        """Of how many windows it knows how far they differ, at most."""
        return max((int(each.windows.max(initial=0)) for each in self.calibrations), default=0)

    @cached_property
    def tests(self) -> TestedCells:
        """What is tested of the cells."""
        return TestedCells.of(self.layout, self.counts.cells[0])

    @cached_property
    def hash(self) -> str:
        """Of what it says: 16 hexadecimal digits, the same for the same baseline."""
        return _digest(self._told())

    def to_bytes(self) -> bytes:
        """Its file."""
        told = {"format": FORMAT, "version": VERSION, "hash": self.hash, **self._told()}
        return (json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes, place: str = "baseline") -> "Baseline":
        """Reads its file.

        Args:
          content: The file.
          place: Its name, for errors.

        Raises:
          ConfigError: It is no baseline, of another version, or not what it was when written.
        """
        try:
            told = json.loads(content)
        except ValueError:
            raise ConfigError(f"{place} is no baseline: it is not JSON") from None
        if not isinstance(told, dict) or told.get("format") != FORMAT:
            raise ConfigError(f"{place} is no baseline: beam_jobs.baseline makes one")
        if told.get("version") != VERSION:
            raise ConfigError(
                f"{place} is a baseline of version {told.get('version')}, and this release reads "
                f"version {VERSION}: build it anew"
            )
        try:
            made = _baseline(told)
            is_whole = made.hash == told["hash"]
        except (KeyError, TypeError, ValueError, IndexError):
            raise ConfigError(f"{place} is a baseline that is broken: build it anew") from None
        if not is_whole:
            raise ConfigError(f"{place} is not what it was when it was written: build it anew")
        return made

    def _told(self) -> dict[str, Any]:
        rows = zip(self.layout.slice_names, self.counts.rows.tolist(), strict=True)
        # What is not there is not said, so that older ones keep their hash.
        more: dict[str, Any] = {} if self.origin == "rows" else {"origin": self.origin}
        if self.reference is not None:
            more["quality"] = self.reference.told()
        return more | {
            "window_us": self.window_us,
            "slices": list(self.layout.slices),
            "ignored": list(self.layout.ignored),
            "columns": [_column(each) for each in self.layout.columns],
            "rows": [[name, number] for name, number in rows],
            "counts": [
                [part[self.layout.of(each.name)].tolist() for each in self.layout.columns]
                for part in self.counts.cells
            ],
            "calibration": [
                {name: getattr(each, name).tolist() for name in ("windows", "mean", "spread")}
                for each in self.calibrations
            ],
        }


def read_baseline(uri: str) -> Baseline:
    """Reads a baseline.

    Args:
      uri: Its file, or the folder in which a job wrote it.

    Raises:
      ConfigError: It isn't there, or is broken, or of another version.
    """
    from transforms.files.filesystem import exists, read_bytes

    place = uri.rstrip("/")
    inside = f"{place}/{FILE}"
    place = inside if not uri.endswith(".json") and exists(inside) else place
    try:
        content = read_bytes(place)
    except OSError as error:
        raise ConfigError(f"--baseline {uri}: can't be read: {error.strerror or error}") from None
    return Baseline.from_bytes(content, place)


def _column(cells: ColumnCells) -> dict[str, Any]:
    told: dict[str, Any] = {"name": cells.name, "kind": cells.kind}
    if cells.counts_numbers:
        return told | {"edges": list(cells.edges), "centers": list(cells.centers)}
    return told | {"labels": [_label(each) for each in cells.labels]}


def _label(label: bytes) -> str | dict[str, str]:
    try:
        return label.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(label).decode()}


def _bytes(label: str | dict[str, str]) -> bytes:
    return label.encode() if isinstance(label, str) else base64.b64decode(label["base64"])


def _baseline(told: dict[str, Any]) -> Baseline:
    columns = tuple(
        ColumnCells(
            each["name"],
            each["kind"],
            tuple(map(float, each.get("edges", ()))),
            tuple(map(float, each.get("centers", ()))),
            tuple(map(_bytes, each.get("labels", ()))),
        )
        for each in told["columns"]
    )
    if any(each.kind not in KINDS for each in columns):
        raise ValueError("kind")
    layout = Layout(columns, tuple(told["slices"]), tuple(told["ignored"]))
    cells = np.array([[n for part in row for n in part] for row in told["counts"]], np.int64)
    if cells.shape != layout.shape:
        raise ValueError("shape")
    rows = np.array([number for _, number in told["rows"]], np.int64)
    if len(rows) != len(cells):
        raise ValueError("rows")
    calibrations = tuple(
        Calibration(
            np.array(each["windows"], np.int64),
            np.array(each["mean"], np.float64),
            np.array(each["spread"], np.float64),
        )
        for each in told["calibration"]
    )
    return Baseline(
        layout,
        Counts(cells, rows),
        calibrations,
        told["window_us"],
        told.get("origin", "rows"),
        Reference.of(told["quality"]) if "quality" in told else None,
    )


def _digest(told: dict[str, Any]) -> str:
    text = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
