"""Imports point one way, the pure half is free of Beam, and heavy libraries stay at home."""

import ast
import functools
import graphlib
import importlib
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PACKAGES = ("transforms", "inference", "privacy", "beam_jobs")
HEAVY = {"tensorflow", "keras", "tfx_bsl", "pandas", "fastavro"}
HOMES = {
    "transforms.tensorflow": {"tensorflow"},
    "transforms.files.formats.avro.format": {"fastavro"},
}
FLOORS = {
    "transforms": """
        errors memory nearest reasons varints wording words
        calls faults lazy progress tensorflow yaml_text
        families saved_models
        arrow
        batches
        rejects half_ops replaced_ops
        conform
        coders
        merging verb
        rebatch select
        metadata
        examples
        files
        user_code
        distances
        schema
        commit
        keys
        rules
        row_checks
        statistics
        rows skew windows
        reports
        io drift
        gate
        preprocess
    """,
    "inference": """
        time_limit
        signature devices
        tensors
        handlers
        model
        runs
        loaded
        rejecting sharing
        score
        table
        export
    """,
    "privacy": """
        likelihood spans
        anonymity crypto detectors
        erasure policy transformations
        local
        cloud
        pipeline server
        inspect redact reidentify
        twins
    """,
    "beam_jobs": """
        options
        templates
        running
        privacy
        judging
        preparing rehearsal streaming updates
        export launch rehearse dataflow
        baseline drift erase ingest preprocess redact score validate
        metadata
        __main__
    """,
}
"""The rooms of a package from the ground up; each may import the rooms on the floors below."""

FREE_OF_BEAM = """
    transforms.arrow transforms.batches transforms.conform transforms.distances transforms.examples
    transforms.drift.baseline transforms.drift.counting transforms.drift.incidents
    transforms.drift.judging transforms.drift.make transforms.drift.outcome
    transforms.faults transforms.files transforms.keys.key_hash transforms.metadata
    transforms.rejects transforms.reports transforms.rows.batches transforms.rules.files
    transforms.preprocess.declared.states transforms.preprocess.steps
    transforms.row_checks.checks transforms.schema transforms.statistics.collect
    transforms.windows.assign transforms.windows.features.compute
    inference.devices.gpu inference.loaded inference.model.model
    privacy.crypto privacy.detectors privacy.local privacy.policy privacy.transformations
""".split()


def _modules():
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name.removesuffix(".__init__"), path


MODULES = dict(_modules())


@functools.cache
def _tree(module):
    return ast.parse(MODULES[module].read_text())


@functools.cache
def _imports(module, eager=False):
    """What a module imports, by full name; `eager` leaves out what functions and hints import."""
    nodes = _tree(module).body if eager else ast.walk(_tree(module))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return frozenset(found)


def _reached(module):
    """All modules of ours that importing a module brings, the packages around them included."""
    waiting, seen = [module], set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            steps = name.split(".")
            around = {".".join(steps[:end]) for end in range(1, len(steps))}
            waiting += (_imports(name, eager=True) | around) & set(MODULES)
    return seen


def _room(module):
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_the_ones_below(package):
    above = set(PACKAGES[PACKAGES.index(package) + 1 :])
    ours = [module for module in MODULES if module.split(".")[0] == package]
    wrong = [(m, i) for m in ours for i in _imports(m) if i.split(".")[0] in above]
    assert not wrong


@pytest.mark.parametrize("package", FLOORS)
def test_rooms_import_the_floors_below(package):
    rooms = [line.split() for line in FLOORS[package].strip().splitlines()]
    floor = {room: number for number, line in enumerate(rooms) for room in line}
    ours = [m for m in MODULES if m.startswith(f"{package}.")]
    assert {_room(module) for module in ours} == set(floor), "every room has its floor"
    wrong = [
        f"{module} imports {other}"
        for module in ours
        for other in _imports(module)
        if other.startswith(f"{package}.")
        and _room(other) != _room(module)
        and floor[_room(other)] >= floor[_room(module)]
    ]
    assert not wrong


def test_no_modules_import_each_other_in_a_circle():
    """Not even late, or for hints alone; front doors name what is public, and no more."""
    inside = set(MODULES) - set(PACKAGES)
    graph = {module: _imports(module) & inside - {module} for module in inside}
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("name", FREE_OF_BEAM)
def test_the_pure_half_is_free_of_beam(name):
    inside = [m for m in MODULES if m == name or m.startswith(f"{name}.")]
    assert inside
    found = {m for each in inside for m in _reached(each)}
    beam = [m for m in found for i in _imports(m, eager=True) if i.startswith("apache_beam")]
    assert not beam


@pytest.mark.parametrize("module", MODULES)
def test_heavy_libraries_are_imported_late(module):
    top = {name.split(".")[0] for name in _imports(module, eager=True)}
    assert not (top & HEAVY) - HOMES.get(module, set())


def test_a_service_checks_rows_without_beam():
    code = (
        "import sys; from transforms.row_checks.checks import Checks;"
        "print([m for m in ('apache_beam', 'tensorflow', 'tfx_bsl') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_public_verbs_import_no_tensorflow():
    """What a pipeline imports in the launcher must stay light."""
    code = (
        "import sys, transforms.io.read, transforms.io.write, transforms.rows.bridge;"
        "import inference.score;"
        "print([m for m in ('tensorflow', 'tfx_bsl', 'keras') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("package", ["transforms", "inference", "privacy", "beam_jobs"])
def test_the_front_door_leads_to_what_it_names(package):
    door = importlib.import_module(package)
    assert sorted(door._HOMES) == sorted(door.__all__)
    for name in door.__all__:
        assert getattr(door, name) is getattr(
            importlib.import_module(f"{package}.{door._HOMES[name]}"), name
        )
    with pytest.raises(AttributeError, match="has no attribute 'Raed'"):
        _ = door.Raed


def test_the_docs_use_the_front_door():
    """What a reader copies must not reach into rooms that may be rebuilt."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    imports = [line for page in pages for line in page.read_text().splitlines()]
    inside = [
        line for line in imports if re.match(r"\s*from (beam_jobs|inference|transforms)\.", line)
    ]
    assert not [
        line for line in inside if not line.strip().startswith("from transforms.schema import")
    ]
