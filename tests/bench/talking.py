"""Members of live channels, in a program in Go: the server is what is measured, so its clients must cost little."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.bench.histogram import Histogram
from tests.bench.system import NotHere, Wrong

FOLDER = Path(__file__).parent / "talkers"
#: To be run there.
BUILD = ("go", "build", "-o", "build/talkers", ".")
_BUILD_SECONDS, _READY_SECONDS, _MORE_SECONDS = 300.0, 60.0, 60.0


class Member(NamedTuple):
    """How one connects: by WebSocket where there is a URL, else by gRPC."""

    address: str
    url: str
    token: str


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """How members talk."""

    #: Frames a second of each, and the bytes of what is said in one.
    rate: float
    bytes: int
    #: Seconds that are not counted, that are, and that the last frames may take.
    warm: float
    seconds: float
    settle: float = 2.0


class Talked(msgspec.Struct, frozen=True):
    """What members counted, all together."""

    sent: int
    received: int
    #: Deliveries of the warm-up too.
    total: int
    #: Frames that came after a later one of their sender.
    disorder: int
    errors: list[str]
    #: Deliveries by microseconds from the moment at which they were to be sent.
    micros: dict[int, int]

    def latencies(self) -> Histogram:
        found = Histogram()
        for micros, times in self.micros.items():
            found.record(micros / 1e6, times)
        return found


class NotTalking(Wrong):
    """The members did not talk; the text has what their program said."""


async def built() -> Path:
    """The program. Raises NotHere where there is no Go, or it cannot be built."""
    if shutil.which("go") is None:
        raise NotHere("expected Go, of which the members of channels are made (Debian: apt install golang)")
    process = await asyncio.create_subprocess_exec(*BUILD, cwd=FOLDER, stderr=asyncio.subprocess.PIPE)
    _, said = await asyncio.wait_for(process.communicate(), _BUILD_SECONDS)
    if process.returncode:
        raise NotHere(f"expected 'go build' in {FOLDER} to succeed: {said.decode(errors='replace')[-500:]}")
    return FOLDER / "build" / "talkers"


class Talkers:
    """Members who are connected."""

    def __init__(self, process: asyncio.subprocess.Process, talk: Talk) -> None:
        self._process = process
        self._talk = talk

    async def talk(self) -> Talked:
        """They talk; returns when they have left. Raises NotTalking."""
        seconds = self._talk.warm + self._talk.seconds + self._talk.settle + _MORE_SECONDS
        try:
            out, said = await asyncio.wait_for(self._process.communicate(b"talk\n"), seconds)
        except TimeoutError:
            raise NotTalking(f"expected the members to have talked within {seconds:.0f} s") from None
        if self._process.returncode:
            raise NotTalking(said.decode(errors="replace")[-500:])
        return msgspec.json.decode(out, type=Talked)


@asynccontextmanager
async def talkers(program: Path, members: Sequence[Member], talk: Talk) -> AsyncIterator[Talkers]:
    """Members, all of them connected. Raises NotTalking."""
    process = await asyncio.create_subprocess_exec(
        str(program), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    try:
        plan = {**msgspec.to_builtins(talk), "members": [one._asdict() for one in members]}
        process.stdin.write(json.dumps(plan).encode() + b"\n")
        await process.stdin.drain()
        if (await asyncio.wait_for(process.stdout.readline(), _READY_SECONDS)).strip() != b"ready":
            raise NotTalking((await process.stderr.read()).decode(errors="replace")[-500:])
        yield Talkers(process, talk)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
