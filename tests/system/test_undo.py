"""``klatsch undo`` and ``restore``: what somebody did is taken back by new events, and nothing else changes.
Tests ``infra/ops/commands/revert_plan.py`` and ``producers/revert.py``."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from rich.console import Console

from api.imports import IMPORTABLE
from events.core.clock import after, now
from events.core.positions import Shard, parse_position
from events.core.revert_rules import RevertRule
from events.members import Member
from events.messages import Message
from events.registry import REGISTRY
from events.rooms import UNSAID, Room
from infra.base.settings import Settings
from infra.ops.commands import revert_run
from infra.ops.commands.errors import CannotDo
from producers import registry, revert
from producers.engine.router import partition_of
from producers.revert import REVERTIBLE
from tests.api.conftest import minted
from tests.client import Person, World
from tests.deadline import until
from tests.infra.ops.operating import klatsch
from tests.running import until as eventually
from tests.system import log
from tests.system.acting import cast, script
from tests.system.clients import compared, pushed
from tests.system.log import Entities


def test_each_event_is_taken_back_or_says_why_not() -> None:
    for name, row in REGISTRY.events.items():
        if isinstance(row.revert, RevertRule):
            assert set(row.revert.fields) <= REVERTIBLE[row.revert.kind].fields, name
            assert not row.revert.id or hasattr(row.sample, row.revert.id), name
        else:
            assert row.revert.because, name
    assert {row.name for row in revert.COMMANDS} <= IMPORTABLE <= registry.COMMANDS_BY_NAME.keys()


#: Of a room what no message moves.
ROOM_FIELDS = (*UNSAID, "state", "owner", "pins")


def moment() -> str:
    """A time that is not that of anything before or after it."""
    start = now()
    until(lambda: now() > start)
    middle = now()
    until(lambda: now() > middle)
    return middle


async def undone(settings: Settings, *people: Person, since: str, until: str, **more: Any) -> str:
    """Takes back what people did, and what is said of it."""
    console = Console(soft_wrap=True, record=True, width=250, quiet=False)
    ids = [person.id for person in people]
    await revert_run.of_people(
        settings, ids, since, until, more.pop("room", None), ask=lambda _: True, console=console, all=True
    )
    return console.export_text()


class Scene:
    """A room with its owner, an admin who goes astray, and others."""

    def __init__(self, world: World, people: list[Person], room: str) -> None:
        self.world = world
        self.ada, self.bob, self.mallory, self.eve = people
        self.room = room

    async def state(self, person: Person) -> dict[str, Any]:
        """What a person sees of the room and its people, without what every event moves."""
        room = await person.do("rooms.get", room=self.room)
        members = (await person.do("members.list", room=self.room))["members"]
        page = await person.do("messages.read", room=self.room, limit=200)
        pins = (await person.do("rooms.pins", room=self.room))["pins"]
        return {
            "room": {name: room["room"][name] for name in ROOM_FIELDS},
            "pins": {one["pin"]["message"] for one in pins},
            "members": {one["user"]["id"]: one["member"]["role"] for one in members},
            "custom": {one["user"]["id"]: one["member"]["custom"] for one in members},
            "names": {one["user"]["id"]: (one["user"]["name"], one["user"]["data"]) for one in members},
            "messages": {
                one["id"]: (one["content"], one["data"]) for one in page["messages"]
                if not one["deleted"] and one["type"] in ("text", "image")
            },
        }  # fmt: skip


@pytest.fixture
async def scene(world: World) -> Scene:
    people = [await world.person(name) for name in ("ada", "bob", "mallory", "eve")]
    ada, bob, mallory, _ = people
    room = await ada.group(bob, mallory, name="Lobby", description="For all", topic_line="Tea at four",
                           data={"icon": "door"}, custom={"door": {"open": True}})  # fmt: skip
    await ada.do("members.set_role", room=room, user=mallory.id, role="admin")
    return Scene(world, people, room)


async def test_a_raid_is_taken_back(installed: Settings, scene: Scene) -> None:
    ada, bob, mallory, eve, room = scene.ada, scene.bob, scene.mallory, scene.eve, scene.room
    kept, mine = await ada.say(room, "kept"), await mallory.say(room, "mine")
    await ada.do("messages.pin", room=room, message=kept["id"])
    before, start = await scene.state(ada), moment()
    await mallory.say(room, "spam")
    await mallory.do("messages.pin", room=room, message=mine["id"])
    await mallory.do("messages.edit", room=room, message=mine["id"], content={"text": "worse"}, data={"a": 1})
    await mallory.do("messages.edit", room=room, message=mine["id"], content={"text": "worst"})
    await mallory.do("messages.delete", room=room, message=kept["id"])
    await mallory.do("rooms.change", room=room, name="Mine", description="Gone", topic_line="Raid",
                     data={"icon": "skull", "x": "y"}, custom={"door": {"open": False}, "x": 1},
                     settings={"posting": "admins"})  # fmt: skip
    await mallory.do("members.change", room=room, user=bob.id, custom={"title": "jester"})
    await mallory.do("members.change", room=room, user="me", custom={"title": "king"})
    await mallory.do("members.remove", room=room, user=bob.id)
    await mallory.do("members.add", room=room, user=eve.id)
    await mallory.do("users.change", name="King", data={"k": "v"})
    await mallory.do("relationships.set", user=ada.id, type="friend")
    end = moment()
    found, _ = await log.records(installed)
    said = await undone(installed, mallory, since=start, until=end)
    assert await scene.state(ada) == before, said
    assert not (await mallory.do("relationships.list"))["relationships"]
    assert (await bob.do("rooms.get", room=room))["member"]["role"] == "member"
    assert await eve.refused("rooms.get", room=room) == "not_found"
    again, _ = await log.records(installed)
    old = {record.id: record for record in found}
    assert [record for record in again if record.id in old] == found, "nothing of the log was edited"
    new = [record for record in again if record.id not in old and record.type != "log.opened"]
    assert new and {record.actor for record in new} == {"operator"}
    more = await undone(installed, mallory, since=start, until=end)
    last, _ = await log.records(installed)
    assert len(last) == len(again) and "it is as it was already" in more, "once more changes nothing"


async def test_who_is_erased_does_not_come_back(installed: Settings, scene: Scene, operator: str) -> None:
    """Their leaving and what is hidden of them stand in the log as deeds of theirs."""
    ada, bob, mallory, room = scene.ada, scene.bob, scene.mallory, scene.room
    start = moment()
    hers, his = await mallory.say(room, "mallory was here"), await bob.say(room, "and bob")
    place = moment()
    await ada.do("messages.delete", room=room, message=his["id"])
    await mallory.world.call("users.erase", {"user": mallory.id, "messages": "hide"}, token=operator)

    async def done() -> bool:
        found = await mallory.world.call("users.erasure", {"user": mallory.id}, token=operator)
        return found["erasure"]["done"] is not None

    await eventually(done, "the erasure is done")
    said = await undone(installed, mallory, since=start, until=moment())
    console = Console(soft_wrap=True, record=True, width=250)
    await revert_run.of_room(installed, room, place, ask=lambda _: True, console=console, all=True)
    text = said + console.export_text()
    assert "the account was erased since, for good" in text
    after_ = await scene.state(ada)
    assert mallory.id not in after_["members"] and hers["id"] not in after_["messages"]
    # What others said is brought back.
    assert after_["messages"][his["id"]][0] == {"text": "and bob"}


async def test_what_somebody_else_changed_since_stays(installed: Settings, scene: Scene) -> None:
    ada, mallory, room = scene.ada, scene.mallory, scene.room
    start = moment()
    await mallory.do("rooms.change", room=room, name="Mine", description="Gone")
    await mallory.do("members.add", room=room, user=scene.eve.id)
    end = moment()
    await ada.do("rooms.change", room=room, description="What ada wants")
    await ada.do("members.set_role", room=room, user=scene.eve.id, role="owner")
    said = await undone(installed, mallory, since=start, until=end)
    state = await scene.state(ada)
    assert (state["room"]["name"], state["room"]["description"]) == ("Lobby", "What ada wants")
    assert state["members"][scene.eve.id] == "owner"
    assert "somebody has changed it since" in said and "the room is passed on first" in said


async def test_who_is_connected_hears_of_it(installed: Settings, scene: Scene) -> None:
    """Snapshot + deltas == fresh snapshot, also of a message whose content was gone."""
    ada, mallory, room = scene.ada, scene.mallory, scene.room
    start = moment()
    kept = await ada.say(room, "kept")
    await mallory.do("messages.delete", room=room, message=kept["id"])
    await mallory.do("rooms.change", room=room, name="Mine", settings={"posting": "admins"})
    listener = await pushed(ada)
    assert listener.state.rooms[room]["message"]["content"] == {}
    await undone(installed, mallory, since=start, until=moment())
    deadline = asyncio.get_running_loop().time() + 20
    while True:
        have, want = compared(listener.state, await ada.snapshot(), set())
        if have == want:
            break
        assert asyncio.get_running_loop().time() < deadline, (have, want)
        if not await listener.take():
            await asyncio.sleep(0.02)
    assert listener.state.rooms[room]["message"]["content"] == {"text": "kept"}


async def test_only_in_one_room_and_only_within_the_time(installed: Settings, scene: Scene) -> None:
    mallory, room = scene.mallory, scene.room
    other = await mallory.group(scene.ada)
    early = await mallory.say(room, "early")
    start = moment()
    spam, elsewhere = await mallory.say(room, "spam"), await mallory.say(other, "elsewhere")
    end = moment()
    late = await mallory.say(room, "late")
    await undone(installed, mallory, since=start, until=end, room=room)
    shown = {}
    for place, message in ((room, early), (room, spam), (other, elsewhere), (room, late)):
        found = await mallory.do("messages.get", room=place, message=message["id"])
        shown[message["content"]["text"]] = found["message"]["deleted"] is None
    assert shown == {"early": True, "spam": False, "elsewhere": True, "late": True}


async def test_taking_back_can_be_taken_back(installed: Settings, scene: Scene) -> None:
    """And once more: the key of an order holds only until its entity changes."""
    mallory, room = scene.mallory, scene.room
    shard = Shard("rooms", partition_of(room, installed.partitions))
    start = moment()
    message = await mallory.say(room, "hello")
    end = moment()

    async def shown() -> bool:
        answer = await scene.ada.do("messages.get", room=room, message=message["id"])
        deleted: bool = answer["message"]["deleted"] is not None
        assert answer["message"]["content"] == ({} if deleted else {"text": "hello"})
        return not deleted

    for _ in range(2):
        _, ends = await log.records(installed)
        await undone(installed, mallory, since=start, until=end)
        assert not await shown()
        to = f"{shard}/{ends[str(shard)]}"
        assert await revert_run.of_room(installed, room, to, ask=lambda _: True, console=Console(quiet=True))
        assert await shown()


@pytest.mark.parametrize("seed", range(4))
async def test_a_room_is_restored_whatever_happened(installed: Settings, world: World, seed: int) -> None:
    actors = await cast(world, minted(installed), 4)
    await actors.act(script(300 + seed, 60))
    await actors.people[0].do("sync.get")
    found, ends = await log.records(installed)
    before = log.folded(found)
    await actors.act(script(400 + seed, 90))
    mine = {person.id for person in actors.people}
    rooms = [one for one in before.of(Room) if one.type != "direct" and (one.owner in mine)]
    assert rooms
    for room in rooms:
        shard = Shard("rooms", partition_of(room.id, installed.partitions))
        console = Console(soft_wrap=True, record=True, width=250)
        await revert_run.of_room(
            installed, room.id, f"{shard}/{ends[str(shard)]}", ask=lambda _: True, console=console, all=True
        )
        after_, _ = await log.records(installed)
        assert outline(log.folded(after_), room.id, before) == outline(before, room.id, before), console.export_text()


def outline(state: Entities, room: str, before: Entities) -> dict[str, Any]:
    """What a restoration brings back: what it cannot, seq and reading, left out; what came since is deleted."""
    (found,) = [one for one in state.of(Room) if one.id == room]
    members = [one for one in state.of(Member) if one.room == room and one.state == "joined"]
    messages = [one for one in state.of(Message) if one.room == room and one.type == "text"]
    return {
        "room": {name: getattr(found, name) for name in (*UNSAID, "state", "owner", "members")},
        "members": {one.user: one.role for one in members},
        "messages": {
            one.id: (one.content, {k: v for k, v in one.data.items() if k != "emotion"})
            for one in messages if not one.deleted
        },
    }  # fmt: skip


async def test_what_becomes_of_a_room_is_said_of_those_it_was_made_with(installed: Settings, scene: Scene) -> None:
    mallory, eve = scene.mallory, scene.eve
    start = moment()
    direct = await mallory.direct(eve)
    end = moment()
    said = await undone(installed, mallory, since=start, until=end)
    stays = "-> not: it goes with the room, which stays: the same two always get the same direct room"
    assert said.count(stays) == 2 and "deleted" not in said, said
    assert (await eve.do("rooms.get", room=direct))["room"]["state"] == "active"
    start = moment()
    kept, lost = [await mallory.group(eve, name=name) for name in ("Kept", "Lost")]
    end = moment()
    # Whoever owns it since has other plans with it.
    await mallory.do("members.set_role", room=kept, user=eve.id, role="owner")
    await eve.do("rooms.archive", room=kept)
    said = await undone(installed, mallory, since=start, until=end)
    assert said.count("-> not: it goes with the room, which stays: state: expected what it was changed to") == 2, said
    assert said.count("-> not: it goes with the room, which is deleted") == 2, said
    assert (await eve.do("rooms.get", room=kept))["room"]["state"] == "archived"
    assert await eve.refused("rooms.get", room=lost) == "not_found"
    again = await undone(installed, mallory, since=start, until=end)
    assert again.count("-> not: it goes with the room, which is deleted") == 2, "as it is deleted already"


async def test_many_events_of_many_people(installed: Settings, world: World) -> None:
    """The raid of the issue, smaller: what others did is as it was, event for event."""
    owner = await world.person("owner")
    raiders = [await world.person("raider") for _ in range(5)]
    room = await owner.group(*raiders)
    await owner.say(room, "mine")
    start = moment()
    await asyncio.gather(*(raider.say(room, f"spam {n}") for raider in raiders for n in range(40)))
    end = moment()
    before = log.folded((await log.records(installed))[0])
    assert await revert_run.of_people(
        installed, [one.id for one in raiders], start, end, None, ask=lambda _: True, console=Console(quiet=True)
    )
    now_ = log.folded((await log.records(installed))[0])
    raided = {one.id for one in before.of(Message) if one.author in {raider.id for raider in raiders}}
    assert all(one.deleted for one in now_.of(Message) if one.id in raided and one.type == "text")
    changed = {key for key in now_ if now_[key] != before[key]}
    assert {key for key in changed if key[0] == "message"} == {("message", id) for id in raided}
    assert {key[0] for key in changed} == {"message"}


async def test_without_consent_nothing_is_appended(installed: Settings, scene: Scene) -> None:
    start = moment()
    await scene.mallory.say(scene.room, "spam")
    before, _ = await log.records(installed)
    arguments = ("undo", "--by", scene.mallory.username, "--from", start)
    said = await klatsch(installed, *arguments, expected=1)
    assert "message.deleted" in said and "1 of 1 events can be taken back" in said
    assert len((await log.records(installed))[0]) == len(before)
    assert "1 taken back" in await klatsch(installed, *arguments, "--yes")
    (line,) = (await klatsch(installed, *arguments, "--json", "--to", moment(), "--room", scene.room)).splitlines()[:1]
    assert parse_position(line.split('"position":"')[1].split('"')[0]).topic == "rooms"


async def test_bad_input_is_refused(installed: Settings, scene: Scene) -> None:
    room, me = scene.room, scene.mallory.username
    cases = {
        ("undo", "--by", "nobody-at-all", "--from", "1h"): "--by: expected the id or username",
        ("undo", "--by", me, "--from", "yesterday"): "--from: expected a time",
        ("undo", "--by", me, "--from", "1h", "--to", "2h"): "expected --from before --to",
        ("undo", "--by", me, "--from", "1h", "--room", "no-room"): "expected the id or name of a room",
        ("restore", room, "--to", "9999-01-01T00:00:00Z"): "expected a time that is not in the future",
        ("restore", room, "--to", "rooms/0/99999999"): "the log's end",
        ("restore", room, "--to", "users/0/0"): "expected a position of the room's shard",
        ("restore", room, "--to", "2001-01-01"): "expected a moment since",
        ("restore", "no-room", "--to", "1h"): "expected the id or name of a room",
    }
    for arguments, expected in cases.items():
        assert expected in " ".join((await klatsch(installed, *arguments, expected=1)).split()), arguments
    with pytest.raises(CannotDo, match="expected --from before --to"):
        await revert_run.of_people(installed, [me], after(now(), 10), now(), None, ask=lambda _: True)
