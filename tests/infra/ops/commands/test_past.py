"""``klatsch as-of`` and ``klatsch diff``: what operators see of the past.
Tests ``infra/ops/commands/asof.py`` and ``infra/ops/commands/diff.py``."""

from __future__ import annotations

from typing import Any

import msgspec

from events.core.clock import after, now
from events.core.positions import Position
from events.members import MemberRead
from events.messages import MessageDeleted, MessageEdited
from events.rooms import RoomRenamed
from events.users import UserProfileChanged
from infra.base.settings import Settings
from infra.ops.commands import asof, diff, moments
from projectors.read_models.projector import ReadModels
from tests.given import Fact
from tests.infra.ops.operating import SCENE, Heard, Writer, history, klatsch
from tests.running import running

EDITED = Fact("stars", MessageEdited(message="stars-m1", content={"text": "changed"}, data={}), "ada")
LATER = [
    EDITED, Fact("stars", MessageDeleted(message="stars-m2"), "bob"), Fact("stars", RoomRenamed(name="Suns"), "ada"),
    Fact("stars", MemberRead(user="ada", seq=2), "ada"), Fact("ada", UserProfileChanged(name="Countess"), "ada"),
]  # fmt: skip


async def seen(settings: Settings, moment: str, kind: str, id: str) -> Any:
    said = Heard()
    await asof.run(settings, moment, kind, id, json=True, say=said.append)
    return msgspec.json.decode(said.text)


def at(writer: Writer, stream: str, offset: int) -> str:
    return str(Position(*writer.shard("users" if stream == "ada" else "rooms", stream), offset))


async def test_a_room_a_message_and_a_user_as_they_were(settings: Settings) -> None:
    async with history(settings, *SCENE) as writer, running(ReadModels(settings)):
        before = writer.ends[writer.shard("rooms", "stars")]
        profile = writer.ends[writer.shard("users", "ada")]
        await writer.events(*LATER)
        await writer.level()
        then = await seen(settings, at(writer, "stars", before), "room", "stars")
        assert then["room"][0]["name"] == "stars" and {one["user"] for one in then["members"]} == {"ada", "bob"}
        assert [one["content"]["text"] for one in then["messages"]] == ["first", "second"]
        present = await seen(
            settings, at(writer, "stars", writer.ends[writer.shard("rooms", "stars")]), "room", "stars"
        )
        assert present["room"][0]["name"] == "Suns" and present["messages"][1]["deleted"]
        one = await seen(settings, at(writer, "stars", before), "message", "stars-m1")
        assert one["message"][0]["content"] == {"text": "first"}
        user = await seen(settings, at(writer, "ada", profile), "user", "ada")
        assert user["user"][0]["name"] == "Ada" and "credential" not in user["user"][0]
        said = await klatsch(settings, "as-of", at(writer, "stars", before), "room", "stars")
        assert "name: stars" in said and "1 " in said and "first" in said and "(deleted)" not in said
        assert "name: Countess" in await klatsch(settings, "as-of", "0s", "user", "ada")


async def test_what_was_appended_later_with_earlier_times_is_named(settings: Settings) -> None:
    then = after(now(), -600)
    old = [fact._replace(time=after(then, -3600)) for fact in SCENE]
    async with history(settings, *old) as writer, running(ReadModels(settings)):
        await writer.level()
        said = Heard()
        await asof.run(settings, then, "room", "stars", json=False, say=said.append)
        assert said[-1].endswith("all 5 events, with earlier times, as an import does; the log had none then")
        (first,) = [one["appended_later"] for one in [await seen(settings, then, "room", "stars")]]
        assert (first["events"], first["of"]) == (5, 5)
        # As of a position, and as of now, nothing came later; what happened since does not count.
        await writer.events(*LATER)
        await writer.level()
        end = at(writer, "stars", writer.ends[writer.shard("rooms", "stars")])
        for moment in (end, "0s"):
            assert "appended_later" not in await seen(settings, moment, "room", "stars")
        assert (await seen(settings, then, "room", "stars"))["appended_later"]["events"] == 5


def test_some_of_what_counts_came_later() -> None:
    later = moments.Later(events=2, of=7, position=Position("rooms", 3, 1200))
    assert str(later).endswith(
        "2 of 7 events, with earlier times, as an import does; what the log had then is as of rooms/3/1200"
    )


async def test_what_differs_and_by_which_events(settings: Settings) -> None:
    async with history(settings, *SCENE) as writer, running(ReadModels(settings)):
        before, shard = writer.ends[writer.shard("rooms", "stars")], writer.shard("rooms", "stars")
        places = await writer.events(*LATER)
        await writer.level()
        a, b = at(writer, "stars", before), at(writer, "stars", writer.ends[shard])
        said = Heard()
        assert await diff.run(settings, a, b, room="stars", json=True, say=said.append) == 5
        found = {(one["table"], *one["key"]): one for one in map(msgspec.json.decode, said)}
        assert set(found) == {
            ("rooms", "stars"), ("messages", "stars-m1"), ("messages", "stars-m2"), ("revisions", "stars-m1", "0"),
            ("members", "stars", "ada"),
        }  # fmt: skip
        edited = found["messages", "stars-m1"]
        assert edited["columns"]["content"] == {"before": {"text": "first"}, "after": {"text": "changed"}}
        assert edited["events"] == [{"position": str(places[0]), "type": "message.edited"}]
        assert found["rooms", "stars"]["columns"]["name"] == {"before": "stars", "after": "Suns"}
        assert found["revisions", "stars-m1", "0"]["columns"]["content"]["before"] is None
        back = Heard()
        assert await diff.run(settings, b, a, room="stars", json=True, say=back.append) == 5
        turned = {(one["table"], *one["key"]): one for one in map(msgspec.json.decode, back)}
        assert turned["rooms", "stars"]["columns"]["name"] == {"before": "Suns", "after": "stars"}
        # Whatever was touched in between, where no room is named; between two positions of one shard.
        whole = await klatsch(settings, "diff", a, b)
        assert "rooms stars" in whole and "name:" in whole and "room.renamed" in whole
        by_time = await klatsch(settings, "diff", "1h", "0s", "--json", "--user", "ada")
        assert '"users"' in by_time
        assert "Nothing differs" in await klatsch(settings, "diff", b, b, "--room", "stars")


async def test_what_is_no_moment_or_no_entity_is_refused(settings: Settings) -> None:
    async with history(settings, *SCENE) as writer, running(ReadModels(settings)):
        await writer.level()
        cases = {
            ("as-of", "yesterday", "room", "stars"): "MOMENT: expected a time",
            ("as-of", after(now(), 3600), "room", "stars"): "expected a time that is not in the future",
            ("as-of", "rooms/0/999999", "room", "stars"): "the log's end",
            ("as-of", "feed/0/1", "room", "stars"): "expected a shard of this installation",
            ("as-of", "0s", "room", "nowhere"): "expected the id or name of a room",
            ("as-of", "0s", "message", "nothing"): "expected the id of a message",
            ("as-of", "1990-01-01", "room", "stars"): "expected a moment since",
            ("as-of", "1990-01-01", "user", "ada"): "expected a moment since",
            ("diff", "0s", "rooms/0/0"): "expected two times or two positions",
            ("diff", "0s", "0s", "--room", "a", "--user", "b"): "expected one of --room and --user",
        }
        for arguments, expected in cases.items():
            assert expected in " ".join((await klatsch(settings, *arguments, expected=1)).split()), arguments
