"""``klatsch check``: what must hold of the code before it is committed, each as a command that anybody can run."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

CODE = ("events", "producers", "projectors", "push", "api", "infra", "tests")

#: Name, and the arguments after ``python -m``.
CHECKS: tuple[tuple[str, Sequence[str]], ...] = (
    ("formatting", ("ruff", "format", "--check", "--quiet", *CODE)),
    ("lint", ("ruff", "check", "--quiet", *CODE)),
    ("types", ("mypy", *CODE)),
    ("direction of imports", ("importlinter.cli", "lint")),
    ("generated files", ("infra.generate", "--check")),
)


def run() -> int:
    """Runs all checks in the current folder, prints one line each and the output of those that fail.

    Returns the exit code: 0, or 1 when a check fails.
    """
    failed = 0
    for name, arguments in CHECKS:
        began = time.monotonic()
        result = subprocess.run(
            [sys.executable, "-m", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        good = result.returncode == 0
        failed += not good
        sys.stdout.write(f"{'ok' if good else 'FAILED':<7} {name} ({time.monotonic() - began:.1f} s)\n")
        if not good:
            sys.stdout.write(f"$ python -m {' '.join(arguments)}\n{result.stdout}\n")
        sys.stdout.flush()
    return 1 if failed else 0
