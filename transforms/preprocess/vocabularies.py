"""Whether the vocabularies of a transform graph fit into memory, asked before they fill it."""

from pathlib import Path

from transforms.errors import ConfigError
from transforms.memory import free_memory

ENTRY_BYTES = 80
"""Of an entry in TensorFlow's table, besides its text: measured, 75 for a million short ones."""

_BLOCK = 1 << 24


def check_vocabularies(path: str) -> None:
    """Checks that the vocabularies of a SavedModel fit into the memory that is free.

    Without this the process would be killed while it loads them, and nobody would say why.

    Args:
      path: A local SavedModel.

    Raises:
      ConfigError: They don't. The text names the largest, and the ways out.
    """
    files = [file for file in (Path(path) / "assets").glob("**/*") if file.is_file()]
    free = free_memory()
    if free is None or sum(file.stat().st_size for file in files) * (1 + ENTRY_BYTES) < free:
        return
    needed = {file: _needed(file) for file in files}
    if sum(needed.values()) <= free:
        return
    largest = max(needed, key=lambda file: needed[file])
    raise ConfigError(
        f"transform graph {path}: its vocabularies take about {sum(needed.values()) / 1e9:.1f} GB "
        f"of memory, and {free / 1e9:.1f} GB are free. The largest is {largest.name!r} with "
        f"{_lines(largest):,} entries: keep the frequent ones by top_k= or frequency_threshold= "
        "of its analyzer, or use tf.strings.to_hash_bucket_fast, which needs none; or take a "
        "machine with more memory"
    )


def _needed(file: Path) -> int:
    return file.stat().st_size + ENTRY_BYTES * _lines(file)


def _lines(file: Path) -> int:
    with file.open("rb") as stream:
        return sum(block.count(b"\n") for block in iter(lambda: stream.read(_BLOCK), b""))
