"""Likelihoods: the five levels of Cloud DLP, as numbers that compare."""

from enum import IntEnum


class Likelihood(IntEnum):
    """How likely a text is what it was taken for; 0 says that it is not."""

    NO = 0
    VERY_UNLIKELY = 1
    UNLIKELY = 2
    POSSIBLE = 3
    LIKELY = 4
    VERY_LIKELY = 5
