"""What an image's build copies, and what a wheel must not hold; the rest is an integration test."""

import pytest

from beam_jobs.rehearsal.environment import DOCKERFILE, build_wheel, environment, sources_of
from tests.support import ROOT
from tests.test_imports import PACKAGES
from transforms.errors import ConfigError, MillraceError


def test_the_image_gets_every_package_of_ours():
    files = list(sources_of(ROOT))
    folders = {path.parts[0] for path in files if len(path.parts) > 1}
    assert folders == set(PACKAGES)
    assert {path.name for path in files} >= {"pyproject.toml", "setup.py"}
    assert not [path for path in files if path.suffix == ".pyc"]


def test_a_copy_of_what_is_not_there(tmp_path):
    (tmp_path / DOCKERFILE).parent.mkdir()
    (tmp_path / DOCKERFILE).write_text("FROM x\nCOPY --from=beam /a /a\nCOPY gone gone\n")
    with pytest.raises(MillraceError, match="copies gone, which is not there"):
        environment(tmp_path / "env", tmp_path)


def test_no_checkout(tmp_path):
    with pytest.raises(ConfigError, match="is no checkout"):
        environment(tmp_path / "env", tmp_path)


def test_a_folder_of_something_else_is_kept(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="holds something else"):
        environment(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_wheel_that_would_install_tests(tmp_path):
    root = tmp_path / "root"
    (root / "tests").mkdir(parents=True)
    (root / "tests/__init__.py").touch()
    text = "from setuptools import setup\nsetup(name='x', version='1', packages=['tests'])\n"
    (root / "setup.py").write_text(text)
    files = [path.relative_to(root) for path in sorted(root.rglob("*.py"))]
    with pytest.raises(MillraceError, match="would install tests beside ours"):
        build_wheel(root, files, tmp_path / "wheel")
