"""What the command line loads before it answers: libraries that cost tenths of a second only where they are used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

#: Measured at up to 0.4 s each on a busy machine.
COSTLY = {"aiohttp", "aiokafka", "asyncio", "asyncpg", "confluent_kafka", "events", "faust", "jwt", "starlette"}
RUN = """
import contextlib, io, json, sys
from infra.cli import app
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    try:
        app(sys.argv[1:], prog_name="klatsch")
        code = 0
    except SystemExit as end:
        code = end.code
print(json.dumps([code, sorted(name for name in sys.modules if "." not in name)]))
"""


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
    root = Path(__file__).resolve().parents[2]
    monkeypatch.setenv("PYTHONPATH", str(root))
    answer = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60
    )
    code, loaded = json.loads(answer.stdout)
    assert code == exit_code
    assert COSTLY & set(loaded) == set()
