"""An installation beside another: its log is projected by one projector at a time, read, and found whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import chain
from pathlib import Path

import pytest

from infra.base.progress import READ_MODELS
from infra.base.settings import Settings
from projectors.feed.projector import FEED
from tests.bench import reads
from tests.bench.filled import Filled, RowsMissing
from tests.bench.projecting import alone
from tests.bench.sheet import Sheet
from tests.bench.story import Shape, Story
from tests.bench.systems.own import Beside, Own
from tests.parts import Parts


@pytest.fixture
async def filled(parts: Parts, tmp_path: Path) -> AsyncIterator[Filled]:
    story = Story(Shape(users=10, rooms=4, members=5, reader=3))
    beside = Beside(Settings(kafka=parts.kafka, postgres=parts.postgres), {})
    async with Own(beside, tmp_path, partitions=2, feed_partitions=2) as own:
        await own.write(chain(story.beginning(), story.going_on(200)))
        yield Filled(own, story)


async def test_a_written_log_is_projected_and_read(filled: Filled) -> None:
    with pytest.raises(RowsMissing, match="expected 200 messages"):
        await filled.check()
    for projector in (READ_MODELS, FEED):
        done = await alone(filled.own.settings, projector)
        assert done.events >= filled.story.count - len(filled.story.users)
        assert done.cpu > 0
    await filled.check()
    await filled.own.start("api")
    sheet = Sheet("models", "ours")
    await reads.read(filled, sheet, 5)
    names = {figure.name for figure in sheet.figures}
    assert {"history, page in the middle, p50", "room list with unread, p99", "search, rare word, p50"} <= names
    assert all(figure.median > 0 for figure in sheet.figures)


async def test_a_page_that_lacks_messages_is_no_figure(filled: Filled) -> None:
    await alone(filled.own.settings, READ_MODELS)
    await filled.own.start("api")
    filled.story.seqs[filled.story.rooms[0]] += 1
    with pytest.raises(reads.WrongPage, match="expected messages"):
        await reads.read(filled, Sheet("models", "ours"), 5)
