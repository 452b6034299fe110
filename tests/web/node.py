"""Scripts of the pages that need no browser: under node."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def passes(name: str, given: str = "") -> str:
    """Fails where a script beside this file does; skips where there is no node, which CI has. ``given``: its input.
    Returns what it prints."""
    node = shutil.which("node")
    if node is None:
        problem = f"{name} needs node: install it to run this test"
        if os.environ.get("CI") == "true":
            pytest.fail(problem)
        pytest.skip(problem)
    script = Path(__file__).with_name(name)
    done = subprocess.run([node, script], input=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
