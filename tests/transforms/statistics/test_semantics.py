"""What values mean, and what images are."""

import io
import struct

import numpy as np
import pyarrow as pa
import pytest

from tests.support import batch_of, shared_data
from transforms.files.formats.image.header import Image, image_size
from transforms.statistics import state
from transforms.statistics.collect import Collector, statistics_of
from transforms.statistics.dataset import described, merged
from transforms.statistics.options import StatisticsOptions

OPTIONS = StatisticsOptions(semantics=True)


def custom(array):
    (data,) = statistics_of([batch_of(a=array)], OPTIONS).datasets
    return {each.name: each for each in data.features[0].custom_stats}


def domain(array):
    found = custom(array).get("domain_info")
    return found.str if found else ""


SENTENCES = [f"The driver number {n} was late, but the car was clean." for n in range(100)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([f"https://example.org/{n}?a=b" for n in range(100)], "url_domain {}"),
        (SENTENCES, "natural_language_domain {}"),
        ([f"2026-01-{n % 28 + 1:02}" for n in range(100)], 'string_format: "%Y-%m-%d"'),
        ([f"2026-01-01T10:{n % 60:02}:00Z" for n in range(100)], '"%Y-%m-%dT%H:%M:%S%z"'),
        ([f"{n}:30:00" for n in range(10, 20)] * 10, 'string_format: "%H:%M:%S"'),
        ([1_700_000_000 + n for n in range(100)], "integer_format: UNIX_SECONDS"),
        ([1_700_000_000_000 + n for n in range(100)], "integer_format: UNIX_MILLISECONDS"),
        (["Cash", "Credit Card"] * 50, ""),
        ([f"id-{n:06}" for n in range(100)], ""),
        (SENTENCES[:99], ""),
        (SENTENCES[:79] + ["x"] * 21, ""),
        (list(range(100)), ""),
        ([20260101] * 100, ""),
        (["20260131"] * 100, '"%Y%m%d"'),
        (["99999999"] * 100, ""),
    ],
)
def test_domains(values, expected):
    found = domain(pa.array(values))
    assert expected in found
    assert bool(found) == bool(expected)


def test_nothing_is_said_where_it_is_not_asked():
    (data,) = statistics_of([batch_of(a=SENTENCES)]).datasets
    assert not data.features[0].custom_stats


def png(width, height):
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + b"\x00" * 9


def test_images():
    found = custom(pa.array([png(10, n) for n in range(1, 91)] + [b"none"] * 10, pa.binary()))
    assert found["domain_info"].str == "image_domain {}"
    ranks = found["image_format_histogram"].rank_histogram.buckets
    assert [(bucket.label, bucket.sample_count) for bucket in ranks] == [
        ("png", 90),
        ("UNKNOWN", 10),
    ]
    assert (found["image_max_width"].num, found["image_max_height"].num) == (10, 90)


def test_parts_merged_by_way_of_a_file():
    def collected(numbers):
        collector = Collector(OPTIONS)
        collector.add(batch_of(a=pa.array([png(n, 1) for n in numbers], pa.binary())))
        return state.from_batches(state.to_batches(collector.slices()))

    made = merged([collected(range(60)), collected(range(60, 120))])
    (data,) = described(made, OPTIONS).datasets
    found = {each.name: each for each in data.features[0].custom_stats}
    assert found["domain_info"].str == "image_domain {}"
    assert found["image_max_width"].num == 119


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("image1.gif", Image("gif", 51, 26)),
        ("image2.png", Image("png", 51, 26)),
        ("image3.bmp", Image("bmp", 51, 26)),
        ("image4.png", Image("png", 51, 26)),
        ("image5.jpg", Image("jpeg", 284, 178)),
        ("image6.jpg", Image("jpeg", 300, 300)),
        ("not_a_image.abc", None),
    ],
)
def test_real_images(name, expected):
    assert image_size(shared_data("tfdv_images", name).read_bytes()[:4096]) == expected


@pytest.mark.parametrize("form", ["VP8 ", "VP8L", "VP8X"])
def test_webp(form):
    bodies = {
        "VP8 ": b"\x00" * 10 + struct.pack("<HH", 640, 480),
        "VP8L": b"\x00" * 5 + struct.pack("<I", 639 | 479 << 14),
        "VP8X": b"\x00" * 8 + (639).to_bytes(3, "little") + (479).to_bytes(3, "little"),
    }
    head = b"RIFF\x00\x00\x00\x00WEBP" + form.encode() + bodies[form] + b"\x00" * 8
    assert image_size(head) == Image("webp", 640, 480)


def test_headers_cut_short_tell_no_size():
    whole = {b"\x89PNG\r\n\x1a\n": 24, b"GIF89a": 10, b"\xff\xd8\xff\xe0\x00\x10": 9}
    for head, length in whole.items():
        for cut in range(len(head), length):
            found = image_size(head.ljust(cut, b"\x00"))
            assert found is not None
            assert (found.width, found.height) == (0, 0)


def test_noise_is_no_image():
    draw = np.random.default_rng(5)
    stream = io.BytesIO(draw.bytes(64_000))
    assert not any(image_size(stream.read(64)) for _ in range(1000))
