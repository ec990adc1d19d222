"""A job's options, declared once: they give its command line, its Flex Template and its docs.

Only the standard library is imported here, so that `--help` and usage errors come at once.
"""

import dataclasses
import types
import typing
from collections.abc import Sequence
from dataclasses import MISSING, dataclass
from typing import Annotated, Any

ColumnMap = tuple[tuple[str, tuple[str, ...]], ...]
"""The type of an option such as `--map feature=column;other=c0,c1`: (feature, columns) pairs."""
Seconds = Annotated[float, "seconds"]
"""The type of an option such as `--window 1h`: a number of seconds, or of another unit."""


@dataclass(frozen=True)
class Declared:
    """An option, as its field in the dataclass declares it.

    Attributes:
      name: Without dashes.
      type: `str`, `int`, `float`, `Seconds`, `bool`, `tuple[str, ...]` or `ColumnMap`.
      default: Its default, or MISSING where it is required.
      help: What it does, in a sentence or two.
      kind: The Flex Template's paramType.
      choices: The texts allowed.
      regex: What its text must match as a whole; POSIX, for Dataflow checks it too.
      group: Its heading in `--help` and in Dataflow's console.
      label: Its title in Dataflow's console.
      metavar: What stands for its value in `--help`.
      minimum: The smallest number allowed.
      maximum: The largest number allowed.
      in_template: Whether the Flex Template has it.
      messages: Whether it may also be the URI of messages or of a table, where its kind says files.
      tables: Whether it may also be the URI of a table alone.
      parent: Another option and its values with which this one has a meaning; None for any.
    """

    name: str
    type: Any
    default: Any
    help: str
    kind: str
    choices: tuple[str, ...] = ()
    regex: str | None = None
    group: str = "Options"
    label: str = ""
    metavar: str = ""
    minimum: float | None = None
    maximum: float | None = None
    in_template: bool = True
    messages: bool = False
    tables: bool = False
    parent: tuple[str, tuple[str, ...]] | None = None

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is MISSING

    @property
    def flag(self) -> str:
        """As it is typed."""
        return f"--{self.name}"

    @property
    def repeated(self) -> bool:
        """Whether it takes several values."""
        return self.type in (tuple[str, ...], ColumnMap)


def option(
    help: str,
    *,
    kind: str = "",
    default: Any = MISSING,
    choices: Sequence[str] = (),
    regex: str | None = None,
    group: str = "Options",
    label: str = "",
    metavar: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    in_template: bool = True,
    messages: bool = False,
    tables: bool = False,
    parent: tuple[str, tuple[str, ...]] | None = None,
) -> Any:
    """Declares an option: a field of a frozen dataclass that extends `JobOptions`.

    Args:
      help: What it does, in a sentence or two.
      kind: The Flex Template's paramType: GCS_READ_FOLDER, say. By default it follows from the
        type: BOOLEAN, NUMBER, ENUM or TEXT.
      default: Its default; without one the option is required.
      choices: The texts allowed.
      regex: A pattern that its whole text must match, in POSIX's extended syntax.
      group: Its heading in `--help`.
      label: Its title in Dataflow's console; by default made of its name.
      metavar: What stands for its value in `--help`.
      minimum: The smallest number allowed.
      maximum: The largest number allowed.
      in_template: Whether the Flex Template has it.
      messages: Whether it may also be the URI of messages or of a table, where `kind` says files.
      tables: Whether it may also be the URI of a table alone.
      parent: Another option and its values with which this one has a meaning: Dataflow's console
        shows it only then.
    """
    details = {
        "help": help,
        "kind": kind,
        "choices": tuple(choices),
        "regex": regex,
        "group": group,
        "label": label,
        "metavar": metavar,
        "minimum": minimum,
        "maximum": maximum,
        "in_template": in_template,
        "messages": messages,
        "tables": tables,
        "parent": parent,
    }
    return dataclasses.field(default=default, metadata={"option": details})


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """The options that every job has.

    Attributes:
      letters_beside: The ending of the folder of dead letters beside the output.
      in_place: Whether a job may put its output in the place of its input.
    """

    letters_beside: typing.ClassVar[str] = "dead_letters"
    in_place: typing.ClassVar[bool] = False

    options_file: str | None = option(
        "A .json, .toml or .yaml file of options, by their names. The command line overrides it.",
        kind="GCS_READ_FILE",
        default=None,
        group="Run",
        metavar="FILE",
    )
    limit: int | None = option(
        "Read only the first N rows of files, in order, to try a job.",
        default=None,
        minimum=1,
        group="Run",
        metavar="N",
    )
    run_id: str | None = option(
        "Name of this run, in the manifest and the dead letters; by default made of the time. "
        "If a run of this name was committed before, another launch changes nothing.",
        default=None,
        regex="[A-Za-z0-9][A-Za-z0-9._-]{0,99}",
        group="Run",
        metavar="NAME",
    )
    overwrite: bool = option("Replace outputs that exist.", default=False, group="Run")
    dry_run: bool = option(
        "Show the pipeline's steps, what they need of workers, and all options, and start nothing. "
        "With --runner=DataflowRunner they are shown as Dataflow would get them.",
        default=False,
        group="Run",
        in_template=False,
    )
    wait: bool = option(
        "Wait until a remote job ends, and fail if it fails. Local runs always wait.",
        default=False,
        group="Run",
        in_template=False,
    )
    profile: str | None = option(
        "local: use emulators on this machine for gs:// and pubsub://, without credentials, and "
        "refuse any other endpoint. STORAGE_EMULATOR_HOST and PUBSUB_EMULATOR_HOST name them; the "
        "default is their usual ports (9023, 8085). DLP_EMULATOR_HOST (8086) is for policies "
        "with engine: cloud.",
        default=None,
        choices=("local",),
        group="Run",
        in_template=False,
    )
    dead_letters: str | None = option(
        "Folder or file for rejected rows, with the reason for each; JSON Lines unless its name "
        "has another suffix. By default OUTPUT.dead_letters/, beside the output. Or a table, to "
        "whose rows they are added: bq://PROJECT.DATASET.TABLE (not of messages).",
        kind="GCS_WRITE_FOLDER",
        tables=True,
        default=None,
        group="Dead letters",
        metavar="URI",
    )
    dead_letter_payload: str = option(
        "Keep the rejected row itself in its dead letter (full), or only why and where (none).",
        default="full",
        choices=("full", "none"),
        group="Dead letters",
    )
    max_rejected_fraction: float | None = option(
        "Publish nothing if more than this share of the rows is rejected; by default, if all "
        "rows are.",
        default=None,
        minimum=0.0,
        maximum=1.0,
        group="Dead letters",
        metavar="SHARE",
    )
    allow_unreadable_files: bool = option(
        "Publish the other rows even if an input file can't be read to its end.",
        default=False,
        group="Dead letters",
    )


def declared(kind: type[JobOptions]) -> tuple[Declared, ...]:
    """Returns the options of a job: its own first, then the options that every job has."""
    hints = typing.get_type_hints(kind, include_extras=True)
    found = []
    for field in dataclasses.fields(kind):
        details = dict(field.metadata["option"])
        plain = _without_none(hints[field.name])
        details["kind"] = details["kind"] or _kind_of(plain, details["choices"])
        details["label"] = details["label"] or field.name.replace("_", " ").capitalize()
        found.append(Declared(field.name, plain, field.default, **details))
    shared = {field.name for field in dataclasses.fields(JobOptions)}
    return tuple(sorted(found, key=lambda o: o.name in shared))


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (plain,) = [part for part in typing.get_args(hint) if part is not type(None)]
        return plain
    return hint


def _kind_of(plain: Any, choices: tuple[str, ...]) -> str:
    if choices:
        return "ENUM"
    return {bool: "BOOLEAN", int: "NUMBER", float: "NUMBER"}.get(plain, "TEXT")
