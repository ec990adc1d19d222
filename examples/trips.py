"""A seeded generator of taxi trips, with rows planted that no job can score."""

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

COLUMNS = (
    "trip_id",
    "pickup_at",
    "pickup_area",
    "hour",
    "miles",
    "seconds",
    "fare",
    "payment",
    "company",
    "note",
)

PAYMENTS = np.array(["Cash", "Credit Card", "Mobile", "Prepaid", "Dispute"])
COMPANIES = np.array(["Blue Diamond", "Chicago Elite", "Flash Cab", "Sun Taxi", "Top Cab"])
NOTES = np.array(
    [
        "",
        "airport",
        "two stops, one bag",
        'driver said "hello"',
        "left a glove\nsecond line of the note",
        "Grüße aus Köln",
        "東京から",
    ]
)


@dataclass(frozen=True)
class Planted:
    """How many bad rows of each kind, in 10,000."""

    ragged_line: int = 6
    unparsable: int = 10
    missing_value: int = 4
    model_error: int = 3
    invalid_utf8: int = 2


def trips(rows: int, seed: int) -> pa.Table:
    """Good trips, with the tip that was paid.

    Args:
      rows: How many.
      seed: Equal seeds give equal trips.

    Returns: The columns of `COLUMNS`, and `tip` (dollars). The area is sometimes null.
    """
    draw = np.random.default_rng(seed)
    start = np.datetime64("2026-01-01T00:00:00") + draw.integers(0, 31_536_000, rows)
    miles = np.round(draw.gamma(1.5, 2.2, rows), 2)
    seconds = np.round(miles * draw.normal(210, 40, rows).clip(90) + 120)
    fare = np.round(3.25 + 2.25 * miles + 0.004 * seconds, 2)
    payment = draw.choice(len(PAYMENTS), rows, p=[0.42, 0.38, 0.12, 0.06, 0.02])
    hour = start.astype("datetime64[h]").astype(int) % 24
    rate = np.where(payment == 0, 0.01, 0.16 + 0.05 * (hour >= 18)) * draw.normal(1, 0.3, rows)
    columns = {
        "trip_id": np.arange(rows) + seed * 10_000_000,
        "pickup_at": pa.array(start.astype("datetime64[s]")),
        "pickup_area": pa.array(draw.integers(1, 78, rows), mask=draw.random(rows) < 0.03),
        "hour": hour,
        "miles": miles,
        "seconds": seconds,
        "fare": fare,
        "payment": PAYMENTS[payment],
        "company": COMPANIES[draw.integers(0, 5, rows)],
        "note": NOTES[draw.choice(len(NOTES), rows, p=[0.7, 0.1, 0.05, 0.05, 0.04, 0.03, 0.03])],
        "tip": np.round((fare * rate).clip(0), 2),
    }
    return pa.table(columns)


def write_csv(path: Path, rows: int, seed: int, planted: Planted | None = None) -> Counter[str]:
    """Writes trips as a CSV file, some of them spoilt.

    Args:
      path: The file.
      rows: How many, bad ones included.
      seed: Equal seeds give equal files.
      planted: Which faults, and how many.

    Returns: How many rows a scoring job must reject, by reason.
    """
    draw = np.random.default_rng(seed + 1)
    lines = [line.encode() for line in _lines(trips(rows, seed)).to_pylist()]
    faults = vars(planted or Planted())
    counts = {reason: max(1, rows * share // 10_000) for reason, share in faults.items()}
    victims = iter(draw.choice(rows, sum(counts.values()), replace=False))
    for reason, number in counts.items():
        for _ in range(number):
            row = int(next(victims))
            lines[row] = _spoilt(reason, row)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(",".join(COLUMNS).encode() + b"\n" + b"\n".join(lines) + b"\n")
    return Counter(counts)


def _lines(table: pa.Table) -> pa.Array:
    """Each row as a line of CSV; the text is quoted."""
    texts = [table[name].cast(pa.string()) for name in COLUMNS[:-1]]
    texts = [pc.fill_null(text, "") for text in texts]
    doubled = pc.replace_substring(table["note"], '"', '""')
    note = pc.binary_join_element_wise('"', doubled, '"', "")
    return pc.binary_join_element_wise(*texts, note, ",").combine_chunks()


def _spoilt(reason: str, row: int) -> bytes:
    """A line with one fault."""
    trip_id = str(90_000_000 + row).encode()
    start, end = b"2026-02-03 04:05:06,8,", b',Cash,Sun Taxi,"airport"'
    return (
        trip_id
        + b","
        + start
        + {
            "ragged_line": b"4,1.2,300,7.15,Cash",
            "unparsable": b"4,1.2,300,seven" + end,
            "missing_value": b"4,,300,7.15" + end,
            "model_error": b"31,1.2,300,7.15" + end,
            "invalid_utf8": b'4,1.2,300,7.15,Cash,Sun Taxi,"caf\xe9"',
        }[reason]
    )


def main() -> None:
    """Writes good trips, with their tips, as a CSV file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=7, help="equal seeds give equal trips")
    given = parser.parse_args()
    given.path.parent.mkdir(parents=True, exist_ok=True)
    csv.write_csv(trips(given.rows, given.seed), given.path)
    print(f"{given.path}: {given.rows:,} trips")


if __name__ == "__main__":
    main()
