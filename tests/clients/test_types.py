"""What compilers say of apps: a wrong call is an error before it is run.
Tests ``clients/typescript/src/contract.ts`` and ``clients/python/klatsch_client/contract.py``."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.building import SDK, SOURCE, built, tsc

ROOT = Path(__file__).resolve().parent.parent.parent
USAGE = Path(__file__).parent / "usage.py"
_OPTIONS = ("--strict", "--noEmit", "--skipLibCheck", "--module", "nodenext", "--target", "es2022")


def test_typescript_takes_what_is_right_and_nothing_else() -> None:
    built()
    done = tsc(*_OPTIONS, "--types", "node", "usage.ts")
    assert done.returncode == 0, done.stdout


def test_each_expected_error_of_typescript_is_one(tmp_path: Path) -> None:
    """Without the comments that expect them, the compiler finds as many errors."""
    built()
    (SDK / "build").mkdir(exist_ok=True)
    bare = SDK / "build" / "bare.ts"
    text = (SDK / "usage.ts").read_text()
    bare.write_text(re.sub(r"// @ts-expect-error.*", "//", text))
    found = tsc(*_OPTIONS, "--types", "node", str(bare)).stdout
    lines = {int(line) for line in re.findall(r"bare\.ts\((\d+),", found)}
    assert lines == {number + 1 for number, line in enumerate(text.splitlines(), 1) if "@ts-expect-error" in line}


#: A change of the fold or of the contract by name: file, what is replaced, by what, and what the compiler then names.
UNFOLDED = {
    "a rule less": ("fold.ts", '  "message.pinned": pins(1),\n', "", "message.pinned"),
    "no rules for what sets fields of a room": ("fold.ts", "  ...roomChanges(),\n", "", "room.renamed"),
    "a type that is no longer said to set fields": (
        "contract.ts", 'RoomChange = "room.renamed" | ', "RoomChange = ", "room.renamed",
    ),
    "a field that the room has not": (
        "contract.ts", "  topic_line: string | null;\n", "  line: string | null;\n", "topic_line",
    ),
    "a field of another type": (
        "contract.ts", "RoomRenamedDeltaData = {\n  name: string", "RoomRenamedDeltaData = {\n  name: number", "name",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", [None, *UNFOLDED])
def test_a_delta_that_the_fold_cannot_take_is_an_error(name: str | None, tmp_path: Path) -> None:
    built()
    for file in ("fold.ts", "contract.ts"):
        (tmp_path / file).write_text((SOURCE / "src" / file).read_text())
    expected = ""
    if name is not None:
        file, old, new, expected = UNFOLDED[name]
        text = (tmp_path / file).read_text()
        assert old in text
        (tmp_path / file).write_text(text.replace(old, new, 1))
    options = ("--strict", "--noEmit", "--module", "nodenext", "--target", "es2022", "--lib", "es2023,dom")
    done = tsc(*options, str(tmp_path / "fold.ts"))
    assert (done.returncode == 0) == (name is None) and expected in done.stdout, done.stdout


def test_there_is_no_any_in_the_typescript_client() -> None:
    for source in (SOURCE / "src").iterdir():
        code = re.sub(r"^ *(//|/\*\*|\*).*$", "", source.read_text(), flags=re.MULTILINE)
        assert not re.search(r"\bas any\b|: any\b|<any>|\bany\[\]", code), source.name


def mypy(*files: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "pyproject.toml", *files]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)


def test_python_takes_what_is_right_and_nothing_else() -> None:
    done = mypy("clients/python/klatsch_client", str(USAGE.relative_to(ROOT)))
    assert done.returncode == 0, done.stdout


def test_each_expected_error_of_python_is_one(tmp_path: Path) -> None:
    """Without the comments that expect them, mypy finds as many errors."""
    text = USAGE.read_text()
    bare = tmp_path / "bare.py"
    bare.write_text(re.sub(r"  # type: ignore.*", "", text))
    found = mypy(str(bare)).stdout
    lines = {int(line) for line in re.findall(r"bare\.py:(\d+): error", found)}
    assert lines == {number for number, line in enumerate(text.splitlines(), 1) if "type: ignore" in line}, found
