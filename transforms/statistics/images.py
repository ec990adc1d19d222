"""Images, by how their files begin: format, width and height, without a decoder."""

import struct
from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from tensorflow_metadata.proto.v0 import statistics_pb2

HEAD_BYTES = 4096
"""A header is looked for in so many bytes; behind a camera's preview it is further on."""

_JPEG_SIZES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""Markers of a JPEG frame, which tells its size; the others of that range are tables."""


@dataclass
class Images:
    """Formats of images, and the greatest width and height that their headers tell.

    Attributes:
      formats: How many of each; "" of what is no image.
      width: The greatest, in pixels.
      height: The greatest, in pixels.
    """

    formats: dict[str, int] = field(default_factory=dict)
    width: int = 0
    height: int = 0

    def add(self, array: pa.Array) -> None:
        """Takes values, none of them null, into account."""
        bytes_ = array.cast(pa.large_binary())
        begins = pc.binary_slice(bytes_, 0, 2)
        like_one = bytes_.filter(pc.is_in(begins, value_set=_BEGINNINGS))
        found = [image_size(head) for head in pc.binary_slice(like_one, 0, HEAD_BYTES).to_pylist()]
        formats = Counter(image.format if image else "" for image in found)
        formats[""] += len(array) - len(like_one)
        self.merge(
            Images(
                dict(formats),
                max((image.width for image in found if image), default=0),
                max((image.height for image in found if image), default=0),
            )
        )

    def merge(self, other: "Images") -> None:
        """Takes others into account."""
        for name, number in other.formats.items():
            self.formats[name] = self.formats.get(name, 0) + number
        self.width, self.height = max(self.width, other.width), max(self.height, other.height)

    def describe(self, made: statistics_pb2.FeatureNameStatistics) -> None:
        """Adds the custom statistics that TFDV makes of images; what is none is "UNKNOWN" there."""
        ranks = made.custom_stats.add(name="image_format_histogram").rank_histogram
        for name, number in sorted(self.formats.items(), key=lambda pair: (-pair[1], pair[0])):
            if number:
                ranks.buckets.add(label=name or "UNKNOWN", sample_count=number)
        made.custom_stats.add(name="image_max_width", num=self.width)
        made.custom_stats.add(name="image_max_height", num=self.height)


@dataclass(frozen=True)
class Image:
    """What the header of an image tells; sizes are 0 where its beginning does not hold them."""

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


_BEGINNINGS = pa.array([b"\x89P", b"GI", b"BM", b"\xff\xd8", b"RI"], pa.large_binary())
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
