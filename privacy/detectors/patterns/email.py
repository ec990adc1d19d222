"""E-mail addresses."""

import numpy as np
import pyarrow.compute as pc

from privacy.detectors.detector import Candidates, Detector, Verdict, judged
from privacy.likelihood import Likelihood

_WORD = r"0-9A-Za-z\x{80}-\x{10FFFF}"
"""Letters and digits; all beyond ASCII counts as such, for RE2's own classes of Unicode's letters
make programs too large to run fast."""

_LOCAL = rf"[{_WORD}_](?:[{_WORD}_.%+'\-]*[{_WORD}_%+\-])?"
_LABEL = rf"[{_WORD}](?:[{_WORD}\-]*[{_WORD}])?"
_DOMAIN = rf"(?:{_LABEL}\.)+(?:xn--[A-Za-z0-9\-]*[A-Za-z0-9]|[A-Za-z\x{{80}}-\x{{10FFFF}}]{{2,24}})"
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
