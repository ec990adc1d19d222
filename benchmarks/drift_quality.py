"""How often drift is told where there is none, and found where there is some, by simulation.

python -m benchmarks.drift_quality. Windows of 30 columns (20 normal ones in 20 quantile bins, 10 of
texts with Zipf's law) are drawn cell by cell, from a fixed seed; the same counts are judged by our
rule, by rules that others have as defaults, and by one that always and one that never says drift.
"""

import argparse
import itertools
import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from transforms.drift.baseline import Baseline
from transforms.drift.counting.cells import ColumnCells
from transforms.drift.counting.counts import Counts
from transforms.drift.counting.layout import Layout
from transforms.drift.incidents.confirm import Confirmer
from transforms.drift.judging.compare import Comparer
from transforms.drift.judging.policy import Policy
from transforms.drift.judging.verdicts import Window
from transforms.drift.make import baseline_of

Floats = NDArray[np.float64]
NUMBERS, LABELS = 20, (2, 3, 5, 10, 50, 200, 1000, 5000, 20_000, 100_000)
BINS = 20
_NORMAL = NormalDist()
_EDGES = [_NORMAL.inv_cdf(at / BINS) for at in range(1, BINS)]
RULES = ("ours", "PSI > 0.1", "KS p < .05", "JS > 0.1", "always", "never")


def layout() -> Layout:
    """The cells of all columns."""
    edges = (-9.0, *_EDGES, 9.0)
    centers = tuple((a + b) / 2 for a, b in itertools.pairwise(edges))
    columns = [ColumnCells(f"x{n:02d}", "numbers", edges, centers) for n in range(NUMBERS)]
    for n, number in enumerate(LABELS):
        labels = tuple(str(at).encode() for at in range(min(number, 255)))
        columns.append(ColumnCells(f"y{n:02d}", "labels", labels=labels))
    return Layout(tuple(columns))


def shares_of(column: ColumnCells, place: int, shift: float = 0.0) -> Floats:
    """The probability of each cell; of numbers after their mean moved."""
    shares = np.zeros(column.number)
    if column.counts_numbers:
        below = [0.0, *(_NORMAL.cdf(edge - shift) for edge in _EDGES), 1.0]
        shares[4 : 4 + BINS] = np.diff(below)
    else:
        number = LABELS[place - NUMBERS]
        weights = 1 / np.arange(1, number + 1) ** 1.3
        weights /= weights.sum()
        shares[2 : 2 + len(column.labels)] = weights[: len(column.labels)]
        shares[-1] = max(0.0, 1 - shares.sum())
    return shares / shares.sum()


class Draws:
    """Draws the counts of windows.

    Args:
      seed: Of the random numbers.
    """

    def __init__(self, seed: int = 1) -> None:
        self.random, self.layout = np.random.default_rng(seed), layout()
        self._still = [shares_of(each, at) for at, each in enumerate(self.layout.columns)]

    def window(self, rows: int, shifts: dict[int, float] | None = None) -> Counts:
        """A window, in which the means of some columns of numbers moved."""
        parts = []
        for place, column in enumerate(self.layout.columns):
            shift = (shifts or {}).get(place)
            shares = self._still[place] if not shift else shares_of(column, place, shift)
            parts.append(self.random.multinomial(rows, shares))
        return Counts(np.concatenate(parts)[None, :].astype(np.int64), np.array([rows]))

    def baseline(self, rows: int, windows: int, spread: float = 0.0) -> Baseline:
        """A baseline of so many windows of so many rows."""
        parts = [self.window(rows, self.moods(spread)) for _ in range(windows)]
        return baseline_of(self.layout, parts, 3_600_000_000)

    def moods(self, spread: float) -> dict[int, float]:
        """By how much each column of numbers moves on a day, at random."""
        if not spread:
            return {}
        return dict(enumerate(self.random.normal(0, spread, NUMBERS).tolist()))


class Judges:
    """Judges windows by all rules: for each, which columns moved."""

    def __init__(self, base: Baseline, policy: Policy | None = None) -> None:
        self.base, self.compare = base, Comparer(base, policy)
        self.confirmer = Confirmer(policy or Policy())
        self.opened: list[str] = []
        self.adjusted: list[float] = []
        self.tails: list[NDArray[np.float64]] = []

    def __call__(self, counts: Counts) -> dict[str, NDArray[np.bool_]]:
        """Which of the 30 columns moved, by rule."""
        at = len(self.adjusted)
        verdicts = self.compare(counts, Window(at, at + 1))
        events = self.confirmer.add(verdicts).to_pylist()
        self.opened += [each["column"] for each in events if each["event"] == "OPENED"]
        status = np.array(verdicts["status"].to_pylist())
        self.adjusted.append(verdicts["adjusted_psi"][0].as_py() or 0.0)
        self.tails.append(verdicts["p_value"].to_numpy(zero_copy_only=False))
        ours = np.isin(status, ["SUSPECT", "DRIFT"])
        found = {"ours": ours, "always": ours | True, "never": ours & False}
        return found | self._others(counts, verdicts["ks"].to_numpy(zero_copy_only=False))

    def _others(self, counts: Counts, ks: Floats) -> dict[str, NDArray[np.bool_]]:
        n, m = int(counts.rows[0]), int(self.base.counts.rows[0])
        psi, js = [], []
        for column in self.base.layout.columns:
            place = self.base.layout.of(column.name)
            a, b = counts.cells[0, place], self.base.counts.cells[0, place]
            if column.counts_numbers:
                a, b = (each[4 : 4 + BINS].reshape(-1, 2).sum(axis=1) for each in (a, b))
            # As is usual: an empty cell counts for a ten-thousandth.
            q, p = (np.maximum(a / n, 1e-4), np.maximum(b / m, 1e-4))
            psi.append(float(((p - q) * np.log(p / q)).sum()))
            q, p = a / n, b / m
            middle = np.maximum((p + q) / 2, 1e-300)
            parts = [np.where(e > 0, e * np.log(np.maximum(e, 1e-300) / middle), 0) for e in (p, q)]
            js.append(math.sqrt(max(0.0, float((parts[0] + parts[1]).sum()) / 2)))
        bound = 1.358 * math.sqrt(1 / n + 1 / m)
        known = np.nan_to_num(ks, nan=-1.0)
        return {
            "PSI > 0.1": np.array(psi) > 0.1,
            "KS p < .05": known > bound,
            "JS > 0.1": np.array(js) > 0.1,
        }


def confirmed(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which columns moved in two of three windows in a row, for each window: w by c booleans."""
    padded = np.concatenate([np.zeros((2, flags.shape[1]), bool), flags]).astype(int)
    return (padded[2:] + padded[1:-1] + padded[:-2] >= 2) & flags


def false_alarms(
    title: str, draws: Draws, judges: Judges, windows: int, make: Callable[[], Counts]
) -> None:
    """Prints in how many windows without drift any column moved, by rule."""
    judged = [judges(make()) for _ in range(windows)]
    cells = []
    for rule in RULES:
        flags = np.array([each[rule] for each in judged])
        cells.append(f"{flags.any(axis=1).mean():6.1%} {confirmed(flags).any(axis=1).mean():6.2%}")
    tails = np.concatenate(judges.tails)
    raw = float((tails[~np.isnan(tails)] < 0.05).mean())
    told = f"   p < .05: {raw:.3f}, incidents: {len(judges.opened):,} in {windows:,} windows"
    print(f"{title:34}" + " | ".join(cells) + told, flush=True)


def shift_of(psi: float) -> float:
    """The shift of the mean whose index over ten bins is so large, by halving."""
    column = layout().columns[0]
    low, high = 0.0, 3.0
    for _ in range(60):
        middle = (low + high) / 2
        p, q = (
            shares_of(column, 0, shift)[4 : 4 + BINS].reshape(-1, 2).sum(axis=1)
            for shift in (0.0, middle)
        )
        found = float(((p - q) * np.log(p / q)).sum())
        low, high = (middle, high) if found < psi else (low, middle)
    return low


def power(draws: Draws, psi: float, rows: int, windows: int) -> None:
    """Prints in how many windows the one column that moved is found, by rule."""
    judges = Judges(draws.baseline(rows, 100))
    judged = [judges(draws.window(rows, {0: shift_of(psi)})) for _ in range(windows)]
    cells = [f"{np.mean([each[rule][0] for each in judged]):6.1%}       " for rule in RULES]
    mean = np.mean(judges.adjusted)
    title = f"A3 PSI {psi} of {rows:,} rows"
    print(f"{title:34}" + " | ".join(cells) + f"   adjusted / true: {mean / psi:.3f}", flush=True)


def delay(draws: Draws, runs: int) -> None:
    """Prints how soon two of three windows have found a shift, at once and little by little."""
    base = draws.baseline(1000, 100)
    by_second, in_ramp = 0, 0
    for _ in range(runs):
        judges, moved = Judges(base), base.layout.columns[0].name
        for _ in range(2):
            judges(draws.window(1000, {0: shift_of(0.05)}))
        by_second += moved in judges.opened
        judges = Judges(base)
        for at in range(20):
            judges(draws.window(1000, {0: shift_of(0.05 * (at + 1) / 20)}))
        in_ramp += moved in judges.opened
    print(
        f"A4 PSI 0.05 at once, an incident by the 2nd window: {by_second / runs:.1%} of {runs} runs"
    )
    print(f"A4 little by little over 20 windows, an incident within: {in_ramp / runs:.1%}")


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=1000)
    options = parser.parse_args()
    draws = Draws()
    print("Windows with any column that moved, and those where one did in two of three, by rule:")
    print(" " * 34 + " | ".join(f"{rule:13}" for rule in RULES))
    for rows in (200, 1000, 10_000, 100_000):
        for windows in (100, 10):
            base = draws.baseline(rows, windows)
            title = f"A1 {rows:,} rows, {windows} windows before"
            make = lambda rows=rows: draws.window(rows)  # noqa: E731
            false_alarms(title, draws, Judges(base), options.windows, make)
    base = draws.baseline(10_000, 60, 0.1)
    make = lambda: draws.window(10_000, draws.moods(0.1))  # noqa: E731
    false_alarms("A2 days differ, calibrated", draws, Judges(base), options.windows, make)
    base = draws.baseline(60_000, 10, 0.1)
    false_alarms("A2 days differ, chance alone", draws, Judges(base), options.windows, make)
    print("Windows in which the one column of 30 that moved was found:")
    for psi, rows in ((0.05, 1000), (0.1, 500), (0.25, 200)):
        power(draws, psi, rows, options.windows)
    delay(draws, max(20, options.windows // 5))


if __name__ == "__main__":
    main()
