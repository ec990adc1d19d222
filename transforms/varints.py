"""Whole numbers as protobuf and LevelDB write them: 7 bits a byte, the lowest first."""

_MOST_BITS = 63


def read_varint(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """Returns the number at a place, and the place behind it.

    Raises:
      IndexError: The data ends within the number, or it has more than 64 bits.
    """
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > _MOST_BITS:
            raise IndexError("a number of more than 64 bits")


def varint(number: int) -> bytes:
    """Returns a number as bytes."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
