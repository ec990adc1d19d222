"""Redaction: the local engine against Presidio, on made-up rows: python -m benchmarks.redact.

Presidio runs in an environment of its own, which is made at the first time, with its six pattern
recognisers and no model of a language, on a sample of the rows.
"""

import argparse
import functools
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

import pyarrow as pa

from benchmarks.redact_rows import made_rows
from privacy import Policy, Redact, policy_of
from privacy.detectors.table import DETECTORS

ROWS, SAMPLE, BATCH = 1_000_000, 3_000, 65_536
SIX = (
    "EMAIL_ADDRESS PHONE_NUMBER CREDIT_CARD_NUMBER US_SOCIAL_SECURITY_NUMBER IP_ADDRESS IBAN_CODE"
).split()
HOME = pathlib.Path.home() / ".cache" / "millrace" / "presidio"
PACKAGES = ("presidio-analyzer==2.2.*", "presidio-anonymizer==2.2.*", "phonenumbers")


def the_policy(names: Sequence[str]) -> Policy:
    """Returns a policy that replaces all that is found of some infoTypes."""
    replaced = {"primitive_transformation": {"replace_with_info_type_config": {}}}
    return policy_of(
        {
            "inspect_config": {"info_types": [{"name": name} for name in names]},
            "deidentify_config": {"info_type_transformations": {"transformations": [replaced]}},
        }
    )


def redacted_per_second(column: pa.Array, names: Sequence[str] = SIX) -> float:
    """Returns how many rows a second of CPU time the engine redacts."""
    from privacy.local.redact import redact_batch

    policy, batch = the_policy(names), pa.record_batch({"text": column})
    redact_batch(batch.slice(0, 1000), policy)
    start = time.process_time()
    for first in range(0, len(batch), BATCH):
        redact_batch(batch.slice(first, BATCH), policy)
    return len(batch) / (time.process_time() - start)


def piped_per_second(column: pa.Array) -> float:
    """Returns how many rows a second of CPU time a pipeline of this process redacts.

    It reads batches that lie in memory, as they are, and counts what comes out.
    """
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    batch, policy = pa.record_batch({"text": column}), the_policy(SIX)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "rows.arrow"
        with pa.ipc.new_file(path, batch.schema) as file:
            for first in range(0, len(batch), BATCH):
                file.write_batch(batch.slice(first, BATCH))
        start = time.process_time()
        with beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([])) as root:
            numbers = root | beam.Create(range(-(-len(batch) // BATCH)), reshuffle=False)
            given = numbers | beam.Map(functools.partial(_part, path=str(path)))
            given.element_type = pa.RecordBatch
            _ = given | Redact(policy) | "Count" >> beam.Map(lambda rows: rows.num_rows)
        return len(batch) / (time.process_time() - start)


def _part(number: int, path: str) -> pa.RecordBatch:
    return pa.ipc.open_file(pa.memory_map(path)).get_batch(number)


def presidio_per_second(texts: list[str]) -> float:
    """Returns how many rows a second of CPU time Presidio analyses and anonymises."""
    python = HOME / "bin" / "python"
    if not python.exists():
        uv = pathlib.Path(sys.executable).parent / "uv"
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, HOME], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", python, *PACKAGES], check=True)
    program = pathlib.Path(__file__).parent / "peers" / "presidio_rows.py"
    done = subprocess.run(
        [python, program], input=json.dumps(texts), capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    """Prints rows a second, and the ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no_presidio", action="store_true")
    options = parser.parse_args()
    rows = made_rows(options.rows, random.Random(7))
    column = pa.array(rows)
    clean = pa.array(made_rows(options.rows, random.Random(8), personal=0, decoys=0))
    ours, every, tidy, piped, theirs = [], [], [], [], []
    piped_per_second(column.slice(0, 1_000))  # Imports are not part of it.
    for _ in range(options.repeats):
        ours.append(redacted_per_second(column))
        every.append(redacted_per_second(column, sorted(DETECTORS)))
        tidy.append(redacted_per_second(clean))
        piped.append(piped_per_second(column))
        if not options.no_presidio:
            theirs.append(presidio_per_second(rows[:SAMPLE]))
    mine = statistics.median(ours)
    size = sum(map(len, rows)) / len(rows)
    print(f"rows of {size:.0f} bytes: {mine:,.0f} rows/s, {mine * size / 1e6:.1f} MB/s")
    rate = statistics.median(every)
    print(f"with all {len(DETECTORS)} detectors: {rate:,.0f} rows/s, {rate * size / 1e6:.1f} MB/s")
    rate = statistics.median(piped)
    print(f"in a pipeline: {rate:,.0f} rows/s, {rate / mine:.0%} of the bare engine")
    print(f"rows without anything: {statistics.median(tidy):,.0f} rows/s")
    if theirs:
        peer = statistics.median(theirs)
        print(f"Presidio: {peer:,.0f} rows/s; ratio {mine / peer:,.0f}")


if __name__ == "__main__":
    main()
