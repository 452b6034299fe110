"""Clients that the field's own tools make of S1's text, unmodified: they register, talk, are cut off, and delete.
Tests ``api/grpc/server.py``, ``api/grpc/channels.py`` and ``push/relay/service.py``."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from pathlib import Path

import pytest

from infra.base.settings import Settings
from tests.client import World
from tests.push.drivers import build

FOLDER = Path(__file__).parent
#: The block of the requirement document, and what a compiler needs before it.
SEED = (FOLDER.parent.parent / "schemas" / "s1.proto").read_text(encoding="utf-8")
HEAD = 'syntax = "proto3";\nimport "google/protobuf/empty.proto";\n'
#: Where generated Go code belongs to; the module of go.mod.
PACKAGE = "example.org/klatsch/s1/seed"
SECONDS = 120.0


def compiler(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "grpc_tools.protoc", *arguments]


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    path = tmp_path / "core_service.proto"
    path.write_text(HEAD + SEED, encoding="utf-8")
    return path


async def steps(command: list[str], folder: Path, **environment: str) -> list[str]:
    """What a client prints, a line a step; it must end well."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(), SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, err.decode()
    return out.decode().splitlines()


def options(installed: Settings, **more: str) -> str:
    address = f"{installed.host}:{installed.grpc_listen}"
    return json.dumps({"address": address, "prefix": f"p{secrets.token_hex(4)}", **more})


def expected(aborted: str, missing: str) -> list[str]:
    """All steps; languages write the names of statuses in their own way."""
    return [
        "registered", "created One 2 true", "listed One", "all 2", "received hello 7 true", f"elsewhere {aborted}",
        f"deleted {missing}", "left OK", f"gone {missing}",
    ]  # fmt: skip


async def test_python(world: World, installed: Settings, seed: Path) -> None:
    made = seed.parent
    flags = [f"-I{made}", f"--python_out={made}", f"--grpc_python_out={made}"]
    assert await steps(compiler(*flags, str(seed)), made) == []
    found = await steps(
        [sys.executable, str(FOLDER / "sdk-python" / "client.py"), options(installed)], made, PYTHONPATH=str(made)
    )
    assert found == expected("ABORTED", "NOT_FOUND")


async def test_node(world: World, installed: Settings, seed: Path) -> None:
    folder = FOLDER / "sdk"
    if not (folder / "node_modules" / "@grpc" / "grpc-js").is_dir():
        npm = ["npm", "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund"]
        build("the gRPC client for Node", ("node", "npm"), folder, npm)
    found = await steps(["node", "client.mjs", options(installed, proto=str(seed))], folder)
    assert found == expected("ABORTED", "NOT_FOUND")


async def test_go(world: World, installed: Settings, seed: Path) -> None:
    folder = FOLDER / "sdk-go"
    tools = folder / "build"
    for tool in ("google.golang.org/protobuf/cmd/protoc-gen-go", "google.golang.org/grpc/cmd/protoc-gen-go-grpc"):
        if not (tools / tool.rpartition("/")[2]).is_file():
            build("the gRPC client for Go", ("go",), folder, ["go", "build", "-o", str(tools) + "/", tool])
    made = folder / "seed"
    made.mkdir(exist_ok=True)
    place = f"Mcore_service.proto={PACKAGE}"
    flags = [f"-I{seed.parent}", *(f"--{kind}_opt={place},paths=source_relative" for kind in ("go", "go-grpc"))]
    for kind in ("go", "go-grpc"):
        flags += [f"--plugin=protoc-gen-{kind}={tools / f'protoc-gen-{kind}'}", f"--{kind}_out={made}"]
    assert await steps(compiler(*flags, str(seed)), made) == []
    build("the gRPC client for Go", ("go",), folder, ["go", "build", "-o", str(tools / "client"), "."])
    found = await steps([str(tools / "client"), options(installed)], folder)
    assert found == expected("Aborted", "NotFound")
