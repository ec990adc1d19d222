"""The policy: when a difference counts as drift."""

from dataclasses import dataclass

from transforms.drift.judging.methods import METHODS, Rules
from transforms.errors import ConfigError


@dataclass(frozen=True)
class Policy:
    """When a difference between a window and the baseline counts.

    It has to be more than chance, by the tests of all columns and slices of a window together, and
    large enough to matter.

    Attributes:
      false_share: Of the differences that count, so large a share may be chance (the false
        discovery rate of Y. Benjamini and Y. Hochberg, 1995).
      suspect: The adjusted PSI from which on a difference is suspect.
      drift: From which on it is drift.
      uncalibrated: In place of `suspect`, of columns for which the baseline has too few windows to
        know how far they differ by themselves.
      missing_suspect: By how much the share of missing values has to change to be suspect.
      missing_drift: By how much to be drift.
      methods: Names of `methods.METHODS` and the value beyond which a column has drifted: they
        decide in place of the above where there are any.
      columns: By column, methods that decide of it alone.
      least_rows: A slice of a window with fewer rows is not judged.
    """

    false_share: float = 0.01
    suspect: float = 0.02
    drift: float = 0.1
    uncalibrated: float = 0.05
    missing_suspect: float = 0.01
    missing_drift: float = 0.05
    least_rows: int = 200
    methods: Rules = ()
    columns: tuple[tuple[str, Rules], ...] = ()

    def __post_init__(self) -> None:
        for name in ("false_share", "missing_suspect", "missing_drift"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}, not between 0 and 1")
        if not 0 < self.suspect <= self.drift or not self.uncalibrated > 0:
            raise ConfigError("suspect is more than 0 and at most drift, uncalibrated more than 0")
        if self.missing_suspect > self.missing_drift:
            raise ConfigError("missing_suspect is at most missing_drift")
        if self.least_rows < 1:
            raise ConfigError("least_rows is at least 1")
        for rules in (self.methods, *(rules for _, rules in self.columns)):
            for name, threshold in rules:
                if name not in METHODS:
                    raise ConfigError(f"method {name!r} is unknown; known are {', '.join(METHODS)}")
                if not threshold > 0:
                    raise ConfigError(f"method {name}: the threshold is more than 0")
