"""What ``--fast`` runs, leaves out and skips: on tests of their own, in a process of its own.
Tests ``tests/fast.py``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONFTEST = """
import pytest
from hypothesis import settings
from tests import fast
from tests.fast import pytest_addoption, pytest_configure, pytest_runtest_protocol

settings.register_profile("klatsch")

def pytest_collection_modifyitems(config, items):
    fast.leave_out(config, items)

@pytest.fixture
def parts():
    return "Kafka and Postgres"

@pytest.fixture
def world(parts):
    return parts
"""
TESTS = """
import asyncio, pytest, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
from hypothesis import given
from hypothesis.strategies import integers

PROGRAM = [sys.executable, "-c", ""]
seen = []

def test_asks_for_nothing(): pass

@pytest.mark.long
def test_takes_long(): pass

def test_asks_for_servers_by_another_fixture(world): pass
def test_starts_a_process(): subprocess.run(PROGRAM, check=True)
def test_starts_one_in_a_loop(): asyncio.run(asyncio.create_subprocess_exec(*PROGRAM))
def test_starts_one_in_a_thread(): ThreadPoolExecutor().submit(subprocess.run, PROGRAM).result()

@given(integers())
def test_property(number): seen.append(number)
def test_of_a_hundred_examples(): assert len(seen) >= 100
"""


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), "8 passed"),
        # What needs a hundred examples does not get them.
        (("--fast",), "1 failed, 2 passed, 3 skipped, 2 deselected"),
    ],
    ids=["all", "fast"],
)
def test_what_runs(options: tuple[str, ...], expected: str, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = long\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        capture_output=True, text=True, check=False, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1].partition(" in ")[0] == expected, done.stdout
    assert ("test_of_a_hundred_examples - assert" in done.stdout) is bool(options)
