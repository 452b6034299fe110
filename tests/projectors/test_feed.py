"""The feed on real Kafka and Postgres: who hears what, each once, also across crashes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from infra.settings import Settings
from producers.log import LogProducer
from projectors.read_models import ReadModels
from tests.given import given, running
from tests.projectors.hearing import feed, hear, texts, types, until_heard
from tests.projectors.scenes import created, joined, left, posted, registered

SCENE = [
    registered("ada"), registered("bob"), registered("cyd"),
    created("r", "ada"), joined("r", "ada"), joined("r", "bob", "ada"),
]  # fmt: skip


@pytest.fixture
async def producer(settings: Settings) -> AsyncIterator[LogProducer]:
    found = LogProducer(settings)
    yield found
    await found.stop()


async def test_members_hear_as_of_the_event(settings: Settings, producer: LogProducer) -> None:
    facts = [*SCENE, posted("r", "ada", 1, "one"), left("r", "bob"), posted("r", "ada", 2, "two")]
    facts += [joined("r", "cyd", "ada"), posted("r", "cyd", 3, "three")]
    async with given(settings, *facts) as writer, running(ReadModels(settings)):
        # The read models are far ahead of the feed: it still tells as of each event.
        await writer.level()
        async with running(feed(settings, producer)):
            heard = await until_heard(settings, "ada", "three")
    assert texts(heard, "ada") == ["one", "two", "three"]
    assert texts(heard, "bob") == ["one"]
    assert texts(heard, "cyd") == ["three"]
    assert types(heard, "bob")[-1] == "member.left"
    joins = {one.user: one.delta for one in heard if one.type == "member.joined" and one.delta["data"]["user"] == "cyd"}
    assert set(joins) == {"ada", "cyd"}
    assert joins["ada"]["include"]["user"]["name"] == "Cyd"
    assert joins["cyd"]["include"]["room"]["id"] == "r"
    assert joins["cyd"]["include"]["member"]["user"] == "cyd"


async def test_a_restart_feeds_what_is_new_and_nothing_twice(settings: Settings, producer: LogProducer) -> None:
    async with given(settings, *SCENE, posted("r", "ada", 1, "one")) as writer, running(ReadModels(settings)):
        async with running(feed(settings, producer)):
            await until_heard(settings, "bob", "one")
        await writer.events(left("r", "bob"), posted("r", "ada", 2, "two"), joined("r", "bob"))
        await writer.events(posted("r", "ada", 3, "three"))
        async with running(feed(settings, producer)):
            await until_heard(settings, "bob", "three")
        heard = await hear(settings)
    assert texts(heard, "bob") == ["one", "three"]
    assert texts(heard, "ada") == ["one", "two", "three"]
    assert len({(one.user, one.position) for one in heard}) == len(heard)
