"""Imports point one way, and heavy libraries stay where they are needed."""

import ast
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
BELOW = {
    "transforms": {"transforms"},
    "inference": {"inference", "transforms"},
    "beam_jobs": {"beam_jobs", "inference", "transforms"},
}
HEAVY = {"tensorflow", "keras", "tfx_bsl", "pandas", "fastavro"}
HOMES = {
    "inference/handlers/tensorflow.py": {"tensorflow"},
    "transforms/files/formats/avro/format.py": {"fastavro"},
}


MODULES = [path for package in BELOW for path in sorted((ROOT / package).rglob("*.py"))]


def _imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node, node.module.split(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows(path):
    package = path.relative_to(ROOT).parts[0]
    found = {name for _, name in _imported(ast.parse(path.read_text()))}
    assert not (found & set(BELOW)) - BELOW[package]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_heavy_libraries_are_imported_late(path):
    tree = ast.parse(path.read_text())
    top = {name for node, name in _imported(tree) if node in tree.body}
    assert not (top & HEAVY) - HOMES.get(str(path.relative_to(ROOT)), set())


def test_the_public_verbs_import_no_tensorflow():
    """What a pipeline imports in the launcher must stay light."""
    code = (
        "import sys, transforms.io.read, transforms.io.write, transforms.rows.bridge;"
        "import inference.score;"
        "print([m for m in ('tensorflow', 'tfx_bsl', 'keras') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr
