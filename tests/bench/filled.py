"""Installations with a log of a given size, for the scenarios that need much data."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from infra.base import postgres
from tests.bench.scenarios import Options
from tests.bench.story import Shape, Story
from tests.bench.system import System, Wrong
from tests.bench.systems.own import Beside, Own

#: Messages where nothing else is asked for, and what a quick run has.
MESSAGES, QUICK_MESSAGES = 100_000, 2000
_QUICK = Shape(users=100, rooms=30, members=10, reader=20)


class RowsMissing(Wrong):
    """The read models do not hold what the log says; the text says expected and actual."""


class Filled(NamedTuple):
    """An installation, and what its log tells. No role runs; nothing is projected yet."""

    own: Own
    story: Story

    async def check(self) -> None:
        """The read models hold every message, and nothing waits for an operator. Raises RowsMissing."""
        connection = await postgres.connect(self.own.settings)
        try:
            messages = await connection.fetchval("select count(*) from messages")
            parked = await connection.fetchval("select count(*) from parked")
        finally:
            await connection.close()
        if (messages, parked) != (self.story.messages, 0):
            raise RowsMissing(
                f"expected {self.story.messages} messages and nothing parked, got {messages} messages, {parked} parked"
            )


@asynccontextmanager
async def filled(
    system: System, options: Options, messages: int | None = None, shape: Shape | None = None
) -> AsyncIterator[Filled]:
    """An installation of its own beside ``system``; its log has this many messages, or as many as the options say."""
    count = messages or options.messages or (QUICK_MESSAGES if options.quick else MESSAGES)
    story = Story(shape or (_QUICK if options.quick else Shape())._replace(irc=options.irc))
    with tempfile.TemporaryDirectory() as folder:
        async with Own(Beside.of(system), Path(folder)) as own:
            options.say(f"writing a log of {count:,} messages")
            await own.write(chain(story.beginning(), story.going_on(count)))
            yield Filled(own, story)
