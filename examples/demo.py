"""The demo: makes 200,000 trips, trains a small model on others, and scores them."""

import argparse
import json
import shlex
import sys
import time
from collections import Counter
from pathlib import Path

from beam_jobs.running.logs import filter_native, quiet_libraries
from beam_jobs.score import main as score
from examples.trips import write_csv


def demo(folder: Path, rows: int) -> int:
    """Runs it.

    Args:
      folder: Where everything goes.
      rows: How many trips to score.

    Returns: The exit code: 0 if every row was scored or rejected for the reason planted in it.
    """
    trips, model, output = folder / "trips.csv", folder / "model", folder / "scored"
    planted = _made(trips, model, rows)
    argv = ["--input", str(trips), "--model", str(model), "--output", f"{output}/", "--overwrite"]
    _say(f"$ python -m beam_jobs.score {shlex.join(argv)}\n")
    if code := score(argv):
        return code
    found = _rejected(Path(f"{output}.dead_letters"))
    _say(f"\nLook at it:  python -m beam_jobs.score --input '{trips}' --model '{model}' --limit 10 "
         "--output stdout:")  # fmt: skip
    _say(f"Rejected:    head -1 {output}.dead_letters/part-00000-*.jsonl")
    if found != planted:
        _say(f"the dead letters {dict(found)} are not the rows planted: {dict(planted)}")
        return 1
    return 0


def _made(trips: Path, model: Path, rows: int) -> Counter[str]:
    start = time.perf_counter()
    planted = write_csv(trips, rows, seed=1)
    _say(f"Made {rows:,} trips, {planted.total()} of them spoilt ({_since(start)}).")
    if not model.exists():
        start = time.perf_counter()
        from examples.train import train

        train(model)
        _say(f"Trained the model on 40,000 others ({_since(start)}).")
    return planted


def _rejected(folder: Path) -> Counter[str]:
    lines = (line for path in folder.glob("part-*.jsonl") for line in path.read_text().splitlines())
    return Counter(json.loads(line)["reason"] for line in lines)


def _since(start: float) -> str:
    return f"{time.perf_counter() - start:.1f} s"


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, default=Path("demo"))
    given = parser.parse_args()
    quiet_libraries()
    filter_native()
    sys.exit(demo(given.folder, given.rows))
