"""Pseudonyms of a column against one value at a time: python -m benchmarks.crypto.

1,000,000 different texts of 16 digits; CPU time of the process on one core, medians of interleaved
repeats. The baselines: FF1 a text at a time in Python over the same AES; HMAC by the standard
library's one call; AES-SIV by the library's call and base64 of each text. All give the same bytes.
"""

import argparse
import base64
import hashlib
import hmac as standard
import statistics
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from privacy.crypto import ff1, hmac, siv
from privacy.crypto.alphabets import ALPHABETS
from privacy.crypto.feistel import ROUNDS

KEY, LONG_KEY = bytes(range(32)), bytes(range(64))
NUMERIC = ALPHABETS["NUMERIC"]
SLOW_ROWS = 2_000
"""How many of the texts FF1 takes one at a time."""


def slow_ff1(text: str, cipher: Any) -> str:
    """FF1 of a text of 16 digits with an empty tweak, with Python's integers."""
    half, modulus = len(text) // 2, 10 ** (len(text) // 2)
    first = cipher.update(bytes([1, 2, 1, 0, 0, 10, 10, half, 0, 0, 0, len(text), 0, 0, 0, 0]))
    left, right = int(text[:half]), int(text[half:])
    for i in range(ROUNDS):
        block = (i << 32 | right).to_bytes(16)
        made = cipher.update(bytes(a ^ b for a, b in zip(first, block, strict=True)))
        left, right = right, (left + int.from_bytes(made[:8])) % modulus
    return f"{left:0{half}d}{right:0{half}d}"


def measured(run: Callable[[], Any], rows: int) -> float:
    """Returns the rows a second of CPU time."""
    start = time.process_time()
    run()
    return rows / (time.process_time() - start)


def contestants(values: pa.Array, texts: list[str]) -> dict[str, tuple[Callable[[], Any], int]]:
    """Returns what is measured, by name, each with its count of rows."""
    rows, cipher = len(values), Cipher(algorithms.AES(KEY), modes.ECB()).encryptor()
    tokens, _ = siv.encrypt(values, LONG_KEY)
    context = pa.array([f"c{i % 1000}" for i in range(rows)])
    seal = AESSIV(LONG_KEY).encrypt
    few = texts[:SLOW_ROWS]
    return {
        "FF1": (lambda: ff1.encrypt(values, KEY, None, NUMERIC), rows),
        "FF1 back": (lambda: ff1.decrypt(values, KEY, None, NUMERIC), rows),
        "FF1 one by one": (lambda: [slow_ff1(x, cipher) for x in few], len(few)),
        "AES-SIV": (lambda: siv.encrypt(values, LONG_KEY), rows),
        "AES-SIV, contexts": (lambda: siv.encrypt(values, LONG_KEY, context), rows),
        "AES-SIV back": (lambda: siv.decrypt(tokens, LONG_KEY), rows),
        "AES-SIV one by one": (
            lambda: pa.array([base64.b64encode(b"M" + seal(x.encode(), None)) for x in texts]),
            rows,
        ),
        "HMAC": (lambda: hmac.digest(values, KEY), rows),
        "HMAC one by one": (
            lambda: pa.array(
                [base64.b64encode(standard.digest(KEY, x.encode(), hashlib.sha256)) for x in texts]
            ),
            rows,
        ),
    }


def check(values: pa.Array, texts: list[str]) -> None:
    """Raises where a column and its values one by one do not give the same."""
    cipher = Cipher(algorithms.AES(KEY), modes.ECB()).encryptor()
    made, _ = ff1.encrypt(values.slice(0, 100), KEY, None, NUMERIC)
    assert made.to_pylist() == [slow_ff1(x, cipher) for x in texts[:100]]


def main() -> None:
    """Prints rows a second and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    texts = [f"{i * 7919:016d}" for i in range(options.rows)]
    values = pa.array(texts)
    check(values, texts)
    runs = contestants(values, texts)
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(options.repeats):
        for name, (run, rows) in runs.items():
            rates[name].append(measured(run, rows))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    for name, rate in medians.items():
        base = medians.get(f"{name.split()[0].rstrip(',')} one by one", rate)
        print(f"{name:20} {rate:>12,.0f} values/s  {rate / base:8.1f}x")


if __name__ == "__main__":
    main()
