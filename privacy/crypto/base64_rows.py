"""Base64 of rows of one width: all of them in one call of the C codec, without an index."""

import binascii

import numpy as np

PAD, ZERO = ord("="), ord("A")


def text_width(width: int) -> int:
    """Returns how many characters stand for so many bytes."""
    return -(-width // 3) * 4


def encode_rows(rows: np.ndarray) -> np.ndarray:
    """Returns n by `text_width(m)` characters for n by m bytes."""
    count, width = rows.shape
    padded = np.zeros((count, -(-width // 3) * 3), np.uint8)
    padded[:, :width] = rows
    text = np.frombuffer(binascii.b2a_base64(padded.tobytes(), newline=False), np.uint8)
    text = text.reshape(count, text_width(width)).copy()
    text[:, text.shape[1] - (padded.shape[1] - width) :] = PAD
    return text


def decode_rows(text: np.ndarray, pads: int) -> np.ndarray:
    """Returns the bytes of n by m characters, where the last `pads` are padding."""
    filled = np.where(text == PAD, np.uint8(ZERO), text)
    data = np.frombuffer(binascii.a2b_base64(filled.tobytes()), np.uint8)
    return data.reshape(len(text), -1)[:, : text.shape[1] // 4 * 3 - pads]
