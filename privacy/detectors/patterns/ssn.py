"""Social security numbers of the USA."""

import numpy as np

from privacy.detectors.detector import WORD, Candidates, Detector, Verdict, judged, one_of
from privacy.likelihood import Likelihood

_WIDTH = 11
_GLUED = one_of(b"-.")
_PRINTED = np.array([78_05_1120, 219_09_9999])
"""Numbers that stood on sample cards, and are nobody's."""


def _check(candidates: Candidates) -> Verdict:
    """Refuses what the administration never gave out; bare digits need a hotword."""
    values, mask = candidates.digits(_WIDTH)
    rank = np.where(mask, mask.cumsum(1), 0)
    power = np.concatenate([[0], 10 ** np.arange(8, -1, -1)])
    number = (values * power[rank]).sum(1)
    area, group, serial = number // 1_000_000, number // 10_000 % 100, number % 10_000
    good = (area > 0) & (area != 666) & (area < 900) & (group > 0) & (serial > 0)
    good &= ~np.isin(number, _PRINTED) & ~(WORD | _GLUED)[candidates.before]
    tail = candidates.behind
    more = _GLUED[tail] & WORD[candidates.byte(candidates.ends + 1)]
    good &= ~WORD[tail] & ~more
    bare = candidates.ends - candidates.starts == 9
    level = np.where(bare, Likelihood.VERY_UNLIKELY, Likelihood.LIKELY)
    return judged(candidates, np.where(good, level, Likelihood.NO))


US_SSN = Detector(
    "US_SOCIAL_SECURITY_NUMBER",
    prefilter=r"\d{3}-\d{2}-\d{4}|\d{3}\.\d{2}\.\d{4}|\d{3} \d{2} \d{4}|\b\d{9}\b",
    pattern=r"\d{3}-\d{2}-\d{4}|\d{3}\.\d{2}\.\d{4}|\d{3} \d{2} \d{4}|\d{9}",
    check=_check,
    hotwords=r"(?i)\b(?:ssns?|soc(?:ial)?[ .]*sec(?:urity)?)\b",
    lifts_to=Likelihood.VERY_LIKELY,
)
