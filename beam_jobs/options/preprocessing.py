"""The options of the job that makes features: rows, the ways to a transform graph, splits."""

from dataclasses import dataclass

from beam_jobs.options.declare import option
from beam_jobs.options.rows import FileInput


@dataclass(frozen=True, kw_only=True)
class PreprocessingOptions(FileInput):
    """Which rows are analyzed and transformed, how, and into which splits."""

    output: str = option(
        "A folder for transform_graph/ and the splits: of Parquet, or with ?format=tfrecord of "
        "tf.Examples. Nothing appears there before the job is done.",
        kind="GCS_WRITE_FOLDER",
        metavar="URI",
        group="Data",
    )
    schema: str | None = option(
        "A schema.pbtxt of the raw columns: which the function is given, and as which tensors. "
        "Steps do without: any value may then be missing. A transform graph has its own.",
        kind="GCS_READ_FILE",
        default=None,
        metavar="URI",
        group="Preprocessing",
    )
    preprocessing_fn: str | None = option(
        "The function: features.py, features.py:name, package.module or package.module:name; it is "
        "called preprocessing_fn unless named. A file travels to the workers.",
        default=None,
        metavar="FILE_OR_MODULE[:NAME]",
        group="Preprocessing",
    )
    steps: str | None = option(
        "Declared steps in place of a function: a YAML file, see docs/preprocessing_steps.md.",
        kind="GCS_READ_FILE",
        default=None,
        metavar="FILE.yaml",
        group="Preprocessing",
    )
    transform_graph: str | None = option(
        "Apply this graph, of an earlier run, of TFX or of tf.Transform, instead of analyzing.",
        kind="GCS_READ_FOLDER",
        default=None,
        metavar="URI",
        group="Preprocessing",
    )
    trust_graph: bool = option(
        "Apply a transform graph that reads or writes files, or runs Python code: it can do what "
        "you can, so trust who made it. By default such a graph is refused, with the names of its "
        "operations.",
        default=False,
        group="Preprocessing",
    )
    analyze_only: bool = option(
        "Write the transform graph and no features.", default=False, group="Preprocessing"
    )
    cache: str | None = option(
        "A folder that keeps what was learned of each span of --input, {SPAN} or {YYYY}-{MM}-{DD}: "
        "a new one is read, the others are not. It says before the run what an edit discards.",
        kind="GCS_WRITE_FOLDER",
        default=None,
        metavar="URI",
        group="Preprocessing",
    )
    spans: str = option(
        "Which spans of --input: all, or last:30 for a window that moves on.",
        default="all",
        metavar="all|last:N",
        group="Data",
    )
    splits: str = option(
        "The parts of the data, and how many of all buckets each has. The first is analyzed.",
        default="train:2,eval:1",
        metavar="NAME:N,...",
        group="Data",
    )
    split_key: tuple[str, ...] = option(
        "Columns whose rows stay together in one split; by default rows that are equal do.",
        default=(),
        metavar="COLUMNS",
        group="Data",
    )
