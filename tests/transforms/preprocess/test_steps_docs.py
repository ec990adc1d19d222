"""The table of steps in the docs is that of the registry."""

import dataclasses

from tests.support import ROOT
from transforms.preprocess.steps.registry import NAMES, STEPS


def _row(step):
    """A step's row of the table: of its names, parameters and docstring."""
    shown = {field.name: field.default for field in dataclasses.fields(step)}
    parameters = ", ".join(
        name if default in (None, "", ()) else f"{name}={_plain(default)}"
        for name, default in shown.items()
    )
    first = step.__doc__.split("\n\n")[0].replace("\n", " ").strip()
    aliases = ", ".join(f"`{alias}`" for alias in step.aliases)
    return f"| `{step.name}` | {aliases} | {parameters} | {' '.join(first.split())} |"


def _plain(value):
    return list(value) if isinstance(value, tuple) else value


def table():
    return [_row(step) for step in STEPS]


def test_the_docs_have_a_row_for_each_step():
    lines = (ROOT / "docs" / "preprocessing_steps.md").read_text().splitlines()
    start = lines.index("| step | also called | parameters | what it does |") + 2
    found = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        found.append(line)
    assert found == table()


def test_no_name_means_two_steps():
    assert len(NAMES) == sum(1 + len(step.aliases) for step in STEPS)
