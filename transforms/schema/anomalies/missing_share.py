"""How far the share of rows without a value is from that of the span before, or of serving data.

The distances of comparators are of values, as TFDV has them: a column that loses half its values
evenly is as far from itself as before. So each distance that a comparator asks for is measured a
second time over two cells: the rows that lack the column, and those that have it.
"""

from collections.abc import Iterator

import numpy as np

from transforms.distances.divergences import Cells
from transforms.metadata.columns import Column
from transforms.metadata.protos import schema_pb2
from transforms.schema.anomalies.anomaly import Anomaly, ColumnContext, Control, Draft, Mend
from transforms.schema.anomalies.comparators import DISTANCES, controls
from transforms.schema.anomalies.measured import Measured
from transforms.words import number, part_of_rows

BEGINS = "It is missing in "
"""How the sentence about a missing share begins, which holds no value of a row."""
_CELL = "rows without it"


def measure_missing(feature: schema_pb2.Feature, context: ColumnContext) -> list[Measured]:
    """Returns the distances of missing shares that a feature's comparators ask for.

    There is none where the other data has no row with the column: that is another anomaly.
    """
    found = []
    for comparator, control in controls(feature, context):
        cells = _cells(context.column, control)
        asked = getattr(feature, comparator)
        wanted = [each for each in DISTANCES if asked.HasField(each.field)]
        if cells is None:
            continue
        for each in wanted:
            bound = getattr(asked, each.field)
            threshold = bound.threshold if bound.HasField("threshold") else None
            between = f"{control.current} and {control.name}"
            value = each.of(cells)
            shares = float(cells.current[0]), float(cells.control[0])
            found.append(Measured(comparator, each, value, threshold, between, _CELL, shares))
    return found


def missing_share_exceeded(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Finds missing shares that are further apart than the threshold of a distance."""
    for found in draft.missing:
        if found.threshold is None or found.value <= found.threshold or found.missing is None:
            continue
        current, control = found.between.split(" and ")
        shares = map(part_of_rows, found.missing)
        text = (
            f"{BEGINS}{next(shares)} of the {current} rows and in {next(shares)} of the "
            f"{control} rows; by this distance they are {number(found.value)} apart, above "
            f"{number(found.threshold)}."
        )
        short = f"{found.distance.short} of the missing share between {found.between}"
        yield Anomaly(found.distance.kind, short, text, _accept(found))


def _cells(current: Column, control: Control) -> Cells | None:
    ours, theirs = _share(current), None if control.column is None else _share(control.column)
    if ours is None or theirs is None or theirs == 1:
        return None
    # As shares: how many rows there are has a comparator of its own.
    current_shares, control_shares = (np.array([share, 1 - share]) for share in (ours, theirs))
    return Cells([_CELL, "rows with it"], current_shares, control_shares)


def _share(column: Column) -> float | None:
    """Returns the share of rows without the column; None if no row could have it."""
    rows = column.missing + column.present
    return column.missing / rows if rows > 0 else None


def _accept(found: Measured) -> Mend:
    def mend(draft: Draft) -> None:
        bound = getattr(getattr(draft.feature, found.comparator), found.distance.field)
        # The distance of the values may have raised it already.
        bound.threshold = max(bound.threshold, found.value)

    return mend
