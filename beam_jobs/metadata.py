"""Flex Template specs and the options' docs, generated: `python -m beam_jobs.metadata [--check]`.

To deploy, `python -m beam_jobs.metadata --image IMAGE score` prints a job's spec with its image;
stored in a bucket, that is the template.
"""

import argparse
import importlib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import MISSING
from pathlib import Path
from typing import Any

from beam_jobs.options.command_line import describe, job_of
from beam_jobs.options.declare import ColumnMap, Declared, JobOptions, Seconds, declared
from beam_jobs.options.durations import REGEX as DURATION
from beam_jobs.options.durations import duration_text
from beam_jobs.options.streaming import StreamOptions
from beam_jobs.templates.api_docs import api_docs
from beam_jobs.templates.image import image_of
from beam_jobs.templates.lint import lint

ROOT = Path(__file__).parents[1]
COMMAND = "python -m beam_jobs.metadata"
_DECLARES = re.compile(r"^class Options\([\w, ]*Options\):$", re.M)

_TYPE_NAMES = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    Seconds: "duration",
    str: "text",
    tuple[str, ...]: "list",
    ColumnMap: "mapping",
}
# Dataflow passes values on as they are typed; paths are in its world only if they are remote.
_REGEXES = {
    bool: "true|false",
    int: "[0-9]+",
    float: r"[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?",
    Seconds: DURATION,
    ColumnMap: "[^=;]+=[^=;]+(;[^=;]+=[^=;]+)*;?",
}
_REMOTE = "gs://.+"
_MESSAGES = "pubsub://projects/.+"


def jobs() -> dict[str, type[JobOptions]]:
    """Returns the options of every job, by the job's name."""
    # The other modules here are not imported, for some of them import Beam.
    named = sorted(p for p in Path(__file__).parent.glob("*.py") if _DECLARES.search(p.read_text()))
    modules = [importlib.import_module(f"beam_jobs.{path.stem}") for path in named]
    return {job_of(module.Options): module.Options for module in modules}


def container_spec(kind: type[JobOptions], image: str = "") -> dict[str, Any]:
    """Returns a job's Flex Template in the form of Dataflow's API (ContainerSpec).

    Args:
      kind: The job's options.
      image: The image of launcher and workers.

    Returns: A dictionary to be stored as JSON.
    """
    job = job_of(kind)
    image = image or image_of(job)
    return {
        "image": image,
        "sdkInfo": {"language": "PYTHON"},
        "metadata": {
            "name": f"Millrace {job}",
            "description": " ".join(describe(kind)[0].split()),
            **_streaming(kind),
            "parameters": [_parameter(o) for o in _required_first(kind) if o.in_template],
        },
        "defaultEnvironment": {"sdkContainerImage": image},
    }


def _streaming(kind: type[JobOptions]) -> dict[str, bool]:
    """Returns Dataflow's settings for a job that may read messages, which its input decides."""
    if not issubclass(kind, StreamOptions):
        return {"streaming": False}
    # At least once, messages that come twice would stay so in topics and dead letters.
    return {"streaming": True, "supportsAtLeastOnce": False, "supportsExactlyOnce": True}


def _required_first(kind: type[JobOptions]) -> list[Declared]:
    return sorted(declared(kind), key=lambda option: not option.required)


def _parameter(option: Declared) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": option.name,
        "label": option.label,
        "helpText": option.help,
        # The console lets choose from a bucket what is a file by its type, and nothing else.
        "paramType": "TEXT" if option.messages else option.kind,
        "isOptional": not option.required,
        "groupName": option.group,
    }
    if (default := _default(option)) is not None:
        found["defaultValue"] = default
    if option.choices:
        found["enumOptions"] = [{"value": choice, "label": choice} for choice in option.choices]
    elif regex := _regex(option):
        found["regexes"] = [regex]
    return found


def _default(option: Declared) -> str | None:
    """Returns an option's default as text; None if there is none to show."""
    default = option.default
    if default in (MISSING, None, (), ""):
        return None
    if option.type == Seconds:
        return duration_text(default)
    return str(default).lower() if isinstance(default, bool) else str(default)


def _regex(option: Declared) -> str | None:
    regex = option.regex or _REGEXES.get(option.type)
    if option.kind.startswith("GCS_"):
        regex = f"{_REMOTE}|{_MESSAGES}" if option.messages else _REMOTE
    if regex is None:
        return None
    # What is left out may come as an empty text.
    return f"^({regex})$" if option.required else f"^({regex})?$"


def options_table(kind: type[JobOptions]) -> str:
    """Returns a job's options as a Markdown table."""
    rows = ["| option | value | default | what it does |", "|---|---|---|---|"]
    for option in _required_first(kind):
        value = ", ".join(f"`{c}`" for c in option.choices) or _TYPE_NAMES[option.type]
        if option.kind.startswith("GCS_"):
            value = "path or URI"
        default = _default(option)
        shown = "required" if option.required else f"`{default}`" if default else ""
        about = option.help.replace("|", "\\|")
        rows.append(f"| `{option.flag}` | {value} | {shown} | {about} |")
    return "\n".join(rows)


def _docs() -> str:
    parts = [
        "# Options",
        f"Generated by `{COMMAND}`; edit the jobs in `beam_jobs/` instead.",
        "Lists are separated by commas; a duration is `30s`, `10m`, `1h`, `7d`, `500ms` or a "
        "number of seconds; switches are `--x`, `--x=true` or `--x=false`. Options may "
        "stand in a file, `--options_file=job.toml`, under their names without dashes, beside "
        "those of Beam (`runner`, `project`, ...). The command line wins over the file.",
    ]
    for job, kind in jobs().items():
        about, examples = describe(kind)
        code = "\n".join(line.strip() for line in examples.splitlines()[1:])
        parts += [f"## {job}", about, f"```sh\n{code}\n```", options_table(kind)]
    return "\n\n".join(parts) + "\n"


def generated() -> dict[Path, str]:
    """Returns every generated file: its path in the repository, and its content."""
    files = {
        Path("templates") / f"{job}.json": json.dumps(container_spec(kind), indent=2) + "\n"
        for job, kind in jobs().items()
    }
    docs = Path("docs")
    return {**files, docs / "options.md": _docs(), docs / "api.md": api_docs()}


def check() -> list[str]:
    """Returns the faults of this checkout's generated files: stale ones, and bad specs."""
    stale = []
    for path, content in generated().items():
        if not (ROOT / path).exists() or (ROOT / path).read_text() != content:
            stale.append(f"{path} is stale: run `{COMMAND}`")
    faults = [
        f"templates/{job}.json: {fault}"
        for job, kind in jobs().items()
        for fault in lint(container_spec(kind))
    ]
    return stale + faults


def write() -> None:
    """Writes the generated files."""
    for path, content in generated().items():
        (ROOT / path).parent.mkdir(exist_ok=True)
        (ROOT / path).write_text(content)


def main(argv: Sequence[str] | None = None) -> int:
    """Writes or checks the generated files, or prints a spec; returns the exit code."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--check", action="store_true", help="only list what is stale or wrong")
    parser.add_argument("--image", default="", help="the image in the spec that is printed")
    parser.add_argument("job", nargs="?", choices=sorted(jobs()), help="print this job's spec")
    given = parser.parse_args(argv)
    if given.job:
        print(json.dumps(container_spec(jobs()[given.job], given.image), indent=2))
        return 0
    if not given.check:
        write()
    faults = check()
    print("\n".join(faults), end="\n" if faults else "", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
