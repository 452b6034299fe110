"""Who receives a profile's changes: contacts as of the change, however far ahead the read models are."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable
from functools import partial
from typing import Any
from zlib import crc32

import pytest
from aiokafka.errors import KafkaError
from msgspec.structs import replace

from events.core.clock import after
from events.core.positions import Shard
from events.core.records import Record
from events.members import MemberJoined, MemberLeft
from events.relationships import Relation, RelationshipSet
from events.users import UserProfileChanged
from infra.base import kafka
from infra.base.postgres import queries
from infra.base.settings import Settings
from producers.engine.log import LogProducer
from projectors.feed import pairs
from projectors.feed.pairs import Pairs
from projectors.read_models.projector import ReadModels
from tests.given import Fact, Given, given
from tests.projectors.hearing import Heard, feed, hear, producing
from tests.projectors.scenes import created, joined, left, registered
from tests.running import running, until

BEGAN = "2026-11-21T08:00:00.000Z"
PEOPLE = ["ada", "bob", "cyd", "dan"]


def at(seconds: float, fact: Fact) -> Fact:
    return fact._replace(time=after(BEGAN, seconds))


def set_(user: str, other: str, type: Relation | None, was: Relation | None = None) -> Fact:
    return Fact(user, RelationshipSet(other=other, type=type, was=was), user)


def renamed(user: str, name: str) -> Fact:
    return Fact(user, UserProfileChanged(name=name), user)


async def contacts(writer: Given, user: str, offset: int, time: str, limit: int) -> set[str]:
    sql = queries("projectors")["contacts"]
    return {row["contact"] for row in await writer.connection.fetch(sql, [user], [offset], [time], limit)}


def expected(facts: Iterable[Fact], user: str, limit: int) -> set[str]:
    """The same from the facts up to a moment, one after the other."""
    pairs: dict[tuple[str, str], Any] = {}
    rooms: dict[str, set[str]] = {}
    for fact in facts:
        match fact.event:
            case RelationshipSet(other=other, type=type):
                pairs[fact.stream, other] = type
            case MemberJoined(user=who):
                rooms.setdefault(fact.stream, set()).add(who)
            case MemberLeft(user=who):
                rooms[fact.stream].discard(who)
            case _:
                pass
    found = {one for room in rooms.values() if user in room and len(room) <= limit for one in room}
    for one in PEOPLE:
        both = {pairs.get((user, one)), pairs.get((one, user))}
        if "friend" in both:
            found.add(one)
        if "block" in both:
            found.discard(one)
    return found - {user}


async def test_contacts_as_of_every_moment(settings: Settings) -> None:
    """Anything may happen; asked at the end, what was true at each moment is found."""
    seeded, rooms = random.Random(7), ["r", "s"]
    inside: dict[str, set[str]] = {room: set() for room in rooms}
    facts = [*(registered(one) for one in PEOPLE), *(created(room, "ada") for room in rooms)]
    while len(facts) < 100:
        one, other = seeded.sample(PEOPLE, 2)
        room = seeded.choice(rooms)
        if seeded.random() < 0.6:
            facts.append(set_(one, other, seeded.choice(["friend", "block", None])))
        elif one in inside[room]:
            inside[room].discard(one)
            facts.append(left(room, one))
        else:
            inside[room].add(one)
            facts.append(joined(room, one))
    timed = [at(place, fact) for place, fact in enumerate(facts)]
    async with given(settings) as writer:
        ends: list[dict[Shard, int]] = []
        for fact in timed:
            await writer.events(fact)
            ends.append(dict(writer.ends))
        await writer.then({})
        told = 0
        for user in PEOPLE:
            shard = writer.shard("users", user)
            for place, fact in enumerate(timed):
                want = expected(timed[: place + 1], user, 2)
                assert await contacts(writer, user, ends[place].get(shard, 0), fact.time, 2) == want, (user, place)
                told += len(want)
        assert told > 100, "there was something to find"


async def test_contacts_are_friends_and_room_mates_without_blocks(settings: Settings) -> None:
    people = ["ada", "out", "in", "mate", "gone", "enemy", "victim", "stranger", "crowded", "chatting", "shut"]
    facts = [
        *(registered(person) for person in people),
        set_("ada", "out", "friend"), set_("in", "ada", "friend"), set_("ada", "gone", "friend"),
        set_("ada", "gone", None), set_("enemy", "ada", "block"), set_("ada", "victim", "block"),
        set_("victim", "ada", "friend"), set_("shut", "ada", "block"),
        created("r", "ada"), *(joined("r", person) for person in ["ada", "mate", "enemy", "victim", "gone"]),
        left("r", "gone"),
        created("big", "ada"), joined("big", "ada"), joined("big", "crowded"), joined("big", "mate"),
        *(joined("big", f"n{n}") for n in range(3)),
        created("d", "ada", "direct"), joined("d", "ada"), joined("d", "chatting"),
        created("e", "ada", "direct"), joined("e", "ada"), joined("e", "shut"),
    ]  # fmt: skip
    async with given(settings, *facts) as writer:
        await writer.then({})
        found = await contacts(writer, "ada", 1000, after(BEGAN, 10**9), 5)
        assert found == {"in", "mate", "out", "chatting"}
        assert await contacts(writer, "stranger", 1000, after(BEGAN, 10**9), 5) == set()


def changes(heard: list[Heard], user: str, other: str) -> list[str]:
    """The names of another that a user receives, in order."""
    mine = (one.delta for one in heard if one.user == user and one.type == "user.profile_changed")
    return [one["data"]["name"] for one in mine if one["stream"] == other and one["data"]["name"] != END]


def along(heard: list[Heard], user: str) -> list[str | None]:
    """Whose name comes along with a user's own relationships, in order; None: nobody's."""
    mine = (one.delta for one in heard if one.user == user and one.type == "relationship.set")
    return [one.get("include", {}).get("user", {}).get("name") for one in mine if one["stream"] == user]


#: The name that everybody takes last, so that it is known that all before has been fed.
END = "end"


async def fed(settings: Settings) -> list[Heard]:
    """The feed, once everybody has received their last name."""

    async def all_there() -> list[Heard]:
        heard = await hear(settings)
        told = {one.user for one in heard if (one.delta["stream"], one.delta["data"].get("name")) == (one.user, END)}
        return heard if told == set(PEOPLE) else []

    found: list[Heard] = await until(all_there, "everybody hears the end")
    return found


async def delayed(settings: Settings, producer: LogProducer, *facts: Fact) -> list[Heard]:
    """What is told by a feed that begins when all has happened, and the read models are at the end."""
    async with given(settings, *(at(0, registered(one)) for one in PEOPLE), *facts) as writer:
        await writer.events(*(at(1000, renamed(one, END)) for one in PEOPLE))
        async with running(ReadModels(settings)):
            await writer.level()
            async with running(feed(settings, producer)):
                return await fed(settings)


@pytest.fixture
async def producer(settings: Settings) -> AsyncIterator[LogProducer]:
    async with producing(settings) as found:
        yield found


#: All are in it. Of ada, bob, cyd and dan some are in the same shard and some are not.
ROOM = [at(0, created("r", "ada")), *(at(0, joined("r", one)) for one in PEOPLE)]
#: Who changes their name, and who may receive it.
TWO = [("ada", "bob"), ("ada", "cyd"), ("cyd", "dan")]


def test_the_people_are_in_both_shards() -> None:
    shards = {one: crc32(one.encode()) % 2 for one in PEOPLE}
    assert {shards[user] == shards[hearer] for user, hearer in TWO} == {True, False}


@pytest.mark.parametrize(("user", "hearer"), TWO)
@pytest.mark.parametrize("blocks", ["hearer", "user"])
async def test_a_name_given_during_a_block_is_not_heard_when_it_is_over(
    settings: Settings, producer: LogProducer, user: str, hearer: str, blocks: str
) -> None:
    one, other = (hearer, user) if blocks == "hearer" else (user, hearer)
    heard = await delayed(
        settings, producer, *ROOM, at(1, renamed(user, "before")), at(2, set_(one, other, "block")),
        at(3, renamed(user, "during")), at(4, set_(one, other, None, "block")), at(5, renamed(user, "after")),
    )  # fmt: skip
    assert changes(heard, hearer, user) == ["before", "after"]
    witness = next(one for one in PEOPLE if one not in (user, hearer))
    assert changes(heard, witness, user) == ["before", "during", "after"]
    # With the block comes who is no more than a username, with its end the profile that there is then.
    assert along(heard, one) == [other, END]
    assert along(heard, other) == []


@pytest.mark.parametrize(("user", "hearer"), TWO)
@pytest.mark.parametrize("blocks", ["hearer", "user"])
async def test_who_was_a_contact_hears_although_there_is_a_block_since(
    settings: Settings, producer: LogProducer, user: str, hearer: str, blocks: str
) -> None:
    one, other = (hearer, user) if blocks == "hearer" else (user, hearer)
    heard = await delayed(
        settings, producer, *ROOM, at(1, renamed(user, "before")), at(2, set_(one, other, "block")),
        at(3, renamed(user, "during")),
    )  # fmt: skip
    assert changes(heard, hearer, user) == ["before"]
    assert along(heard, one) == [other]


async def test_who_is_a_contact_no_more_hears_what_was_before_and_who_became_one_what_was_after(
    settings: Settings, producer: LogProducer
) -> None:
    heard = await delayed(
        settings, producer, at(0, created("r", "ada")), at(0, joined("r", "ada")), at(0, joined("r", "bob")),
        at(0, set_("cyd", "ada", "friend")),
        at(1, renamed("ada", "one")),
        at(2, left("r", "bob")), at(2, set_("cyd", "ada", None, "friend")), at(2, set_("ada", "dan", "friend")),
        at(3, renamed("ada", "two")),
        at(4, set_("ada", "dan", None, "friend")), at(4, joined("r", "bob")),
        at(5, renamed("ada", "three")),
    )  # fmt: skip
    heard_by = {one: changes(heard, one, "ada") for one in PEOPLE}
    assert heard_by == {"ada": ["one", "two", "three"], "bob": ["one", "three"], "cyd": ["one"], "dan": ["two"]}


async def test_a_feed_made_anew_tells_the_same_people(settings: Settings, producer: LogProducer) -> None:
    """Told as it happens, and told again from the log's beginning with read models at its end."""
    story = [
        *ROOM, at(1, renamed("ada", "one")), at(2, set_("bob", "ada", "block")), at(3, renamed("ada", "two")),
        at(4, left("r", "cyd")), at(5, renamed("ada", "three")), at(6, set_("bob", "ada", None, "block")),
        at(7, renamed("ada", "four")), at(8, set_("ada", "dan", "block")), at(9, renamed("ada", "five")),
    ]  # fmt: skip
    async with given(settings, *(at(0, registered(one)) for one in PEOPLE)) as writer, running(ReadModels(settings)):
        async with running(feed(settings, producer)):
            for fact in story:
                (position,) = await writer.events(fact)
                if isinstance(fact.event, UserProfileChanged | RelationshipSet):
                    await until(partial(_told, settings, str(position)), f"{position} is told of as it happens")
            await writer.events(*(at(1000, renamed(one, END)) for one in PEOPLE))
            first = await fed(settings)
        await writer.connection.execute("delete from feed_checkpoints")
        async with kafka.admin(settings) as client:
            await client.delete_topics([settings.topic("feed")])
        await until(partial(_made_anew, settings), "the feed is there again, and empty")
        async with producing(settings) as again, running(feed(settings, again)):
            second = await fed(settings)
    told = {(one.user, one.position, one.delta["id"]) for one in first}
    assert {(one.user, one.position, one.delta["id"]) for one in second} == told
    assert {one: changes(second, one, "ada") for one in PEOPLE} == {
        "ada": ["one", "two", "three", "four", "five"], "bob": ["one", "four", "five"], "cyd": ["one", "two"],
        "dan": ["one", "two", "three", "four"],
    }  # fmt: skip


async def _told(settings: Settings, position: str) -> bool:
    return any(one.position == position for one in await hear(settings))


async def _made_anew(settings: Settings) -> bool:
    try:
        await kafka.ensure_topics(settings)
        return not any((await kafka.end_offsets(settings, settings.topic("feed"), settings.feed_partitions)).values())
    except (KafkaError, kafka.TopicMismatch):
        return False


@pytest.mark.parametrize("blocks", ["hearer", "user"])
async def test_what_came_into_the_log_later_is_later_whatever_its_time(
    settings: Settings, producer: LogProducer, blocks: str
) -> None:
    """Times are those of commands, and of several machines' clocks: ada's is slow."""
    one, other = ("bob", "ada") if blocks == "hearer" else ("ada", "bob")
    scene = [*(at(0, registered(person)) for person in PEOPLE), *ROOM]
    async with given(settings, *scene) as writer, running(ReadModels(settings), feed(settings, producer)):

        async def told(fact: Fact) -> None:
            (position,) = await writer.events(fact)
            await until(partial(_told, settings, str(position)), "it is told of")

        await told(at(10, set_(one, other, "block")))
        await told(at(9, renamed("ada", "during")))
        await told(at(20, set_(one, other, None, "block")))
        await told(at(19, renamed("ada", "after")))
        await writer.events(*(at(1000, renamed(person, END)) for person in PEOPLE))
        heard = await fed(settings)
    # Who lifts a block is given the profile as it was before the last change, and receives that. Her own stream tells
    # in which order ada did what she did.
    assert changes(heard, "bob", "ada") == ["after"]
    assert changes(heard, "cyd", "ada") == ["during", "after"]


def pair(type: Relation | None, was: Relation | None = None) -> Record[RelationshipSet]:
    event = RelationshipSet(other="ada", type=type, was=was)
    return Record(
        topic="users", partition=0, offset=7, id="e", type="relationship.set", stream="bob", time=BEGAN, actor="bob",
        command="c", app="default", data=event,
    )  # fmt: skip


def change(offset: int, user: str = "ada") -> Record:
    return Record(
        topic="users", partition=1, offset=offset, id="e", type="user.profile_changed", stream=user, time=BEGAN,
        actor=user, command="c", app="default", data=UserProfileChanged(name="x"),
    )  # fmt: skip


def test_what_is_certain_of_a_pair_and_for_how_long() -> None:
    time = 100.0
    known, heads = Pairs(lambda: time), {Shard("users", 1): 50}
    known.note(pair("block"), heads, blocks=False)
    assert list(known.correct(change(50), ["bob", "cyd"])) == ["cyd"]
    assert list(known.correct(change(49), ["bob", "cyd"])) == ["bob", "cyd"], "it may have been before"
    assert list(known.correct(change(50, "eve"), ["bob"])) == ["bob"]
    known.note(pair(None, "block"), heads, blocks=True)
    assert list(known.correct(change(50), ["bob"])) == [], "the other still blocks"
    known.note(pair(None, "block"), heads, blocks=False)
    assert list(known.correct(change(50), [])) == ["bob"]
    known.note(pair(None, "friend"), heads, blocks=False)
    assert list(known.correct(change(50), ["cyd"])) == ["cyd"], "they may share a room, or not"
    known.note(pair("friend"), heads, blocks=False)
    assert list(known.correct(change(50), ["cyd"])) == ["cyd", "bob"]
    time += pairs.SECONDS + 1
    known.note(pair(None, "friend"), heads, blocks=False)
    assert len(known) == 0
    for number in range(pairs.PAIRS):
        known.note(replace(pair("friend"), stream=f"u{number}"), heads, blocks=False)
    assert len(known) == pairs.PAIRS
