"""Checksums of many numbers at once."""

import numpy as np


def luhn(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Checks numbers by Luhn's checksum (ISO/IEC 7812-1).

    Args:
      values: n by w digits, and other values between them.
      mask: Where a value is a digit.

    Returns: n booleans.
    """
    from_right = mask[:, ::-1].cumsum(1)[:, ::-1]
    doubled = mask & (from_right % 2 == 0)
    digits = np.where(mask, values, 0).astype(np.int64)
    digits = np.where(doubled, digits * 2 - 9 * (digits > 4), digits)
    return np.asarray(digits.sum(1) % 10 == 0)
