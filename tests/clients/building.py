"""The TypeScript client, built where the tests' npm packages are, as an app would have it in its ``node_modules``."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.push.drivers import build

ROOT = Path(__file__).resolve().parent.parent.parent
SDK = Path(__file__).parent / "sdk"
SOURCE = ROOT / "clients" / "typescript"
_MODULES = SDK / "node_modules"
_PACKAGE = _MODULES / "klatsch-client"
_NPM = ["npm", "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund"]


def tsc(*arguments: str, folder: Path = SDK) -> subprocess.CompletedProcess[str]:
    """Runs the compiler."""
    command = ["node", str(_MODULES / "typescript" / "bin" / "tsc"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)


@cache
def built() -> Path:
    """The tests' ``node_modules`` with the client in it. Skips where a tool is missing or npm fails, but not in CI."""
    if not (_MODULES / "typescript").is_dir():
        build("the TypeScript client", ("node", "npm"), SDK, _NPM)
    with (SDK / ".lock").open("w") as lock:
        # Tests run in several processes.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _stale():
            shutil.rmtree(_PACKAGE, ignore_errors=True)
            shutil.copytree(SOURCE, _PACKAGE, ignore=shutil.ignore_patterns("build", "node_modules"))
            done = tsc("-p", ".", folder=_PACKAGE)
            assert done.returncode == 0, f"clients/typescript does not compile:\n{done.stdout}"
    return _MODULES


def _stale() -> bool:
    made = _PACKAGE / "build" / "index.js"
    sources = [SOURCE / "package.json", SOURCE / "tsconfig.json", *(SOURCE / "src").iterdir()]
    return not made.is_file() or made.stat().st_mtime < max(source.stat().st_mtime for source in sources)
