"""Unmodified generators make clients of the contract that compile strictly, and that do what an app does first.
Tests ``schemas/openapi.json``."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from infra.ops.generate.files import ROOT
from tests.push.drivers import build

HERE = Path(__file__).parent
CONTRACT = ROOT / "schemas" / "openapi.json"
TYPESCRIPT = HERE / "sdk"

#: What either program prints.
READ = {
    "posting": "admins",
    "texts": ["Good morning", "A fox 640"],
    "refused": "urn:klatsch:problem:not_found",
}


@cache
def generator() -> None:
    """Installs the TypeScript generator, where it is not there."""
    if not (TYPESCRIPT / "node_modules" / "openapi-typescript").is_dir():
        npm = ["npm", "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund"]
        build("the TypeScript generator", ("node", "npm"), TYPESCRIPT, npm)


@cache
def typescript() -> None:
    """Makes the client and compiles it with what uses it, and what must not compile."""
    generator()
    done(["npx", "openapi-typescript", str(CONTRACT), "-o", "build/klatsch.d.ts"], TYPESCRIPT)
    done(["npx", "tsc", "-p", "."], TYPESCRIPT)


def done(command: Sequence[str], folder: Path, **environment: str) -> str:
    """What a command prints. Fails when it fails."""
    found = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert found.returncode == 0, (command, found.stdout[-3000:], found.stderr[-2000:])
    return found.stdout


def name() -> str:
    return f"grace-{secrets.token_hex(5)}"


async def test_a_typescript_client_compiles_strictly_and_runs(url: str) -> None:
    """``wrong.ts`` is compiled too: each line in it must be an error."""
    await asyncio.to_thread(typescript)
    printed = await asyncio.to_thread(done, ["node", "build/usage.js", url, name()], TYPESCRIPT)
    assert json.loads(printed) == READ


async def test_a_python_client_compiles_strictly_and_runs(url: str, tmp_path: Path) -> None:
    generator = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(CONTRACT), "--meta", "none"]
    await asyncio.to_thread(done, [*generator, "--output-path", str(tmp_path / "klatsch_api")], tmp_path)
    program = tmp_path / "usage.py"
    program.write_text((HERE / "python" / "usage.py").read_text())
    await asyncio.to_thread(done, [sys.executable, "-m", "mypy", "--strict", "klatsch_api", "usage.py"], tmp_path)
    printed = await asyncio.to_thread(done, [sys.executable, "usage.py", url, name()], tmp_path)
    assert json.loads(printed) == READ
