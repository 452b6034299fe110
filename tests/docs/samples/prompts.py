"""One process for all samples of a language: code goes in, what it prints and whether it failed come out."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).resolve().parent
#: Seconds that one sample may take.
_SECONDS = 30
#: Prints the status rather than the answer, and gives up where an answer does not end.
_CURL = 'curl() { command curl -s -o answer -w \'%{http_code}\\n\' --max-time "${LIMIT:-20}" "$@"; }\n'

#: What a sample is given: its names and their values.
Names = dict[str, str]


class Language(NamedTuple):
    """How the process of a language is started, and what is written to it for a sample and the mark of its end."""

    command: tuple[str, ...]
    says: Callable[[str, Names, str], str]


def _shell(code: str, names: Names, end: str) -> str:
    given = "".join(f"{name.upper()}='{value}'\n" for name, value in names.items())
    return f"{_CURL}{given}{code}\nprintf '\\n%s %s\\n' {end} $?\n"


def _python(code: str, names: Names, end: str) -> str:
    given = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    return json.dumps({"code": f"import requests\n{given}{code}", "end": end}) + "\n"


def _javascript(code: str, names: Names, end: str) -> str:
    return json.dumps({"code": code, "names": names, "end": end}) + "\n"


LANGUAGES = {
    "curl": Language(("bash", "--noprofile", "--norc"), _shell),
    "javascript": Language(("node", str(_HERE / "prompt.mjs")), _javascript),
    "python": Language((sys.executable, str(_HERE / "prompt.py")), _python),
}


class Ran(NamedTuple):
    """What a sample printed, and how it ended."""

    lines: list[str]
    exit: int

    @property
    def status(self) -> int:
        """The first thing that samples print."""
        return int(self.lines[0].split()[0])


class Prompt:
    """A process that runs samples one after the other."""

    def __init__(self, process: asyncio.subprocess.Process, language: Language) -> None:
        self._process = process
        self._language = language

    async def run(self, code: str, names: Names) -> Ran:
        """Runs a sample with the names that it knows. Fails after some seconds."""
        assert self._process.stdin is not None and self._process.stdout is not None
        end = f"end-{secrets.token_hex(8)}"
        self._process.stdin.write(self._language.says(code, names, end).encode())
        await self._process.stdin.drain()
        lines: list[str] = []
        async with asyncio.timeout(_SECONDS):
            while True:
                line = (await self._process.stdout.readline()).decode()
                assert line, f"the process ended in:\n{code}\n{lines}"
                if line.startswith(end):
                    return Ran(lines, int(line.split()[1]))
                lines += [line.rstrip("\n")] if line.strip() else []


@asynccontextmanager
async def prompt(language: str, folder: Path) -> AsyncIterator[Prompt]:
    """A process for samples of a language, which ends with the block."""
    started = LANGUAGES[language]
    process = await asyncio.create_subprocess_exec(
        *started.command, cwd=folder, limit=1 << 22,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield Prompt(process, started)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(_SECONDS):
            await process.wait()
