"""The table of steps: the name in a file, and the class that it means."""

from collections.abc import Iterator

from transforms.nearest import nearest
from transforms.preprocess.steps import (
    arithmetic,
    buckets,
    dates,
    fill,
    hashing,
    one_hot,
    pca,
    scaling,
    texts,
    tfidf,
    vocabulary,
)
from transforms.preprocess.steps.step import Step, WrongStep

STEPS: tuple[type[Step], ...] = (
    scaling.ScaleByMinMax,
    scaling.ScaleToZScore,
    scaling.RobustScale,
    arithmetic.Log,
    arithmetic.Log1p,
    arithmetic.Sqrt,
    arithmetic.Clip,
    fill.Fill,
    buckets.ApplyBuckets,
    buckets.Bucketize,
    vocabulary.ComputeAndApplyVocabulary,
    hashing.HashStrings,
    hashing.Cross,
    one_hot.OneHot,
    texts.Lower,
    texts.Split,
    texts.NGrams,
    tfidf.TfIdf,
    dates.DatePart,
    dates.CyclicTime,
    dates.Cyclic,
    pca.Pca,
)
"""In the order of the docs."""


def _names() -> Iterator[tuple[str, type[Step]]]:
    for step in STEPS:
        yield step.name, step
        for alias in step.aliases:
            yield alias, step


NAMES = dict(_names())
"""Each name, aliases too."""


def step_named(name: str) -> type[Step]:
    """Returns the class of a step.

    Raises:
      WrongStep: There is no such step; the text names the nearest.
    """
    if name not in NAMES:
        near = nearest(name, NAMES) or f"; there are {', '.join(step.name for step in STEPS)}"
        raise WrongStep(f"there is no step {name!r}{near}")
    return NAMES[name]
