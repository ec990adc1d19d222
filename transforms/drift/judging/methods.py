"""Methods by the names that other tools have for them, each over the baseline's cells."""

from collections.abc import Callable

import numpy as np

from transforms.drift.judging.measures import Measures
from transforms.drift.judging.pooling import Floats

Rules = tuple[tuple[str, float], ...]
"""Names of methods, and the value beyond which a column has drifted."""


def _js(psi: Floats, tail: Floats, seen: Measures) -> Floats:
    # The distance is the root of the divergence, here with natural logarithms.
    distance: Floats = np.sqrt(np.maximum(seen.jsd, 0) * np.log(2))
    return distance


METHODS: dict[str, Callable[[Floats, Floats, Measures], Floats]] = {
    "psi": lambda psi, tail, seen: psi,
    "js": _js,
    "jsd": lambda psi, tail, seen: seen.jsd,
    "linf": lambda psi, tail, seen: seen.l_infinity,
    "ks": lambda psi, tail, seen: seen.ks,
    "chi2": lambda psi, tail, seen: tail,
    "hellinger": lambda psi, tail, seen: seen.hellinger,
    "wasserstein": lambda psi, tail, seen: seen.wasserstein,
}
"""psi: the population stability index. js: the Jensen-Shannon distance in nats, as in Evidently.
jsd: the divergence in bits, as in TFDV. linf: the greatest change of a share. ks: the greatest
difference of cumulative shares at the edges of cells. chi2: the p-value, below which a column has
drifted. hellinger, wasserstein: the distances, the latter in standard deviations."""
BELOW = frozenset({"chi2"})
"""Methods whose small values are drift."""


def beyond(
    rules: Rules, psi: Floats, tail: Floats, seen: Measures
) -> tuple[np.ndarray, np.ndarray]:
    """Returns which columns are beyond a threshold, and the first method that says so; "" else.

    Args:
      rules: The methods and their thresholds.
      psi: The index of each of c columns.
      tail: Their p-values.
      seen: What is measured of them. A method that is for numbers says nothing of labels.
    """
    found = np.zeros(len(psi), bool)
    named = np.full(len(psi), "", object)
    for name, threshold in rules:
        value = METHODS[name](psi, tail, seen)
        over = value < threshold if name in BELOW else value > threshold
        named[over & ~found] = name
        found |= over
    return found, named


def rules_of(texts: tuple[str, ...]) -> Rules:
    """Reads methods such as psi=0.2.

    Raises:
      ValueError: One has no number.
    """
    pairs = (text.partition("=") for text in texts)
    return tuple((name.strip(), float(number)) for name, _, number in pairs)
