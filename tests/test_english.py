"""Docstrings of functions lead with a verb, and texts are plain modern English."""

import ast
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PACKAGES = ("transforms", "inference", "privacy", "beam_jobs")
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
READ_TWICE = re.compile(
    r"\b(is none of|are none of|what it comes to|of which|(is|are|be) told (?!apart)|came to be)\b"
)
"""Phrases that a reader has to read twice."""


def _leads_with_a_verb(function):
    text = ast.get_docstring(function)
    decorators = " ".join(ast.unparse(each) for each in function.decorator_list)
    return not text or "property" in decorators or text.split()[0].rstrip(",:").endswith("s")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_docstrings_lead_with_a_verb(path):
    tree = ast.parse(path.read_text())
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))
    assert [each.name for each in functions if not _leads_with_a_verb(each)] == []


@pytest.mark.parametrize("path", [*FILES, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_phrase_has_to_be_read_twice(path):
    lines = enumerate(path.read_text().splitlines(), 1)
    assert [(number, line.strip()) for number, line in lines if READ_TWICE.search(line)] == []
