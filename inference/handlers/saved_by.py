"""Which version of a framework saved a model, and whether it is newer than the one that is here.

TensorFlow and Keras load what older versions saved, and promise nothing of newer ones: most such
models work, others fail with an error that names an op or a class.
"""

import logging
import re

_NUMBERS = re.compile(r"(\d+)\.(\d+)")
_log = logging.getLogger(__name__)


def newer(made: str, here: str) -> bool:
    """Returns whether a version comes after another one, by its first two numbers.

    A version that is not known comes after none.
    """
    first, second = (_NUMBERS.match(version) for version in (made, here))
    if not first or not second:
        return False
    return tuple(map(int, first.groups())) > tuple(map(int, second.groups()))


def advice(framework: str, made: str, here: str) -> str:
    """Returns what to do about a newer model, as the end of an error; "" if it is not newer."""
    if not newer(made, here):
        return ""
    return (
        f". {framework} {made} saved it, which is newer than {framework} {here} here: score it "
        f"with an image that has {framework} {made}, or save it with {here}"
    )


def warn(path: str, framework: str, made: str, here: str) -> None:
    """Warns if a model was saved by a newer version than the one that is here."""
    if newer(made, here):
        _log.warning(
            "model %s was saved by %s %s, which is newer than %s %s here: if it fails or predicts "
            "otherwise, use an image that has %s %s",
            path,
            *(framework, made, framework, here, framework, made),
        )
