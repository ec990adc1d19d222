"""Images in a column: their formats and the greatest width and height."""

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from tensorflow_metadata.proto.v0 import statistics_pb2

from transforms.files.formats.image.header import HEAD_BYTES, image_size


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


_BEGINNINGS = pa.array([b"\x89P", b"GI", b"BM", b"\xff\xd8", b"RI"], pa.large_binary())
