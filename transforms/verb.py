"""What all verbs share: a verb is a dataclass, and its fields are its whole configuration."""

import apache_beam as beam


class Verb(beam.PTransform):
    """A PTransform that is a dataclass. One that checks its fields extends `__post_init__`."""

    def __post_init__(self) -> None:
        # A dataclass calls no base class's __init__ by itself, and Beam sets the label there.
        super().__init__()
