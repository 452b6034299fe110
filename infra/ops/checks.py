"""``klatsch check``: what must hold of the code before it is committed, each as a command that anybody can run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from infra.ops import class_names

#: Where the Python client is found, which is no part of the server.
PATH = "clients/python"
CODE = (*class_names.FOLDERS, PATH, "tests")


class Check(NamedTuple):
    """One check: its command fails when it does not hold; tools are taken from beside the interpreter that runs this.

    ``mends``: the command that mends what a tool can. ``tells``: the last line of its output is shown in any case.
    """

    name: str
    command: Sequence[str]
    mends: Sequence[str] = ()
    tells: bool = False


#: In the order in which ``--fix`` mends: what lint changes is formatted after it.
CHECKS = (
    Check("missing rows", ("python", "-m", "infra.ops.missing")),
    Check("lint", ("ruff", "check", "--quiet", *CODE), ("ruff", "check", "--quiet", "--fix-only", *CODE)),
    Check("formatting", ("ruff", "format", "--check", "--quiet", *CODE), ("ruff", "format", "--quiet", *CODE)),
    Check("types", ("mypy", *CODE)),
    Check("direction of imports", ("lint-imports",)),
    Check("names of classes", ("python", "-m", "infra.ops.class_names"), tells=True),
    Check("generated files", ("python", "-m", "infra.ops.generate", "--check")),
)


def run(*, fix: bool = False, checks: Sequence[Check] = CHECKS) -> int:
    """Runs all checks in the current folder, prints one line each and the output of those that fail.

    ``fix`` mends first what tools can mend. Returns the exit code: 0, or 1 when a check fails.
    """
    if fix:
        for check in checks:
            if check.mends:
                # What it leaves, or why it could not run, the check itself says.
                _run(check.mends)
    failed = [check for check in checks if not _holds(check)]
    return 1 if failed else 0


def _holds(check: Check) -> bool:
    began = time.monotonic()
    result = _run(check.command)
    good = result.returncode == 0
    sys.stdout.write(f"{'ok' if good else 'FAILED':<7} {check.name} ({time.monotonic() - began:.1f} s)\n")
    if not good:
        sys.stdout.write(f"$ PYTHONPATH={PATH} {' '.join(check.command)}\n{result.stdout}\n")
    elif check.tells:
        sys.stdout.write(f"        {result.stdout.splitlines()[-1]}\n")
    sys.stdout.flush()
    return good


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / command[0], *command[1:]],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": PATH},
    )
