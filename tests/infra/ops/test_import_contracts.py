"""The contracts of imports name folders: a file that is new in one is held by them. Tests ``pyproject.toml``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from infra.ops import class_names

ROOT = Path(__file__).resolve().parents[3]
#: Folders without I/O, and what one of each does not import.
PURE = {
    "events": "asyncpg",
    "events/core": "aiokafka",
    "producers": "aiohttp",
    "producers/batch": "infra.base.kafka",
    "projectors/audience": "asyncpg",
    "projectors/views": "infra.base.postgres",
    "push/protocol": "starlette",
    "push/presence": "aiokafka",
    "push/relay/core": "grpc",
}
#: What is below does not import what is above.
BELOW = {
    "events/core": "events.rooms",
    "producers/batch": "producers.engine.shard",
    "projectors/core": "projectors.feed.projector",
    "projectors/as_of": "projectors.workers.emotions",
    "push/delivery": "push.transports.ws",
    "api/support": "api.core.calls",
    "api/core": "api.as_of",
    "infra/base": "infra.ops.checks",
    "api": "infra.ops.roles",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The server's code, to plant files in."""
    for package in class_names.FOLDERS:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=lambda _, names: [n for n in names if _other(n)])
    shutil.copytree(ROOT / "clients" / "python" / "klatsch_client", tmp_path / "klatsch_client")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def _other(name: str) -> bool:
    return name in ("web", "assets", "__pycache__") or ("." in name and not name.endswith(".py"))


def lint(checkout: Path) -> tuple[int, str]:
    """The exit code of the linter, and all that it says on one line."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=checkout, env={"PYTHONPATH": str(checkout), "COLUMNS": "500"}, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def planted(checkout: Path, imports: dict[str, str]) -> list[str]:
    """A new file in each folder that imports one thing; their names as modules."""
    for folder, what in imports.items():
        (checkout / folder / "planted.py").write_text(f"import {what}\n")
    return [f"{folder.replace('/', '.')}.planted" for folder in imports]


def test_the_code_keeps_them(checkout: Path) -> None:
    code, said = lint(checkout)
    assert (code, "0 broken" in said) == (0, True), said


def test_an_impure_import_is_found_in_each_pure_folder(checkout: Path) -> None:
    modules = planted(checkout, PURE)
    code, said = lint(checkout)
    assert code == 1
    assert [module for module in modules if f"{module} -> " not in said] == []


def test_every_pure_folder_is_tried() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (pure,) = [one for one in contracts if one["name"].endswith("do no I/O")]
    assert {folder.replace("/", ".") for folder in PURE} >= set(pure["source_modules"])
    # What may do I/O among them is a folder that says so in its name, and is not tried.
    assert pure["ignore_imports"] == ["producers.engine.** -> **"]


def test_an_import_of_what_is_above_is_found(checkout: Path) -> None:
    modules = planted(checkout, BELOW)
    code, said = lint(checkout)
    assert code == 1
    assert [module for module in modules if f"{module} -> " not in said] == []


def test_a_circle_within_a_folder_is_found(checkout: Path) -> None:
    (checkout / "push" / "protocol" / "one.py").write_text("import push.protocol.two\n")
    (checkout / "push" / "protocol" / "two.py").write_text("import push.protocol.one\n")
    code, said = lint(checkout)
    assert code == 1 and "No cycles are allowed in push.protocol" in said, said
