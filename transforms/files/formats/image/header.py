"""Images, by how their files begin: format, width and height, without a decoder."""

import struct
from dataclasses import dataclass

HEAD_BYTES = 4096
"""A header is looked for in so many bytes; behind a camera's preview it is further on."""

_JPEG_SIZES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""Markers of a JPEG frame, which holds its size; the others of that range are tables."""


@dataclass(frozen=True)
class Image:
    """What the header of an image says; sizes are 0 where its beginning does not hold them."""

    format: str
    width: int = 0
    height: int = 0


def image_size(head: bytes) -> Image | None:
    """Returns the format and size of an image, by its first few kilobytes; None if unknown.

    Known are PNG (its specification, section 11.2.2), GIF89a, BMP, JPEG (ITU T.81, annex B) and
    WebP (RFC 9649).
    """
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return Image("png", *_unpacked(">II", head, 16))
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return Image("gif", *_unpacked("<HH", head, 6))
    if head[:2] == b"BM" and len(head) >= 26 and head[14:18] in _BMP_HEADERS:
        width, height = _unpacked("<ii", head, 18)
        return Image("bmp", width, abs(height))
    if head[:3] == b"\xff\xd8\xff":
        return Image("jpeg", *_jpeg(head))
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Image("webp", *_webp(head))
    return None


_BMP_HEADERS = {struct.pack("<I", size) for size in (40, 52, 56, 108, 124)}


def _unpacked(form: str, head: bytes, start: int) -> tuple[int, int]:
    if len(head) < start + struct.calcsize(form):
        return 0, 0
    first, second = struct.unpack_from(form, head, start)
    return int(first), int(second)


def _jpeg(head: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker in _JPEG_SIZES:
            height, width = _unpacked(">HH", head, at + 5)
            return width, height
        at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return 0, 0


def _webp(head: bytes) -> tuple[int, int]:
    kind = head[12:16]
    if kind == b"VP8 ":
        width, height = _unpacked("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and len(head) >= 25:
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X" and len(head) >= 30:
        width, height = (int.from_bytes(head[at : at + 3], "little") for at in (24, 27))
        return width + 1, height + 1
    return 0, 0
