"""IP addresses of both versions, with or without the length of a prefix."""

import ipaddress

import numpy as np

from privacy.detectors.detector import WORD, Candidates, Detector, Verdict, one_of
from privacy.likelihood import Likelihood

_COLON, _DOT = ord(":"), ord(".")
_INSIDE = WORD | one_of(b":.")


def _check(candidates: Candidates) -> Verdict:
    """Judges version 4 by its neighbours alone, version 6 by the standard library."""
    texts = candidates.texts
    starts, ends = candidates.starts.copy(), candidates.ends.copy()
    level = np.where(WORD[candidates.before] | (candidates.before == _DOT), 0, Likelihood.LIKELY)
    level = np.where(WORD[candidates.behind], 0, level)
    six = np.array([":" in text or "/" in text for text in texts.to_pylist()], bool)
    for place in np.flatnonzero(six):
        level[place], begin, end = _judge(texts[place].as_py(), int(level[place]))
        starts[place], ends[place] = (
            candidates.starts[place] + begin,
            candidates.starts[place] + end,
        )
    return level, starts, ends


def _judge(text: str, level: int) -> tuple[int, int, int]:
    """Returns the likelihood of one address, and its part of the text."""
    begin, end = 0, len(text)
    if not level:
        return _four(text)
    address, slash, prefix = text.partition("/")
    if address.endswith((".", ":")) and not address.endswith("::"):
        address, slash = address[:-1], ""
    if address.startswith(":") and not address.startswith("::"):
        address, begin = address[1:], 1
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return _four(text)
    fits = bool(slash) and prefix != "" and int(prefix) <= parsed.max_prefixlen
    end = len(text) if fits else begin + len(address)
    # `::` and `a::b` are addresses, but more often something of a program.
    words = not any(letter.isdigit() for letter in address)
    return (Likelihood.VERY_UNLIKELY if words else Likelihood.LIKELY), begin, end


def _four(text: str) -> tuple[int, int, int]:
    """Returns the version 4 address at the end of what is not one of version 6."""
    address, _, _ = text.partition("/")
    tail = address.rpartition(":")[2]
    try:
        ipaddress.IPv4Address(tail)
    except ValueError:
        return Likelihood.NO, 0, len(text)
    begin = len(address) - len(tail)
    return (Likelihood.LIKELY, begin, len(address)) if begin else (Likelihood.NO, 0, len(text))


_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_FOUR = rf"{_BYTE}\.{_BYTE}\.{_BYTE}\.{_BYTE}\b(?:/\d{{1,3}}\b)?"
_SIX = r"[0-9A-Za-z:]*(?::[0-9A-Za-z]*){2}(?:[0-9A-Za-z:.]*[0-9A-Za-z:])?(?:/\d{1,3}\b)?"

IP_ADDRESS = Detector(
    "IP_ADDRESS",
    prefilter=r"\d\.\d{1,3}\.\d{1,3}\.\d|::|:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}:"
    r"[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}:",
    pattern=rf"{_FOUR}|{_SIX}",
    check=_check,
)
