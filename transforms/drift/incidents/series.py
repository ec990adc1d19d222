"""The state machine of one column of one slice: quiet, in doubt, in an incident, recovered.

It knows nothing of tables: windows come in their order, each as a `Sighting`.
"""

import math
from dataclasses import dataclass, replace

from transforms.errors import ConfigError

OPENED, ONGOING, RECOVERED = "OPENED", "ONGOING", "RECOVERED"
REPEATED, SLOW = "repeated", "slow"
_MOST_Z = 4.0
"""A window counts for no more in the sum, so that one alone never opens an incident."""


@dataclass(frozen=True)
class Confirmation:
    """When differences of single windows become an incident, and when that is over.

    Attributes:
      needed, of: So many of the last so many judged windows have to differ. One of them has to be
        told by the tests of all columns together. Of the others the column's own test is enough:
        it asks about a column that was named before.
      clean: After so many judged windows in a row without a difference it is over.
      renotify: The windows after which an incident that goes on is reported again; 0 for never.
      slow_allowance, slow_bound: Small differences that last are added up (the cumulative sum of
        E. S. Page, 1954): of each window by how many standard deviations more than the allowance
        its statistic is above what chance makes of it. Beyond the bound, which grows with the
        logarithm of the number of series, it is an incident.
    """

    needed: int = 2
    of: int = 3
    clean: int = 3
    renotify: int = 24
    slow_allowance: float = 0.5
    slow_bound: float = 6.0

    def __post_init__(self) -> None:
        if not 1 <= self.needed <= self.of:
            raise ConfigError("an incident needs 1 window at least, and at most those it is of")
        if self.clean < 1 or self.renotify < 0:
            raise ConfigError("clean is 1 window at least, renotify 0 at least")
        if not (self.slow_allowance > 0 and self.slow_bound > 0):
            raise ConfigError("slow_allowance and slow_bound are more than 0")

    def bound(self, series: int) -> float:
        """Returns the bound of each sum, where so many are kept.

        The time between false alarms of one grows with the exponential of its bound (D. Siegmund,
        1985): so that of all of them together stays what it is for one.
        """
        return self.slow_bound + math.log(max(1, series))


@dataclass(frozen=True)
class Sighting:
    """What a window tells of a series.

    Attributes:
      start, end: The window, in microseconds since 1970.
      strong: Whether it differs by the tests of all columns together.
      weak: Whether it differs by its own test.
      judged: Whether there was enough to judge by.
      severity: Its status, where it differs.
      z: By how many standard deviations its statistic is above chance; 0 where it is not known.
      excess: Its adjusted PSI over the least that matters where it lasts.
    """

    start: int
    end: int
    strong: bool = False
    weak: bool = False
    judged: bool = True
    severity: str = ""
    z: float = 0.0
    excess: float = 0.0


@dataclass(frozen=True)
class Incident:
    """An incident that goes on.

    Attributes:
      since: The start of the first window that differed.
      cause: `REPEATED` or `SLOW`.
      severity: The worst status so far.
      windows: How many windows differed since it was opened, those that opened it included.
      lasted: How many judged windows it has lasted since it was opened.
      clean: How many windows in a row were without a difference.
    """

    since: int
    cause: str
    severity: str
    windows: int
    lasted: int = 0
    clean: int = 0


@dataclass(frozen=True)
class Series:
    """The state of a series after some windows.

    Attributes:
      recent: Of the last judged windows the start, whether strong and weak, and the severity.
      total: The sum of small differences.
      run: Of the windows since the sum was 0: how many, and the sum of their excesses.
      since: Where that run began.
      incident: That which goes on, if any.
    """

    recent: tuple[tuple[int, bool, bool, str], ...] = ()
    total: float = 0.0
    run: tuple[int, float] = (0, 0.0)
    since: int = 0
    incident: Incident | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether it equals the state of a series that has seen nothing."""
        is_calm = not any(strong or weak for _, strong, weak, _ in self.recent)
        return self.incident is None and not self.total and is_calm


def step(
    series: Series, seen: Sighting, rule: Confirmation, bound: float
) -> tuple[Series, str | None, Incident | None]:
    """Takes the next window into account.

    Args:
      series: The state after the windows before.
      seen: The window.
      rule: When an incident begins and ends.
      bound: That of the sum of small differences.

    Returns: The state; the news: `OPENED`, `ONGOING`, `RECOVERED` or None; and of what.
    """
    if not seen.judged:
        return series, None, None
    series = _added(series, seen, rule, bound)
    if series.incident is not None:
        return _continued(series, series.incident, seen, rule, bound)
    opened = _repeated(series, rule) or _slow(series, bound)
    if opened is None:
        return series, None, None
    return replace(series, incident=opened), OPENED, opened


def _added(series: Series, seen: Sighting, rule: Confirmation, bound: float) -> Series:
    recent = (*series.recent, (seen.start, seen.strong, seen.weak, seen.severity))[-rule.of :]
    total = series.total + min(seen.z, _MOST_Z) - rule.slow_allowance
    if total <= 0:
        return replace(series, recent=recent, total=0.0, run=(0, 0.0), since=0)
    windows, excess = series.run
    since = series.since if windows else seen.start
    # No higher than the bound: when the difference ends, the sum falls below it at once.
    return replace(
        series,
        recent=recent,
        total=min(total, bound),
        run=(windows + 1, excess + seen.excess),
        since=since,
    )


def _repeated(series: Series, rule: Confirmation) -> Incident | None:
    some = [each for each in series.recent if each[1] or each[2]]
    if len(some) < rule.needed or not any(strong for _, strong, _, _ in some):
        return None
    severity = _worst(each[3] for each in some)
    return Incident(some[0][0], REPEATED, severity, len(some))


def _slow(series: Series, bound: float) -> Incident | None:
    windows, excess = series.run
    # Much data makes any difference certain: on average it has to be one that matters.
    if series.total < bound or excess < 0:
        return None
    return Incident(series.since, SLOW, "SUSPECT", windows)


def _continued(
    series: Series, incident: Incident, seen: Sighting, rule: Confirmation, bound: float
) -> tuple[Series, str | None, Incident]:
    # The sum of differences that are large lasts longer than they do.
    lasts_slowly = incident.cause == SLOW and series.total >= bound and series.run[1] >= 0
    differs = seen.strong or seen.weak or lasts_slowly
    incident = replace(
        incident,
        severity=_worst((incident.severity, seen.severity)),
        windows=incident.windows + differs,
        lasted=incident.lasted + 1,
        clean=0 if differs else incident.clean + 1,
    )
    if incident.clean >= rule.clean:
        return Series(), RECOVERED, incident
    again = rule.renotify and incident.lasted % rule.renotify == 0
    return replace(series, incident=incident), ONGOING if again else None, incident


_ORDER = ("", "SUSPECT", "DRIFT", "MISSING_COLUMN", "NO_DATA")


def _worst(severities: object) -> str:
    return max(severities, key=_ORDER.index)  # type: ignore[call-overload,no-any-return]
