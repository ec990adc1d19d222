"""E-mail addresses."""

import numpy as np
import pyarrow.compute as pc

from privacy.detectors.detector import Candidates, Detector, Verdict, judged
from privacy.likelihood import Likelihood

_LOCAL = r"[\pL\pN_](?:[\pL\pN_.%+'\-]*[\pL\pN_%+\-])?"
_DOMAIN = r"(?:[\pL\pN](?:[\pL\pN\-]*[\pL\pN])?\.)+(?:xn--[A-Za-z0-9\-]*[A-Za-z0-9]|\pL{2,24})"
_LONGEST_LOCAL, _LONGEST = 64, 254


def _check(candidates: Candidates) -> Verdict:
    """Keeps to the lengths of RFC 5321, and refuses two dots in a row."""
    size = candidates.ends - candidates.starts
    at = np.asarray(pc.find_substring(candidates.texts.cast("binary"), b"@"))
    dots = np.asarray(pc.match_substring(candidates.texts, ".."))
    good = (size <= _LONGEST) & (at <= _LONGEST_LOCAL) & ~dots
    return judged(candidates, np.where(good, Likelihood.VERY_LIKELY, Likelihood.NO))


EMAIL = Detector(
    "EMAIL_ADDRESS",
    prefilter=r"[^\s@]@[^\s@]+\.[^\s@.]",
    pattern=f"{_LOCAL}@{_DOMAIN}",
    check=_check,
)
