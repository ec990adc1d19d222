"""A job's command line: an argparse parser made of its options, with help that teaches."""

import argparse
import inspect
import sys
from collections.abc import Sequence
from dataclasses import MISSING
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import beam_jobs
from beam_jobs.options.declare import ColumnMap, Declared, JobOptions, Seconds, declared
from beam_jobs.options.durations import duration_text
from beam_jobs.options.values import convert
from transforms.errors import ConfigError

T = TypeVar("T", bound=JobOptions)

RUNNER_NOTE = """\
Every option of Beam's works too: --runner, --project, --region, --temp_location,
--direct_num_workers and so on; see `PipelineOptions` in Beam's documentation.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a gate said no and nothing was published, or a
validation found errors."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(message.removeprefix("argument "))


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=96)


def job_of(kind: type[JobOptions]) -> str:
    """Returns the job's name: the name of the module that declares its options."""
    module = sys.modules[kind.__module__]
    if kind.__module__ != "__main__":
        name = kind.__module__
    elif spec := getattr(module, "__spec__", None):
        name = spec.name
    else:
        name = Path(getattr(module, "__file__", None) or "job").stem
    return name.rpartition(".")[2]


def parse(kind: type[T], argv: Sequence[str] | None = None) -> tuple[T, list[str]]:
    """Reads a command line.

    Args:
      kind: The job's options.
      argv: The arguments; by default this process's.

    Returns: The options, and the arguments that are Beam's own.

    Raises:
      ConfigError: An unknown option, a missing one, or a value that won't do; the text names it.
      SystemExit: With 0, after `--help` was printed.
    """
    known = declared(kind)
    given, rest = parser(kind, known).parse_known_args(sys.argv[1:] if argv is None else argv)
    values = {o.name: _joined(o, v) for o in known if (v := getattr(given, o.name)) is not None}
    origins = dict.fromkeys(values, "")
    if path := values.get("options_file"):
        from beam_jobs.options.file import read_options

        if "profile" in values and "://" in path:
            raise ConfigError(
                f"--options_file: {path} would be read before --profile holds: keep the file here"
            )
        stored, flags = read_options(path, known)
        values = {**stored, **values}
        origins = {**dict.fromkeys(stored, path), **origins}
        rest = [*flags, *rest]
    if rest:
        from beam_jobs.options.beam import check

        rest = check(rest, [option.flag for option in known])
    missing = [o for o in known if o.required and o.name not in values]
    if missing:
        raise ConfigError(f"missing: {', '.join(o.flag for o in missing)}")
    wanted = [option for option in known if option.name in values]
    converted = {o.name: _checked(o, values[o.name], origins[o.name]) for o in wanted}
    return kind(**converted), rest


def _joined(option: Declared, value: Any) -> Any:
    """Returns values given several times on the command line as if they were given once."""
    if not option.repeated:
        return value
    return (";" if option.type == ColumnMap else ",").join(value)


def _checked(option: Declared, value: Any, origin: str) -> Any:
    try:
        return convert(option, value)
    except ConfigError as error:
        raise ConfigError(f"{origin}: {error}" if origin else str(error)) from None


def parser(kind: type[JobOptions], known: Sequence[Declared]) -> argparse.ArgumentParser:
    """Returns the parser of a job's options. It returns texts, and only of options that were given.

    Args:
      kind: The job's options; their docstring is the help's text, its examples come last.
      known: The same, as declared.
    """
    about, examples = describe(kind)
    made = _Parser(
        prog=f"python -m beam_jobs.{job_of(kind)}",
        usage=_usage(known),
        description=about,
        epilog=f"{examples}\n\n{RUNNER_NOTE}".strip(),
        allow_abbrev=False,
        add_help=False,
        formatter_class=_Formatter,
    )
    groups: dict[str, Any] = {}
    for option in sorted(known, key=lambda option: not option.required):
        heading = "Required" if option.required else option.group
        group = groups.get(heading) or groups.setdefault(heading, made.add_argument_group(heading))
        group.add_argument(option.flag, **_argument(option))
    groups["Run"].add_argument("--help", "-h", action="help", help="Show this text and exit.")
    version = f"millrace {beam_jobs.__version__}"
    about_version = "Show the version and exit."
    groups["Run"].add_argument("--version", action="version", version=version, help=about_version)
    return made


def describe(kind: type[JobOptions]) -> tuple[str, str]:
    """Returns the text and the examples (from the line "Examples:" on) of a job's docstring."""
    lines = inspect.cleandoc(kind.__doc__ or "").splitlines()
    end = lines.index("Examples:") if "Examples:" in lines else len(lines)
    return "\n".join(lines[:end]).strip(), "\n".join(lines[end:])


def _usage(known: Sequence[Declared]) -> str:
    required = [f"{option.flag} {_metavar(option)}" for option in known if option.required]
    return " ".join(["%(prog)s", *required, "[options]"])


def _argument(option: Declared) -> dict[str, Any]:
    found: dict[str, Any] = {"help": _help(option), "metavar": _metavar(option)}
    if option.repeated:
        found["action"] = "append"
    if option.type is bool:
        found |= {"nargs": "?", "const": "true"}
    return found


def _metavar(option: Declared) -> str:
    if option.metavar:
        return option.metavar
    if option.choices:
        return "|".join(option.choices)
    if option.kind.startswith("GCS_"):
        return "URI"
    names = {
        bool: "true|false",
        int: "N",
        float: "NUMBER",
        Seconds: "DURATION",
        ColumnMap: "FEATURE=COLUMN",
    }
    return names.get(option.type, "NAME,..." if option.repeated else "TEXT")


def _help(option: Declared) -> str:
    text = option.help.replace("%", "%%")
    if option.default in (MISSING, None, False, ()):
        return text
    default = duration_text(option.default) if option.type == Seconds else option.default
    return f"{text} (default: {default})"
