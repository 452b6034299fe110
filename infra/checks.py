"""``klatsch check``: what must hold of the code before it is committed, each as a command that anybody can run."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

CODE = ("events", "producers", "projectors", "push", "api", "infra", "tests")

#: Name, and the command; tools are taken from beside the interpreter that runs this.
CHECKS: tuple[tuple[str, Sequence[str]], ...] = (
    ("formatting", ("ruff", "format", "--check", "--quiet", *CODE)),
    ("lint", ("ruff", "check", "--quiet", *CODE)),
    ("types", ("mypy", *CODE)),
    ("direction of imports", ("lint-imports",)),
    ("generated files", ("python", "-m", "infra.generate", "--check")),
)


def run() -> int:
    """Runs all checks in the current folder, prints one line each and the output of those that fail.

    Returns the exit code: 0, or 1 when a check fails.
    """
    failed = 0
    tools = Path(sys.executable).parent
    for name, command in CHECKS:
        began = time.monotonic()
        result = subprocess.run(
            [tools / command[0], *command[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        good = result.returncode == 0
        failed += not good
        sys.stdout.write(f"{'ok' if good else 'FAILED':<7} {name} ({time.monotonic() - began:.1f} s)\n")
        if not good:
            sys.stdout.write(f"$ {' '.join(command)}\n{result.stdout}\n")
        sys.stdout.flush()
    return 1 if failed else 0
