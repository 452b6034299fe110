"""``./klatsch check``: what it prints of checks that hold and of others, and what ``--fix`` mends."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from infra.ops.checks import CHECKS, Check, run

HOLDS = Check("holds", ("python", "-c", "print('nobody asked')"))
TELLS = Check("tells", ("python", "-c", "print('first'); print('last')"), tells=True)
FAILS = Check("fails", ("python", "-c", "print('why'); raise SystemExit(3)"))


def test_all_checks_run_and_those_that_fail_say_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(checks=[FAILS, HOLDS, TELLS]) == 1
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(" (")[0] for line in said] == [
        "FAILED  fails",
        "$ PYTHONPATH=clients/python python -c print('why'); raise SystemExit(3)".partition(" (")[0],
        "why",
        "",
        "ok      holds",
        "ok      tells",
        "        last",
    ]
    assert run(checks=[HOLDS, TELLS]) == 0


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the rules of this one and one file, in which a tool can mend everything but a name."""
    shutil.copy(Path(__file__).resolve().parents[3] / "pyproject.toml", tmp_path)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text("import sys\nimport os\nx = [ os.sep,'a' ]\n")
    for folder in ("events", "producers", "projectors", "push", "api", "infra", "clients/python"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_fix_mends_and_formats_before_it_checks(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = checkout / "tests" / "test_it.py"
    written = file.read_text()
    tools = [check for check in CHECKS if check.mends]
    assert [check.name for check in tools] == ["lint", "formatting"]
    assert run(checks=tools) == 1
    assert file.read_text() == written
    assert run(fix=True, checks=tools) == 0
    assert file.read_text() == 'import os\n\nx = [os.sep, "a"]\n'
    file.write_text("print(nobody)\n")
    assert run(fix=True, checks=tools) == 1
    assert "F821 Undefined name `nobody`" in capsys.readouterr().out
