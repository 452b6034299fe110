"""What the command line loads before it answers: libraries that cost tenths of a second only where they are used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from infra.ops.cli import app

#: Measured at up to 0.4 s each on a busy machine.
COSTLY = {
    "aiohttp",
    "aiokafka",
    "asyncio",
    "asyncpg",
    "confluent_kafka",
    "events.registry",
    "faust",
    "jwt",
    "starlette",
}
RUN = """
import contextlib, io, json, sys
from infra.ops.cli import app
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    try:
        app(sys.argv[1:], prog_name="klatsch")
        code = 0
    except SystemExit as end:
        code = end.code
print(json.dumps([code, sorted(sys.modules)]))
"""


@pytest.mark.parametrize(
    "arguments",
    [
        [b"events", b"--stream", b"\xff"], [b"as-of", b"2026-11-21", b"\xff"],
        [b"diff", b"1h", b"now", b"--room=caf\xe9"],
        [b"undo", b"--by", b"\xff", b"--since", b"1h"], [b"trace", b"\xff"], [b"users", b"reset", b"\xff"], [b"\xff"],
        [b"status", b"--data", b"\xff"],
    ],
)  # fmt: skip
def test_an_argument_that_is_no_utf_8_is_an_error_of_the_arguments(arguments: list[bytes], tmp_path: Path) -> None:
    """Before anything connects: nothing runs here."""
    root = Path(__file__).resolve().parents[3]
    answer = subprocess.run(
        [sys.executable, "-m", "infra.ops.cli", *arguments], capture_output=True, cwd=tmp_path, timeout=60,
        env={**os.environ, "PYTHONPATH": str(root), "KLATSCH_DATA": str(tmp_path)},
    )  # fmt: skip
    assert (answer.returncode, answer.stdout) == (2, b"")
    (line,) = answer.stderr.decode().splitlines()
    assert line.startswith("error: expected arguments in UTF-8, got ") and line.endswith(("\\xff", "caf\\xe9"))


def test_a_folder_may_be_called_anything(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)
    answer = subprocess.run(
        [sys.executable, "-m", "infra.ops.cli", b"down", b"--data", folder], capture_output=True, cwd=tmp_path,
        timeout=60, env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert (answer.returncode, answer.stderr) == (0, b"")
    assert answer.stdout == b"Not running (data in %s).\n" % folder


@pytest.mark.parametrize("command", ["down", "status"])
def test_a_file_is_no_data_folder(command: str, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    file = tmp_path / "notes.txt"
    file.touch()
    answer = subprocess.run(
        [sys.executable, "-m", "infra.ops.cli", command, "--data", file], capture_output=True, text=True, cwd=tmp_path,
        timeout=60, env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == (
        f"error: expected a data folder, got {file}, which is a file or lies in one; name a folder with --data\n"
    )


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (["--help"], 0),
        (["events", "--help"], 0),
        (["status", "--data", "nothing-here"], 3),
        (["down", "--data", "nothing-here"], 0),
        (["events", "--nope"], 2),
        (["nope"], 2),
    ],
)
def test_answers_without_loading_what_it_does_not_need(
    arguments: list[str], exit_code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(__file__).resolve().parents[3]
    monkeypatch.setenv("PYTHONPATH", str(root))
    answer = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60
    )
    code, loaded = json.loads(answer.stdout)
    assert code == exit_code
    assert COSTLY & set(loaded) == set()


def test_every_option_has_a_name_of_its_own() -> None:
    """Some versions of the library make one of an option's ``metavar`` where none is given: ``--ROOM``."""
    found = [(command, name) for command, names in _options(typer.main.get_command(app)) for name in names]
    assert len(found) > 50
    assert [one for one in found if one[1] != one[1].lower() and len(one[1]) > 2] == []


def _options(command: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    for one in command.params:
        if one.param_type_name == "option":
            yield path, [*one.opts, *one.secondary_opts]
    for name, part in getattr(command, "commands", {}).items():
        yield from _options(part, f"{path} {name}")


@pytest.mark.parametrize("arguments", [["status"], ["status", "--json"], ["--help"]], ids=" ".join)
def test_a_pipe_that_is_closed_is_no_fault(arguments: list[str], tmp_path: Path) -> None:
    """``./klatsch status | head -2`` must not say that a part is not well."""
    root = Path(__file__).resolve().parents[3]
    reader, writer = os.pipe()
    os.close(reader)
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "infra.ops.cli", *arguments], stdout=writer, stderr=subprocess.PIPE, check=False,
            cwd=root, env={**os.environ, "KLATSCH_DATA": str(tmp_path)}, timeout=60,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert (answer.returncode, answer.stderr) == (0, b"")


@pytest.mark.parametrize("roles", ["api", "relay", "analytics", "feed,push"])
def test_roles_that_need_the_key_do_not_run_without_it(roles: str, tmp_path: Path) -> None:
    """Before anything connects: with none, tokens of anybody would be good, or a relay take nobody's word."""
    root = Path(__file__).resolve().parents[3]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KLATSCH_")}
    answer = subprocess.run(
        [sys.executable, "-m", "infra.ops.cli", "serve", "--roles", roles],
        env={**environment, "PYTHONPATH": str(root), "KLATSCH_KAFKA": "127.0.0.1:9", "KLATSCH_POSTGRES": "postgresql://x"},
        capture_output=True, cwd=tmp_path, timeout=60, text=True,
    )  # fmt: skip
    assert answer.returncode == 1 and "KLATSCH_SECRET: expected the key of the installation" in answer.stderr
