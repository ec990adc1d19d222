"""A set of hashes that batches of hashes are looked up in: made once, and not for each batch."""

import functools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_SIZE = 16


class HashSet:
    """Some hashes of 16 bytes, ordered by their first half.

    Args:
      hashes: The hashes.
    """

    def __init__(self, hashes: frozenset[bytes]) -> None:
        whole = np.frombuffer(b"".join(hashes), ">u8").reshape(-1, 2)
        whole = whole.astype(np.uint64)
        self._first, self._second = whole[np.lexsort((whole[:, 1], whole[:, 0]))].T.copy()

    def holds(self, hashes: pa.Array) -> np.ndarray:
        """Tells which hashes are in the set.

        Args:
          hashes: n values of 16 bytes; null is in no set.

        Returns: n booleans.
        """
        found = np.zeros(len(hashes), bool)
        if not len(self._first) or not len(hashes):
            return found
        valid = np.asarray(hashes.is_valid())
        given = pc.fill_null(hashes.cast(pa.binary(_SIZE)), bytes(_SIZE))
        data = np.frombuffer(given.buffers()[1], np.uint8)[given.offset * _SIZE :]
        first, second = data[: len(given) * _SIZE].view(">u8").reshape(-1, 2).T
        first, second = first.astype(np.uint64), second.astype(np.uint64)
        low = np.searchsorted(self._first, first)
        near = np.flatnonzero(valid & (self._first[np.minimum(low, len(self._first) - 1)] == first))
        # Two of a set hardly ever begin alike: then each of them is compared.
        at = low[near]
        while len(near):
            same = self._second[at] == second[near]
            found[near[same]] = True
            at, near = at[~same] + 1, near[~same]
            more = (at < len(self._first)) & (
                self._first[np.minimum(at, len(self._first) - 1)] == first[near]
            )
            at, near = at[more], near[more]
        return found


@functools.lru_cache(4)
def hash_set(hashes: frozenset[bytes]) -> HashSet:
    """Returns the set of some hashes, the same for all batches of a worker."""
    return HashSet(hashes)
