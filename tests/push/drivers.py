"""The programs that drive SDKs of other languages: built when they are stale, each by the tools of its language."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
SDK = FOLDER / "sdk"
_GO = FOLDER / "sdk-go"
_JAVA = FOLDER / "sdk-java"


@cache
def node_modules() -> None:
    """Install the JavaScript SDK beside its test when it is missing."""
    if not (SDK / "node_modules" / "centrifuge").is_dir():
        npm = ["npm", "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund"]
        build("the JavaScript SDK", ("node", "npm"), SDK, npm)


def javascript() -> list[str]:
    """The command that starts the driver of the JavaScript SDK, in ``SDK``."""
    node_modules()
    return ["node", "client.mjs"]


@cache
def go() -> list[str]:
    """The command that starts the driver of the Go SDK."""
    build("the Go SDK", ("go",), _GO, ["go", "build", "-o", "build/driver", "."])
    return [str(_GO / "build" / "driver")]


@cache
def java() -> list[str]:
    """The command that starts the driver of the Java SDK."""
    made = _JAVA / "build" / "classes" / "Driver.class"
    sources = (_JAVA / "pom.xml", _JAVA / "src" / "main" / "java" / "Driver.java")
    if not made.is_file() or made.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        maven = ["mvn", "-q", "-B", "compile", "dependency:copy-dependencies", "-DoutputDirectory=build/lib"]
        build("the Java SDK", ("java", "mvn"), _JAVA, maven)
    return ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{_JAVA}/build/classes:{_JAVA}/build/lib/*", "Driver"]


def build(what: str, tools: Sequence[str], folder: Path, command: Sequence[str]) -> None:
    """Skips the test where the tools are not there or fail, but not in CI."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    problem = ""
    if missing:
        problem = f"{what} needs {' and '.join(missing)}: install to run this test"
    else:
        with (folder / ".lock").open("w") as lock:
            # Tests run in several processes.
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            problem = f"{what} cannot be built: {' '.join(command)}: {(done.stderr or done.stdout)[-500:]}"
    if problem:
        if os.environ.get("CI") == "true":
            pytest.fail(problem)
        pytest.skip(problem)
