"""The options of jobs that call a model: which one, how columns feed it, and what it runs on."""

from dataclasses import dataclass

from beam_jobs.options.declare import ColumnMap, JobOptions, Seconds, option

GROUP = "Model"


@dataclass(frozen=True, kw_only=True)
class ModelOptions(JobOptions):
    """A model, the columns that feed it, and its limits."""

    model: str = option(
        "A SavedModel folder or a .keras file, local or gs://.",
        kind="GCS_READ_FOLDER",
        metavar="URI",
        group=GROUP,
    )
    transform_graph: str | None = option(
        "A transform graph, as the preprocess job, TFX and tf.Transform write it: it makes what "
        "the model takes of raw columns, in the same call. --map then names features of it, or "
        "raw columns.",
        kind="GCS_READ_FOLDER",
        default=None,
        metavar="URI",
        group=GROUP,
    )
    signature: str | None = option(
        "The SavedModel's signature; serving_default, or the only one there is.",
        default=None,
        metavar="NAME",
        group=GROUP,
    )
    map: ColumnMap = option(
        "Columns of the model's inputs that bear another name: input=column; several columns are "
        "stacked into a vector: input=c0,c1,c2, or input=f* for f0, f1, ... f10, in that order.",
        default=(),
        metavar="INPUT=COLUMN",
        group=GROUP,
    )
    output_prefix: str = option(
        "Put before the names of the model's outputs.", default="", metavar="TEXT", group=GROUP
    )
    trust_model: bool = option(
        "Run a model that reads or writes files, or runs Python code: it can do what you can, so "
        "trust who made it. By default such a model is refused, with the names of its operations.",
        default=False,
        group=GROUP,
    )
    model_timeout: Seconds = option(
        "The run fails if a call of the model takes longer.",
        default=3600.0,
        minimum=0.001,
        group=GROUP,
    )
    batch_rows: int = option(
        "Most rows that the model is given at once.",
        default=8192,
        minimum=1,
        metavar="N",
        group=GROUP,
    )
    gpu: str | None = option(
        "GPUs of each worker: nvidia-l4:1, say. On Dataflow --machine_type must be one that has "
        "them. A run where TensorFlow doesn't see them fails at once, here and there. "
        ":single, :shared or :mps may follow, by which one process has a machine's model, one of "
        "several has it for all, or each has one, side by side on one GPU.",
        default=None,
        regex="[a-z0-9-]+:[0-9]+(:[a-z]+)?",
        metavar="TYPE:COUNT[:TOPOLOGY]",
        group=GROUP,
        label="GPU",
    )
    jit: bool = option(
        "Have XLA compile the model, once for each size that rows are padded to. Calls are faster, "
        "but the first ones come later; models that take texts can't be compiled.",
        default=False,
        group=GROUP,
    )
    precision: str = option(
        "In which numbers a SavedModel multiplies matrices. What it takes, adds up and gives stays "
        "in float32; predictions differ in the third digit or so.",
        default="float32",
        choices=("float32", "bfloat16", "float16"),
        group=GROUP,
    )
    calls_ahead: int = option(
        "On a GPU: how many calls wait for it, decoded and copied to its memory.",
        default=2,
        minimum=1,
        metavar="N",
        group=GROUP,
    )
