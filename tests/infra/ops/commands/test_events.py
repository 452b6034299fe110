"""``klatsch events``: what is shown, in which order, what is left out, and what is refused."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from events.core.clock import after, now
from events.core.positions import BadPosition, Position, Shard, parse_position
from events.registry import REGISTRY
from infra.base.settings import Settings
from infra.ops.commands import event, event_format, events
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.filters import EventFilter, Head, parse_filter
from infra.ops.commands.log import RawRecord
from infra.ops.commands.names import Names
from projectors.read_models.projector import ReadModels
from tests.infra.ops.operating import SCENE, Heard, Writer, history, klatsch
from tests.projectors.scenes import posted
from tests.running import running, until


async def _shown(settings: Settings, limit: int | None = None, **asked: Any) -> list[dict[str, Any]]:
    heard = Heard()
    count = await events.show(settings, parse_filter(**asked), limit=limit, json=True, say=heard.append)
    assert count == len(heard)
    return [msgspec.json.decode(line) for line in heard]


def _texts(found: list[dict[str, Any]]) -> list[str]:
    return [one["event"]["data"]["content"]["text"] for one in found]


def _later_than(moment: str) -> Callable[[], Awaitable[str | None]]:
    async def later() -> str | None:
        return text if (text := now()) > after(moment, 0.002) else None

    return later


async def _superseded(writer: Writer) -> Position:
    """A void record: an owner of the room's shard that was replaced gets one in late."""
    shard = writer.shard("rooms", "stars")
    old = (await writer.log(shard)).term
    await (await writer.log(shard)).open()
    late = await writer.late(posted("stars", "ada", 3, "void"), old)
    # The new owner meets it with its next batch, and opens again.
    await (await writer.log(shard)).open()
    return late


async def test_what_is_asked_for_is_shown_in_the_order_of_the_log(settings: Settings) -> None:
    async with history(settings, *SCENE):
        assert _texts(await _shown(settings, types=["message.*"])) == ["first", "second", "third"]
        assert _texts(await _shown(settings, types=["message.posted"], stream="stars")) == ["first", "second"]
        assert _texts(await _shown(settings, types=["message.posted"], actor="bob")) == ["second", "third"]
        assert _texts(await _shown(settings, types=["message.posted"], limit=1)) == ["third"]
        joins = await _shown(settings, types=["member.joined"], stream="stars")
        assert [one["event"]["data"]["user"] for one in joins] == ["ada", "bob"]
        assert {one["topic"] for one in await _shown(settings, topics=["users"])} == {"users"}


async def test_time_is_the_events_own(settings: Settings) -> None:
    async with history(settings, *SCENE) as writer:
        marks = [one["event"]["time"] for one in await _shown(settings, types=["message.*"])]
        # Times have milliseconds: a moment in between two events needs them apart.
        between = await until(_later_than(marks[-1]), "a later millisecond")
        await writer.events(posted("stars", "ada", 3, "fourth"))
        asked: dict[str, Any] = {"types": ["message.*"]}
        assert _texts(await _shown(settings, **asked, since=between)) == ["fourth"]
        assert _texts(await _shown(settings, **asked, until=between)) == ["first", "second", "third"]
        assert _texts(await _shown(settings, **asked, since="1h")) == ["first", "second", "third", "fourth"]
        assert _texts(await _shown(settings, **asked, since="1h", limit=2)) == ["first", "second"]
        assert _texts(await _shown(settings, **asked, since=marks[0], until=between, actor="bob")) == [
            "second", "third",
        ]  # fmt: skip


async def test_few_among_many_are_found_far_from_the_end(settings: Settings) -> None:
    many = [posted("moons", "bob", seq, "noise") for seq in range(2, 3000)]
    async with history(settings, *SCENE, *many):
        found = await _shown(settings, types=["room.created"])
        assert sorted(one["event"]["subject"] for one in found) == ["moons", "stars"]
        assert len(await _shown(settings, types=["message.*"], limit=2500)) == 2500


async def test_void_records_are_shown_only_where_they_are_asked_for(settings: Settings) -> None:
    async with history(settings, *SCENE) as writer:
        late = await _superseded(writer)
        await writer.events(posted("stars", "bob", 3, "valid"))
        assert _texts(await _shown(settings, types=["message.*"])) == ["first", "second", "third", "valid"]
        (void,) = await _shown(settings, void=True)
        assert (void["valid"], void["offset"]) == (False, late.offset)
        counts = await events.count(settings, parse_filter(types=["message.*"]))
        assert counts == Counter({"message.posted": 4})
        heard = Heard()
        await event.show(settings, late, json=False, say=heard.append)
        assert "void" in heard[0] and "nothing: void" in heard.text


async def test_lines_name_people_and_rooms_once_they_are_known(settings: Settings) -> None:
    async with history(settings, *SCENE, posted("stars", "ada", 3, "bell \x07 and \x1b[2J")) as writer:
        heard = Heard()
        await events.show(settings, parse_filter(types=["message.*"]), limit=None, json=False, say=heard.append)
        assert "stars  bob  " in heard[1] and "second" in heard[1]
        assert "\x07" not in heard.text and "\x1b" not in heard.text
        async with running(ReadModels(settings)):
            await writer.level()
        heard.clear()
        await events.show(settings, parse_filter(types=["message.*"]), limit=None, json=False, say=heard.append)
        assert "#stars  Bob (bob)  " in heard[1]


async def test_what_cannot_be_read_is_shown_all_the_same(settings: Settings) -> None:
    async with history(settings, *SCENE) as writer:
        (position,) = await writer.raw(writer.shard("rooms", "stars"), (b"stars", b"no json \xff"))
        heard = Heard()
        await events.show(settings, EventFilter(), limit=1, json=False, say=heard.append)
        assert str(position) in heard[0] and "(unreadable)" in heard[0]
        assert (await events.count(settings, EventFilter()))["(unreadable)"] == 1
        heard.clear()
        await event.show(settings, position, json=False, say=heard.append)
        assert "cannot be read" in heard.text


async def test_one_event_says_what_it_changed(settings: Settings) -> None:
    async with history(settings, *SCENE):
        (second,) = [one for one in await _shown(settings, types=["message.*"]) if "second" in str(one)]
        position = Position(second["topic"], second["partition"], second["offset"])
        heard = Heard()
        await event.show(settings, position, json=True, say=heard.append)
        shown = msgspec.json.decode(heard.text)
        changes = {(change["entity"], change["field"]): change for change in shown["changes"]}
        assert (changes["room stars", "seq"]["before"], changes["room stars", "seq"]["after"]) == (1, 2)
        assert changes["message stars-m2", "author"]["after"] == "bob"
        assert shown["value"] == second["event"] and ["term", "0"] in shown["headers"]
        heard.clear()
        await event.show(settings, position, json=False, say=heard.append)
        assert "    seq: 1 -> 2" in heard


async def test_following_goes_on_from_now(settings: Settings) -> None:
    async with history(settings, *SCENE) as writer:
        heard, wanted = Heard(), parse_filter(types=["message.*"])
        following = asyncio.create_task(events.follow(settings, wanted, limit=3, json=True, say=heard.append))
        seq = 3
        # Until it follows, nobody can tell whether it has missed one; each new one is there for it to see.
        async with asyncio.timeout(30):
            while not following.done():
                await writer.events(posted("stars", "ada", seq, f"later {seq}"))
                seq += 1
        found = _texts([msgspec.json.decode(line) for line in heard])
        first = int(found[0].split()[1])
        assert found == [f"later {number}" for number in range(first, first + 3)] and await following == 3


async def test_rates_count_what_comes(settings: Settings) -> None:
    async with history(settings, *SCENE) as writer:
        shard, seq = writer.shard("rooms", "stars"), 3
        async with asyncio.timeout(30):
            async for rate in events.rates(settings, parse_filter(topics=["rooms"]), window=5):
                if rate[shard] > 0:
                    break
                await writer.events(posted("stars", "ada", seq))
                seq += 1
        assert set(rate) == {shard, shard._replace(partition=1 - shard.partition)}
        assert rate[shard._replace(partition=1 - shard.partition)] == 0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"types": ["message.flown"]}, "expected an event type such as message.posted"),
        ({"topics": ["feed"]}, "expected one of users, rooms, handles, apps, got 'feed'"),
        ({"since": "yesterday"}, "--since: expected a time such as"),
        ({"until": "2026-13-01"}, "--until: expected a time such as"),
        ({"since": "2026-01-02", "until": "2026-01-01"}, "expected --since before --until"),
        ({"since": "2500-01-01"}, "expected a time up to the log's last event"),
        ({"until": "1990-01-01"}, "expected a time after the log's first event"),
    ],
)
async def test_what_cannot_be_meant_is_refused(settings: Settings, asked: dict[str, Any], said: str) -> None:
    async with history(settings, *SCENE):
        with pytest.raises(CannotDo, match=said.replace("(", r"\(")):
            await _shown(settings, **asked)


@pytest.mark.parametrize(
    ("position", "said"),
    [
        ("rooms/9/1", "expected a partition of rooms from 0 to 1, got rooms/9"),
        ("feed/0/1", "expected a topic of users, rooms, handles, apps, got 'feed'"),
        ("users/0/99999", "expected a position of users/0 from 0 to"),
    ],
)
async def test_a_position_that_is_not_there_is_refused(settings: Settings, position: str, said: str) -> None:
    async with history(settings, *SCENE) as writer:
        await writer.log(writer.shard("users", "ada")._replace(partition=0))
        with pytest.raises(CannotDo, match=said):
            await event.show(settings, parse_position(position), json=False, say=Heard().append)
    with pytest.raises(BadPosition, match="expected topic/partition/offset"):
        parse_position("rooms/3")


def test_columns_stand_below_each_other() -> None:
    """Whatever the type and the shard; also of what is void, or cannot be read."""
    names, found = Names(Settings()), set()
    for type, valid in [(type, True) for type in ("", *REGISTRY.events)] + [("", False), ("handle.claimed", False)]:
        head = Head(type, "THERE", "THERE", "2026-11-21T08:15:30.123Z", msgspec.Raw(b"{}")) if type else None
        for shard in (Shard("rooms", 1), Shard("handles", 23)):
            found.add(
                event_format.line(RawRecord(shard, 1234567, 0, None, b"THERE", (), valid), head, names).index("THERE")
            )
    assert len(found) == 1


async def test_the_command_line(settings: Settings) -> None:
    async with history(settings, *SCENE):
        assert "third" in await klatsch(settings, "events", "--type", "message.*", "--limit", "1")
        assert "3  message.posted" in await klatsch(settings, "events", "--count")
        counts = msgspec.json.decode(await klatsch(settings, "events", "--count", "--json"))
        assert counts["message.posted"] == 3 and counts["room.created"] == 2
        assert "No event matches" in await klatsch(settings, "events", "--type", "user.seen")
        assert "0.0 events/s" in await klatsch(settings, "events", "--rate", "--for", "0.2")
        refused = await klatsch(settings, "events", "--type", "nonsense", expected=1)
        assert refused.startswith("error: --type: expected an event type") and "Traceback" not in refused
        refused = await klatsch(settings, "events", "show", "rooms/0", expected=1)
        assert refused.startswith("error: expected topic/partition/offset")
        refused = await klatsch(settings, "events", "--limit", "3", "show", "rooms/0/1", expected=1)
        assert "expected options after the command" in refused
