"""By how many days a date is shifted: the same for the same key and context.

Cloud DLP keeps its function to itself, so the shifts differ from its own; what it promises holds:
one context, one shift, within the bounds. Ours is the HMAC-SHA-256 of the context, its first 8
bytes as a number, modulo the count of days within the bounds.
"""

import numpy as np
import pyarrow as pa

from privacy.crypto.alphabets import tweaks
from privacy.crypto.hmac import raw_digest
from transforms.errors import ConfigError

MAX_DAYS = 365_250
"""DLP's bound, in either direction."""


def offsets(context: pa.Array, key: bytes, lower: int, upper: int) -> pa.Array:
    """Returns the shift of each row.

    Args:
      context: n integers or texts, such as the id of a patient.
      key: At least 16 bytes.
      lower: The least shift in days, which may be negative.
      upper: The greatest shift in days, included.

    Returns: n 64-bit integers: days; null where the context is null.

    Raises:
      ConfigError: The bounds are out of order or beyond 365,250 days, or the key is too short.
    """
    check_bounds(lower, upper)
    unique = context.dictionary_encode() if not pa.types.is_dictionary(context.type) else context
    hashes = b"".join(raw_digest(tweaks(unique.dictionary), key).to_pylist())
    words = np.frombuffer(hashes, ">u8").reshape(-1, 4)[:, 0].astype(np.uint64)
    days = (words % np.uint64(upper - lower + 1)).astype(np.int64) + lower
    return pa.array(days).take(unique.indices)


def check_bounds(lower: int, upper: int) -> None:
    """Raises a ConfigError where the bounds of a date shift can't be."""
    if lower > upper:
        raise ConfigError(f"lower_bound_days {lower} is above upper_bound_days {upper}")
    if max(abs(lower), abs(upper)) > MAX_DAYS:
        raise ConfigError(f"a date is shifted by at most {MAX_DAYS:,} days in either direction")
