"""The launcher, on a small checkout of the test's own: which Python, what is missing, what was half done."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROJECT = """
[project]
name = "small"
version = "1"
dependencies = []
[project.optional-dependencies]
dev = []
"""
CLI = "import os, sys; print('ran', sys.argv[1:], os.getcwd(), sys.prefix)\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The launcher's files with a command line that says how it was called."""
    root = tmp_path / "a checkout"
    ops = root / "infra" / "ops"
    ops.mkdir(parents=True)
    shutil.copy(ROOT / "klatsch", root)
    shutil.copy(ROOT / "infra" / "ops" / "launch.py", ops)
    for folder in (ops.parent, ops):
        (folder / "__init__.py").write_text("")
    (ops / "cli.py").write_text(CLI)
    (root / "pyproject.toml").write_text(PROJECT)
    return root


def command(folder: Path, name: str, script: str) -> None:
    """An executable ``name`` in the folder."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def launch(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs ``klatsch`` from another folder."""
    return subprocess.run(
        [checkout / "klatsch", *arguments],
        cwd=checkout.parent, env={**os.environ, "KLATSCH_PYTHON": sys.executable, **environment},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def test_makes_its_environment_once_for_all_who_ask(checkout: Path) -> None:
    first = [
        subprocess.Popen(
            [checkout / "klatsch", "status", "two words"], cwd=checkout.parent, text=True,
            env={**os.environ, "KLATSCH_PYTHON": sys.executable}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    answers = [process.communicate(timeout=300) for process in first]
    said = [answer for answer, _ in answers]
    assert said == [f"ran ['status', 'two words'] {checkout.parent} {checkout / '.venv'}\n"] * 2
    assert sorted("making" in progress for _, progress in answers) == [False, True]
    again = launch(checkout, "up")
    assert (again.returncode, again.stderr) == (0, "")
    (checkout / ".venv" / "klatsch.json").unlink()
    (checkout / ".venv" / "bin" / "pip").write_text("half written")
    recovered = launch(checkout, "up")
    assert (recovered.returncode, "making" in recovered.stderr) == (0, True)
    (checkout / "pyproject.toml").write_text(PROJECT.replace('version = "1"', 'version = "2"'))
    updated = launch(checkout, "test")
    assert (updated.returncode, "making" in updated.stderr) == (0, False)
    assert json.loads((checkout / ".venv" / "klatsch.json").read_text()).keys() >= {"dependencies", "extra dev"}


def test_an_old_python_is_named_and_what_to_install(checkout: Path, tmp_path: Path) -> None:
    old = tmp_path / "bin"
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14", "python"):
        command(old, name, 'case "$2" in *print*) echo 3.9;; *) exit 1;; esac')
    answer = launch(checkout, "up", KLATSCH_PYTHON="", PATH=f"{old}:/usr/bin:/bin")
    assert answer.returncode == 1
    assert "expected Python 3.11 or newer, found: python3 (3.9)" in answer.stderr
    assert "apt install python3.11 python3.11-venv" in answer.stderr
    assert not (checkout / ".venv").exists()


def test_a_python_without_venv_is_named_and_what_to_install(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "debian").mkdir()
    (tmp_path / "debian" / "ensurepip.py").write_text("raise ImportError('split off by the distribution')\n")
    answer = launch(checkout, "up", PYTHONPATH=str(tmp_path / "debian"))
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert answer.returncode == 1
    assert f"apt install python{version}-venv" in answer.stderr
    assert not (checkout / ".venv").exists()


def test_what_pip_could_not_install_is_told(checkout: Path) -> None:
    broken = PROJECT.replace("dependencies = []", 'dependencies = ["not a requirement"]', 1)
    (checkout / "pyproject.toml").write_text(broken)
    answer = launch(checkout, "up")
    assert answer.returncode == 1
    assert "installing Python packages failed" in answer.stderr
    assert "not a requirement" in answer.stderr
    assert not (checkout / ".venv" / "klatsch.json").exists()


def test_no_module_beside_the_launcher_hides_one_of_the_standard_library() -> None:
    """A script's folder comes first on its path: a file ``operator.py`` once kept the launcher from starting."""
    beside = {path.stem for path in (ROOT / "infra" / "ops").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert not beside & sys.stdlib_module_names
