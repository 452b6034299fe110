"""Every example of the documentation does what the page shows, twice in a row, against a real server that is in use.
Tests ``docs/howto/``, ``docs/tutorial.md`` and ``README.md``."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from infra.base.settings import Settings
from tests.clients.building import built
from tests.docs.conftest import ROOT
from tests.docs.examples import RUNNABLE, Block, Shell, Words, blocks, fits, steps
from tests.generators.test_generators import TYPESCRIPT as GENERATOR
from tests.generators.test_generators import generator
from tests.push.drivers import node_modules
from tests.running import variables

PAGES = [
    path
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if path.is_file()
]
#: Pages whose examples have a test of their own, and its file.
ELSEWHERE = {
    "docs/reference/push.md": "tests/push/test_docs.py",
    "docs/reference/commands.md": "tests/docs/test_samples.py",
}
#: How often each page is followed, on an installation that is in use.
TURNS = ("the first time", "the second time")
SDK = ROOT / "tests" / "push" / "sdk" / "node_modules"
#: Ends the text of a file; no file has such a line.
_END = "end-of-the-file"


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
async def test_examples(page: Path, tmp_path: Path, words: Words, used: Settings) -> None:
    found = wanted(page)
    text = "\n".join(block.text for block in found)
    for program in ("curl", "jq", "kcat"):
        if re.search(rf"\b{program} ", text):
            need(program)
    if any(block.language == "js" for block in found):
        node_modules()
        (tmp_path / "node_modules").symlink_to(SDK)
    if any("klatsch-client" in block.text for block in found if block.title is not None):
        (tmp_path / "node_modules").symlink_to(built())
    if any("openapi-fetch" in block.text for block in found if block.title is not None):
        generator()
        (tmp_path / "node_modules").symlink_to(GENERATOR / "node_modules")
    # What pages call ./klatsch, for the installation of the tests.
    launcher = tmp_path / "klatsch"
    launcher.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -P -m infra.ops.cli "$@"\n')
    launcher.chmod(0o755)
    # What is shipped with the pages.
    for folder in ("docs", "schemas"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    # ``python`` and ``python3`` are this one, which has what the examples import.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # As if the Python client were installed.
    environment = {**variables(used), "PYTHONPATH": str(ROOT / "clients" / "python")}
    # Whoever follows a page may follow it again, in the same folder: files and names of before are there.
    for turn in TURNS:
        shell = await Shell.start(tmp_path, path, environment, words)
        try:
            for block in found:
                await _run(shell, block, f"{name(page)}, {turn}")
        finally:
            await shell.stop()


async def _run(shell: Shell, block: Block, page: str) -> None:
    if block.title is not None:
        # Where the reader is: a page may have changed the folder.
        assert await shell.run(f"cat > {block.title} <<'{_END}'\n{block.text}{_END}") == []
        return
    assert block.language == "console", f"{page}:{block.line}: run it, give it a title, or say why it is not run"
    for step in steps(block):
        actual = await shell.run(step.command)
        shown = "\n".join(actual)
        assert fits(step.expected, actual), f"{page}:{step.line}: {step.command}\nprinted:\n{shown}"


#: A variable that is set to what an answer holds, and the filter that takes it out.
_TAKEN = re.compile(r"\w+=\$\(.*?\bjq -r ('[^']*'|\S+)", re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_what_is_taken_from_an_answer_is_there_or_it_is_said_why(page: Path) -> None:
    """``TOKEN=null`` would go on for a while, and fail where nobody looks."""
    commands = [step.command for block in wanted(page) if block.language == "console" for step in steps(block)]
    taken = [filter for command in commands for filter in _TAKEN.findall(command)]
    assert [filter for filter in taken if "// error(.detail)" not in filter] == []


async def _said(folder: Path, words: Words, settings: Settings, *commands: str) -> str:
    """What commands print, one after the other, in a shell of their own."""
    shell = await Shell.start(folder, os.environ["PATH"], variables(settings), words)
    try:
        return "\n".join([line for command in commands for line in await shell.run(command)])
    finally:
        await shell.stop()


async def test_a_name_that_is_taken_is_no_token(tmp_path: Path, words: Words, used: Settings) -> None:
    need("jq")
    console = next(block for block in wanted(ROOT / "README.md") if "NAME=ada" in block.text)
    address, _, register = [step.command for step in steps(console)][:3]
    said = await _said(tmp_path, words, used, address, "NAME=ada", register, 'echo "<$TOKEN>"')
    assert "expected a free username, ada is taken" in said and said.endswith("<>")
    nowhere = await _said(tmp_path, words, used, "KLATSCH=http://127.0.0.1:1", "NAME=ada", register, 'echo "<$TOKEN>"')
    assert "connect" in nowhere and nowhere.endswith("<>")


@pytest.mark.parametrize(
    ("page", "title", "run"), [("README.md", "receive.mjs", "node"), ("docs/tutorial.md", "listen.py", sys.executable)]
)
async def test_a_client_without_a_token_says_so_and_ends(
    tmp_path: Path, words: Words, used: Settings, page: str, title: str, run: str
) -> None:
    if run == "node":
        node_modules()
        (tmp_path / "node_modules").symlink_to(SDK)
    (file,) = [block for block in wanted(ROOT / page) if block.title == title]
    (tmp_path / title).write_text(words.to_here(file.text))
    said = await _said(tmp_path, words, used, f"TOKEN=null ROOM=r OFFSET=1 EPOCH=e {run} {title}")
    assert "invalid token" in said


@pytest.mark.parametrize("page", ELSEWHERE)
def test_a_page_left_out_is_tested_elsewhere(page: str) -> None:
    assert Path(page).name in (ROOT / ELSEWHERE[page]).read_text()


def test_the_comparison_can_fail() -> None:
    assert fits(["a … c", "…", "z"], ["a b c", "1", "2", "z"])
    assert not fits(["a … c"], ["a b"])
    assert not fits(["a"], [])
    assert not fits([], ["a"])
    assert not fits(["…", "z"], ["1", "2"])
