"""PickledCoder: for values of many megabytes that are pickled as a whole."""

import pickle
from typing import Any

from apache_beam.coders import coder_impl
from apache_beam.coders.coders import FastCoder
from apache_beam.coders.typecoders import registry


class _PickledCoderImpl(coder_impl.StreamCoderImpl):
    def encode_to_stream(self, value: Any, out: Any, nested: bool) -> None:
        out.write(pickle.dumps(value, pickle.HIGHEST_PROTOCOL), nested)

    def decode_from_stream(self, stream: Any, nested: bool) -> Any:
        return pickle.loads(stream.read_all(nested))

    def estimate_size(self, value: Any, nested: bool = False) -> int:
        return int(value.nbytes)


class PickledCoder(FastCoder):
    """Pickles, and asks a value for its size.

    Beam wants to know the size of what passes from step to step, and would pickle it each time.
    """

    def _create_impl(self) -> _PickledCoderImpl:
        return _PickledCoderImpl()

    def is_deterministic(self) -> bool:
        """False: such values are no keys."""
        return False

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))


def is_bulky(made: type) -> type:
    """Has values of a class, which tell about how many bytes they are by `nbytes`, coded so."""
    registry.register_coder(made, PickledCoder)
    return made
