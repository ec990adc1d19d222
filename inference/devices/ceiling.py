"""How many rows fit into a device's memory, measured by a call with a few of them."""

_SHARE = 0.9
"""Of what is free: the rest is for fragments between the pieces."""


def fitting_rows(tried: int, used: int, peak: int, most: int, wanted: int) -> int:
    """Returns the most rows of a call that fit into memory.

    What a call needs grows with its rows; what the model's weights take doesn't.

    Args:
      tried: How many rows the call had.
      used: The bytes in use before the call.
      peak: The most bytes in use during the call.
      most: The bytes that the device has.
      wanted: The most rows that are wanted.

    Returns: A power of two times `tried`, or less than that: at least 1, at most `wanted`.
    """
    for_rows, free = max(1, peak - used), _SHARE * (most - used)
    fitting = int(tried * free / for_rows)
    if fitting >= wanted:
        return wanted
    return max(1, 1 << (max(1, fitting).bit_length() - 1))
