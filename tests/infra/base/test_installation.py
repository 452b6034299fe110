"""That topics and schema belong together, for the tests' own installations."""

from __future__ import annotations

import asyncio

import pytest

from infra.base import kafka
from infra.base.installation import LogReplaced, parse_ids, prepare
from infra.base.postgres import Connection
from infra.base.settings import Settings
from tests.given import given
from tests.projectors.scenes import created, joined, registered
from tests.running import until
from tests.servers import ALL, serving


async def test_several_prepare_at_once(settings: Settings) -> None:
    await asyncio.gather(*(prepare(settings) for _ in range(3)))


async def test_topics_made_anew_are_refused(settings: Settings) -> None:
    await prepare(settings)
    await removed(settings, "rooms")
    with pytest.raises(LogReplaced, match=r"expected the ids users=.* found users=.*another KLATSCH_SCHEMA"):
        await prepare(settings)


async def test_a_topic_that_is_new_comes_at_the_next_start(settings: Settings) -> None:
    """An installation of before there were applications: its three topics stay as they are, the fourth is made."""
    async with given(settings, registered("ada"), created("r", "ada"), joined("r", "ada")) as writer:
        await prepare(settings)
        await removed(settings, "apps")
        before = await noted(writer.connection)
        old = {topic: id for topic, id in before.items() if topic != "apps"}
        await writer.connection.execute("update installation set log = $1", " ".join(map("=".join, old.items())))
        await asyncio.gather(*(prepare(settings) for _ in range(3)))
        after = await noted(writer.connection)
        assert after.keys() == before.keys() and after.items() > old.items() and after["apps"] != before["apps"]
        async with serving(settings, ALL):
            await writer.level()
            assert await writer.connection.fetchval("select members from rooms where id = 'r'") == 1
            assert await writer.connection.fetchval("select count(*) from positions where topic = 'apps'") == 2
        # From then on it is one of the log's.
        await removed(settings, "apps")
        with pytest.raises(LogReplaced, match=r"expected the ids users=.* apps=.* found users=.* apps="):
            await prepare(settings)


async def noted(connection: Connection) -> dict[str, str]:
    return parse_ids(await connection.fetchval("select log from installation"))


async def removed(settings: Settings, name: str) -> None:
    """Deletes a topic."""
    topic = settings.topic(name)
    async with kafka.admin(settings) as client:
        await client.delete_topics([topic])

        async def gone() -> bool:
            return topic not in await client.list_topics()

        await until(gone, "the topic is still there")
