"""The examples of a documentation page: its fenced blocks, and a shell that runs them in order and compares.

A ``console`` block holds commands after ``$ `` (continued lines after ``> ``) and what they print. ``…`` stands for any
text, on a line of its own for any lines. A block with ``title=name`` is the file that later commands use. A block after
the comment ``<!-- not run: reason -->`` is not run.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

_FENCE = re.compile(r"^```(\w*)(?: title=(\S+))?\s*$")
_SKIP = re.compile(r"^<!-- not run: (.+) -->$")

#: Languages whose blocks must be run, be a file, or say why not.
RUNNABLE = ("console", "bash", "sh", "python", "js", "ts", "jq")
#: Seconds that one command may take: generators and compilers are slow where much else runs.
COMMAND_SECONDS = 150


class Block(NamedTuple):
    """A fenced block. ``line``: of its first line of text, from 1."""

    line: int
    language: str
    title: str | None
    text: str
    skipped: str | None


class Step(NamedTuple):
    """One command, and the lines that it must print."""

    line: int
    command: str
    expected: list[str]


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    skipped: str | None = None
    lines = iter(enumerate(page.splitlines(), 1))
    for number, line in lines:
        if reason := _SKIP.match(line):
            skipped = reason[1]
        elif fence := _FENCE.match(line):
            text = []
            for _, inner in lines:
                if inner.startswith("```"):
                    break
                text.append(inner)
            yield Block(number + 1, fence[1], fence[2], "\n".join(text) + "\n", skipped)
            skipped = None
        elif line.strip():
            skipped = None


def steps(block: Block) -> list[Step]:
    """The commands of a console block."""
    found: list[Step] = []
    for number, line in enumerate(block.text.splitlines(), block.line):
        if line.startswith("$ "):
            found.append(Step(number, line[2:], []))
        elif line.startswith("> ") and found and not found[-1].expected:
            found[-1] = found[-1]._replace(command=f"{found[-1].command}\n{line[2:]}")
        elif found:
            found[-1].expected.append(line)
        elif line.strip():
            raise ValueError(f"line {number}: expected a command after '$ ', got {line!r}")
    return found


def fits(expected: list[str], actual: list[str]) -> bool:
    """Whether printed lines are as a page shows them."""
    if not expected:
        return not actual
    if expected[0].strip() == "…":
        return any(fits(expected[1:], actual[skip:]) for skip in range(len(actual) + 1))
    if not actual:
        return False
    pattern = ".*".join(re.escape(part) for part in expected[0].rstrip().split("…"))
    return re.fullmatch(pattern, actual[0].rstrip()) is not None and fits(expected[1:], actual[1:])


class Words:
    """What pages say where, here, something else is meant: addresses, and names of topics."""

    def __init__(self, here: Mapping[str, str], prefix: str) -> None:
        self._here = here
        self._prefix = prefix

    def to_here(self, text: str) -> str:
        """A page's words as they must be here."""
        for there, here in self._here.items():
            text = text.replace(there, here)
        return re.sub(r"\bklatsch\.(users|rooms|handles|apps|feed)\b", rf"{self._prefix}.\1", text)

    def to_page(self, text: str) -> str:
        """The inverse."""
        for there, here in self._here.items():
            text = text.replace(here, there)
        return text.replace(self._prefix, "klatsch")


class Shell:
    """One bash for all commands of a page, so that variables last."""

    def __init__(self, process: asyncio.subprocess.Process, words: Words) -> None:
        self._process = process
        self._words = words

    @classmethod
    async def start(cls, folder: Path, path: str, environment: Mapping[str, str], words: Words) -> Shell:
        process = await asyncio.create_subprocess_exec(
            "bash", "--noprofile", "--norc", cwd=folder, env={**environment, "PATH": path}, limit=1 << 22,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        return cls(process, words)

    async def run(self, command: str) -> list[str]:
        """The lines that a command prints, in the page's words. A background command prints into a later one's."""
        assert self._process.stdin is not None and self._process.stdout is not None
        end = f"end-{secrets.token_hex(8)}"
        self._process.stdin.write(f"{self._words.to_here(command)}\necho; echo {end}\n".encode())
        await self._process.stdin.drain()
        lines: list[str] = []
        async with asyncio.timeout(COMMAND_SECONDS):
            while (line := (await self._process.stdout.readline()).decode()).strip() != end:
                assert line, f"the shell ended in: {command}"
                lines.append(self._words.to_page(line.rstrip("\n")))
        while lines and not lines[-1]:
            lines.pop()
        return lines

    async def stop(self) -> None:
        """Ends the shell and what it started in the background."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"kill $(jobs -p) 2>/dev/null; exit\n")
        self._process.stdin.close()
        await self._process.communicate()
