"""The demo's store with a snapshot of several pages, without a browser: under node."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def test_pages_of_a_snapshot_and_what_happens_meanwhile() -> None:
    node = shutil.which("node")
    if node is None:
        problem = "the test of the demo's store needs node: install it to run this test"
        if os.environ.get("CI") == "true":
            pytest.fail(problem)
        pytest.skip(problem)
    script = Path(__file__).with_name("pages.mjs")
    done = subprocess.run([node, script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
