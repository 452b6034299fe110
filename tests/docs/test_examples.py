"""Every example of the documentation does what the page shows, against a real server."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from infra.settings import Settings
from tests.docs.conftest import ROOT
from tests.docs.examples import RUNNABLE, Block, Shell, Words, blocks, fits, steps
from tests.push.drivers import node_modules
from tests.running import variables

PAGES = [
    path
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if path.is_file()
]
#: Pages whose examples have a test of their own, and its file.
ELSEWHERE = {"docs/reference/push.md": "tests/push/test_docs.py"}
SDK = ROOT / "tests" / "push" / "sdk" / "node_modules"


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def wanted(page: Path) -> list[Block]:
    """The blocks that are run or written to a file."""
    return [block for block in blocks(page.read_text()) if block.language in RUNNABLE and block.skipped is None]


def need(program: str) -> None:
    """Skips where a program that examples use is missing, but not in CI."""
    if shutil.which(program) is None:
        text = f"the examples need {program}: install it to run them"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)


@pytest.mark.parametrize("page", [page for page in PAGES if wanted(page) and name(page) not in ELSEWHERE], ids=name)
async def test_examples(page: Path, tmp_path: Path, words: Words, installed: Settings) -> None:
    found = wanted(page)
    text = "\n".join(block.text for block in found)
    for program in ("curl", "jq", "kcat"):
        if re.search(rf"\b{program} ", text):
            need(program)
    if any(block.language == "js" for block in found):
        node_modules()
        (tmp_path / "node_modules").symlink_to(SDK)
    # What pages call ./klatsch, for the installation of the tests.
    launcher = tmp_path / "klatsch"
    launcher.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m infra.cli "$@"\n')
    launcher.chmod(0o755)
    # ``python`` and ``python3`` are this one, which has what the examples import.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shell = await Shell.start(tmp_path, path, variables(installed), words)
    try:
        for block in found:
            await _run(shell, block, page, tmp_path, words)
    finally:
        await shell.stop()


async def _run(shell: Shell, block: Block, page: Path, folder: Path, words: Words) -> None:
    if block.title is not None:
        (folder / block.title).write_text(words.to_here(block.text))
        return
    assert block.language == "console", f"{name(page)}:{block.line}: run it, give it a title, or say why it is not run"
    for step in steps(block):
        actual = await shell.run(step.command)
        shown = "\n".join(actual)
        assert fits(step.expected, actual), f"{name(page)}:{step.line}: {step.command}\nprinted:\n{shown}"


@pytest.mark.parametrize("page", ELSEWHERE)
def test_a_page_left_out_is_tested_elsewhere(page: str) -> None:
    assert Path(page).name in (ROOT / ELSEWHERE[page]).read_text()


def test_the_comparison_can_fail() -> None:
    assert fits(["a … c", "…", "z"], ["a b c", "1", "2", "z"])
    assert not fits(["a … c"], ["a b"])
    assert not fits(["a"], [])
    assert not fits([], ["a"])
    assert not fits(["…", "z"], ["1", "2"])
