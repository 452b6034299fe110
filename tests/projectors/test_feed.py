"""The feed on real Kafka and Postgres: who receives what. ``test_feed_once.py`` is about crashes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from events.core.records import Changes, Record, State
from events.messages import MessagePosted
from events.registry import REGISTRY
from events.rooms import RoomRenamed
from infra.base.settings import Settings
from producers.engine.log import LogProducer
from projectors.audience import AUDIENCES, MEMBERS, AddressedDelta, Audience, EventContext
from projectors.read_models.projector import ReadModels
from tests.given import Fact, given
from tests.projectors.hearing import feed, hear, producing, texts, types, until_heard, until_type
from tests.projectors.scenes import created, joined, left, posted, registered
from tests.running import running

SCENE = [
    registered("ada"), registered("bob"), registered("cyd"),
    created("r", "ada"), joined("r", "ada"), joined("r", "bob", "ada"),
]  # fmt: skip


@pytest.fixture
async def producer(settings: Settings) -> AsyncIterator[LogProducer]:
    async with producing(settings) as found:
        yield found


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
    # The leaver receives the leave, and that is all.
    assert [kind for kind in types(heard, "bob") if kind.startswith("m")][-1] == "member.left"
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


async def test_a_poison_event_is_parked_and_passed_over(
    settings: Settings, producer: LogProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tell(record: Record[MessagePosted], known: EventContext) -> list[AddressedDelta]:
        if record.data.content["text"] == "bad":
            raise RuntimeError("cannot tell bad")
        return MEMBERS.fan_out(record, known)

    monkeypatch.setitem(AUDIENCES, "message.posted", Audience("the members", tell, MEMBERS.lookup))
    facts = [*SCENE, posted("r", "ada", 1, "bad"), posted("r", "ada", 2, "good")]
    async with given(settings, *facts) as writer, running(ReadModels(settings)):
        async with running(feed(settings, producer)):
            heard = await until_heard(settings, "bob", "good")
        parked = await writer.connection.fetch("select consumer, error from parked")
    assert texts(heard, "bob") == ["good"]
    assert [(row["consumer"], row["error"]) for row in parked] == [("feed", "RuntimeError: cannot tell bad")]


async def test_what_postgres_cannot_look_up_blocks_nobody(settings: Settings, producer: LogProducer) -> None:
    bad = [created("no\x00room", "ada"), posted("no\x00room", "ada", 1, "lost")]
    async with given(settings, *SCENE, *bad, posted("r", "ada", 1, "one")) as writer, running(ReadModels(settings)):
        async with running(feed(settings, producer)):
            heard = await until_heard(settings, "bob", "one")
        parked = await writer.connection.fetchval("select count(*) from parked where consumer = 'feed'")
    assert (texts(heard, "bob"), parked) == (["one"], 2)


async def test_rosters_count_parked_joins(
    settings: Settings, producer: LogProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fold(record: Record, state: State) -> Changes:
        raise RuntimeError("cannot fold")

    row = REGISTRY.events["room.renamed"]
    monkeypatch.setitem(REGISTRY.events, "room.renamed", row._replace(fold=fold))
    # The rename parks the room: the rows never see cyd come and bob go, the feed does.
    facts = [*SCENE, Fact("r", RoomRenamed(name="q"), "ada"), joined("r", "cyd", "ada"), left("r", "bob")]
    async with given(settings, *facts) as writer, running(ReadModels(settings)):
        await writer.level()
        async with running(feed(settings, producer)):
            await until_type(settings, "cyd", "member.left")
        # A new session loads the roster again, in the middle.
        await writer.events(posted("r", "ada", 1, "one"))
        async with running(feed(settings, producer)):
            heard = await until_heard(settings, "cyd", "one")
    assert texts(heard, "ada") == ["one"] and texts(heard, "bob") == []
