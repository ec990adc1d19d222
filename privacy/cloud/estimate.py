"""What a run through Cloud DLP would take, without asking it: requests, bytes and a price."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from privacy.cloud.cells import row_sizes
from privacy.cloud.cutting import cut_rows
from privacy.cloud.settings import CloudPolicy

GIB = 1 << 30
FREE, FIRST = GIB, 1 << 40
INSPECTED, INSPECTED_MORE = 3.0, 2.0
TRANSFORMED, TRANSFORMED_MORE = 2.0, 1.0
"""Dollars a GiB, the first TiB and beyond, as last known: look at Google's list of prices."""
MIN_BILLED = 1_024
_NUMBER, _CONFIG = 7, 512


@dataclass(frozen=True)
class Estimate:
    """What it would take.

    Args:
      requests: How many, if none has to be split.
      bytes: That are sent, or billed where a request has less than 1 KB.
      dollars: The most that is billed: everything inspected and transformed.
    """

    requests: int
    bytes: int
    dollars: float


def estimate(policy: CloudPolicy, batches: Sequence[pa.RecordBatch]) -> Estimate:
    """Returns what redacting batches of one schema would take."""
    rows = sum(batch.num_rows for batch in batches)
    if not rows:
        return Estimate(0, 0, 0.0)
    table = pa.Table.from_batches(batches).select(policy.columns).combine_chunks()
    sizes = row_sizes([column.chunk(0) for column in table.columns]) + _NUMBER
    overhead = len(policy.inspect_bytes) + len(policy.deidentify_bytes) + _CONFIG
    cuts = cut_rows(sizes, len(policy.columns) + 1, overhead, 0, policy.limits)
    each = [max(MIN_BILLED, int(sizes[start:stop].sum()) + overhead) for start, stop in cuts]
    return Estimate(len(cuts), sum(each), round(price(sum(each)), 2))


def price(size: int) -> float:
    """Returns the dollars for so many bytes, inspected and transformed, the free GiB apart."""
    billed = max(0, size - FREE)
    first, more = min(billed, FIRST) / GIB, max(0, billed - FIRST) / GIB
    return first * (INSPECTED + TRANSFORMED) + more * (INSPECTED_MORE + TRANSFORMED_MORE)
