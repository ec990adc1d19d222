"""What all verbs share: a verb is a dataclass, and its fields are its whole configuration."""

import dataclasses
import os

import apache_beam as beam


class Verb(beam.PTransform):
    """A PTransform that is a dataclass. One that checks its fields extends `__post_init__`.

    A `pathlib.Path` is taken as its text, wherever a verb takes the URI of something.
    """

    def __post_init__(self) -> None:
        # A dataclass calls no base class's __init__ by itself, and Beam sets the label there.
        super().__init__()
        for field in dataclasses.fields(self) if dataclasses.is_dataclass(self) else ():
            value = getattr(self, field.name)
            if isinstance(value, os.PathLike):
                setattr(self, field.name, os.fspath(value))
