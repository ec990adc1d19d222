"""MergeStates: what validations of parts of the data know, as if one had seen all of it."""

from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from transforms.errors import ConfigError
from transforms.files import filesystem
from transforms.gate.places import STATE, STATISTICS
from transforms.statistics import state
from transforms.statistics.generate import Slices, merge_slices
from transforms.verb import Verb


def find_states(uri: str) -> tuple[str, ...]:
    """Returns the states of statistics that validations have written.

    Args:
      uri: A `FeatureStats.arrow`, a folder in which there are some, or a pattern of such.

    Raises:
      ConfigError: There are none.
    """
    folder = f"{uri.rstrip('/')}/"
    found = filesystem.list_files(uri)
    if not any(_is_state(file.uri) for file in found):
        found = filesystem.list_files(f"{folder}**/{STATE}") or filesystem.list_files(
            folder + STATE
        )
    places = tuple(file.uri for file in found if _is_state(file.uri))
    bare = _without_state(uri, places)
    if bare:
        raise ConfigError(
            f"--input {uri}: {bare[0]} has statistics and no {STATE} beside them, from which they "
            "could be merged: leave it out, or validate its rows anew"
        )
    if not places:
        raise ConfigError(
            f"--input {uri}: there is no {STATE} here, which a validation writes beside its "
            "statistics: name folders of validations"
        )
    return places


def _without_state(uri: str, places: tuple[str, ...]) -> list[str]:
    """Returns the folders with statistics only, so that no day is left out unseen."""
    pattern = f"{uri.rstrip('/')}/"
    if uri.endswith(STATE):
        return []
    found = filesystem.list_files(f"{pattern}**/{STATISTICS}") + filesystem.list_files(
        pattern + STATISTICS
    )
    known = {place.rpartition("/")[0] for place in places}
    return sorted({each.uri.rpartition("/")[0] for each in found} - known)


def _is_state(uri: str) -> bool:
    return uri.rpartition("/")[2] == STATE


def read_state(place: str) -> Slices:
    """Returns the state of each slice that a validation wrote.

    Raises:
      ConfigError: It isn't there, or is broken, or of another version.
    """
    try:
        with pa.ipc.open_file(filesystem.read_bytes(place)) as reader:
            batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
            return Slices(state.from_batches(batches))
    except OSError as error:
        raise ConfigError(f"{place}: can't be read: {error.strerror or error}") from None
    except (pa.ArrowException, ValueError):
        raise ConfigError(f"{place}: is broken: make the statistics anew") from None
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from None


@dataclass
class MergeStates(Verb):
    """Merges states of statistics.

    Args:
      places: Where they are; see `find_states`.

    Returns: What is known of all their rows together, by slice: that which one pass over the rows
      would have come to, within the errors that the statistics state.
    """

    places: tuple[str, ...]

    def expand(self, root: beam.Pipeline) -> "beam.PCollection[Slices]":
        """Returns the merged statistics, as one value."""
        places = root | "States" >> beam.Create(self.places)
        read = places | "Spread" >> beam.Reshuffle() | "Load" >> beam.Map(read_state)
        return read | "Merge" >> merge_slices()
