"""Who reads older deltas gets none of what has been deleted since: on every way, from memory and from Kafka.
Tests ``api/deletions.py`` and ``push/delivery/withheld.py``."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from functools import partial
from itertools import product
from typing import Any

import pytest

from events.core.clock import now, uuid7
from events.core.positions import parse_position
from infra.base.settings import Settings
from infra.ops import roles
from projectors.audience import recipients
from push.delivery.hub import Hub
from tests.api.conftest import minted
from tests.client import Person, World, visiting
from tests.fold import fold, snapshot_state
from tests.parts import Parts
from tests.running import until
from tests.servers import installation, serving
from tests.system.clients import compared, differences

Json = dict[str, Any]
#: Members above which these tests' rooms are named in the feed.
NAMED = 3
#: In every text, name and value that is deleted, and nowhere else.
SECRET = "secret"


@pytest.fixture(scope="module")
async def installed(parts: Parts) -> AsyncIterator[Settings]:
    async with installation(parts) as settings:
        yield settings


@pytest.fixture(scope="module", params=["memory", "kafka"])
def source(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where older deltas are: in the node's memory, or so that it must read them from Kafka, as after a restart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipients, "NAMED_ROOM", NAMED)
        if request.param == "kafka":
            patch.setattr(roles, "Hub", partial(Hub, ring_records=1))
        yield request.param


@pytest.fixture(scope="module")
async def world(installed: Settings, source: str) -> AsyncIterator[World]:
    async with serving(installed) as url, visiting(url) as world:
        yield world


@pytest.fixture
def operator(installed: Settings) -> str:
    return minted(installed)


async def pulled(person: Person, since: Json) -> list[Json]:
    found, cursor = list[Json](), f"{since['epoch']}:{since['cursor']}"
    while True:
        page = await person.do("changes.pull", since=cursor, limit=3)
        assert page["reset"] is False
        if page["cursor"] == cursor:
            return found
        cursor = page["cursor"]
        found += page["changes"]


async def streamed(person: Person, since: Json) -> list[Json]:
    found, last = list[Json](), (await pulled(person, since))[-1]["id"]
    async with person.world.http.get(
        f"{person.world.url}/v1/stream",
        params={"since": f"{since['epoch']}:{since['cursor']}"},
        headers={"Authorization": f"Bearer {person.token}"},
    ) as response:
        while not found or found[-1]["id"] != last:
            line = (await response.content.readline()).decode()
            assert line, "the stream goes on"
            if line.startswith("data: ") and '"position"' in line:
                found.append(json.loads(line.removeprefix("data: ")))
    return found


async def recovered(person: Person, since: Json) -> list[Json]:
    last = (await pulled(person, since))[-1]["id"]
    place = {"recover": True, "offset": since["cursor"], "epoch": since["epoch"]}
    socket = await person.world.socket(person.token, subs={f"user:{person.id}": place})

    async def there() -> bool:
        return any(one["id"] == last for one in socket.pushed)

    await until(there, "the last delta is pushed")
    return socket.pushed


async def looked_back(person: Person, since: Json) -> list[Json]:
    socket = await person.world.socket(person.token)
    place = {"offset": since["cursor"], "epoch": since["epoch"]}
    channel = f"user:{person.id}"
    reply = await socket.command("history", {"channel": channel, "limit": 1000, "since": place})
    found = [one["data"] for one in reply["history"]["publications"]]
    whole = await socket.command("history", {"channel": channel, "limit": 1000})
    ids = {one["id"] for one in found}
    assert found == [one["data"] for one in whole["history"]["publications"] if one["data"]["id"] in ids]
    return found


WAYS: dict[str, Callable[[Person, Json], Awaitable[list[Json]]]] = {
    "pull": pulled, "stream": streamed, "recovery": recovered, "history": looked_back,
}  # fmt: skip


async def heard(way: str, person: Person, since: Json) -> list[Json]:
    """What comes on a way after a snapshot, without what is in it already."""
    found = []
    for delta in await WAYS[way](person, since):
        place = parse_position(delta["position"])
        if place.offset >= since["vector"].get(str(place.shard), 0):
            found.append(delta)
    return found


class Scene:
    """A room with the people in it, one of whom will go."""

    def __init__(self, ada: Person, bob: Person, cyd: Person, room: str) -> None:
        self.ada, self.bob, self.cyd, self.room = ada, bob, cyd, room

    async def say(self, text: str) -> str:
        fields: Json = {"room": self.room, "token": secrets.token_hex(8), "type": "text", "content": {"text": text}}
        return str((await self.ada.do("messages.send", **fields, data={"k": text}))["message"]["id"])

    async def later(self, since: Mapping[str, Json]) -> None:
        """Something that comes after all before, so that nothing of that is at the end."""
        for person in (self.bob, self.cyd):
            name = f"later {secrets.token_hex(4)}"
            await person.do("users.change", name=name)
            if person.id in since:
                await until(partial(self._named, person, since[person.id], name), "the feed has come to the last event")

    async def _named(self, person: Person, since: Json, name: str) -> bool:
        found = of(await pulled(person, since), "user.profile_changed")
        return any(one["data"].get("name") == name for one in found)


@pytest.fixture(params=["small", "large"])
async def scene(world: World, request: pytest.FixtureRequest) -> Scene:
    """Of a large room the feed holds the name, and not who is in it."""
    ada, bob, cyd, dan = [await world.person(name) for name in ("ada", "bob", "cyd", "dan")]
    room = await ada.group(*([bob, cyd, dan] if request.param == "large" else [bob, cyd]), name="Group")
    return Scene(ada, bob, cyd, room)


async def restore(scene: Scene, operator: str, message: str) -> None:
    """Takes the deletion of a message back, as an operator's ``undo`` does."""
    was, became = {"deleted": False}, {"deleted": True}
    fields = {"room": scene.room, "kind": "message", "id": message, "was": was, "became": became}
    order = {"command": "RevertInRoom", "fields": fields, "actor": "operator", "time": now(), "key": uuid7()}
    answer = await scene.ada.world.call("import.orders", {"orders": [order]}, token=operator)
    assert answer["results"][0]["result"] == "done", answer


def of(found: list[Json], type: str, message: str | None = None) -> list[Json]:
    return [one for one in found if one["type"] == type and message in (None, one["data"].get("message"))]


async def test_of_a_deleted_message_only_its_place_is_left(scene: Scene) -> None:
    ada, bob, cyd, room = scene.ada, scene.bob, scene.cyd, scene.room
    since = {one.id: await one.do("sync.get") for one in (bob, cyd)}
    message, kept = await scene.say(f"{SECRET} first"), await scene.say("kept")
    place = {"room": room, "message": message}
    await ada.do("messages.edit", **place, content={"text": f"{SECRET} second"}, data={"k": SECRET})
    await ada.do("messages.edit", **place, content={"text": f"{SECRET} third"})
    await cyd.do("members.remove", room=room, user="me")
    await ada.do("messages.delete", **place)
    await scene.later(since)
    for who, way in product((bob, cyd), WAYS):
        found = await heard(way, who, since[who.id])
        assert SECRET not in json.dumps(found)
        (posted,), edits = of(found, "message.posted", message), of(found, "message.edited")
        token = posted["data"]["token"]
        assert token and posted["actor"] == ada.id and posted["stream"] == room and posted["deleted"] is True
        assert posted["data"] == {
            "message": message, "seq": 1, "token": token, "type": "text", "content": {}, "data": {},
        }  # fmt: skip
        empty = {"message": message, "content": {}, "data": {}}
        assert [(one["data"], one["deleted"]) for one in edits] == [(empty, True)] * 2
        (other,) = of(found, "message.posted", kept)
        assert other["data"]["content"] == {"text": "kept"} and "deleted" not in other
        assert len(of(found, "message.deleted")) == (1 if who is bob else 0), "the ex-member hears no more"
        state = snapshot_state(since[who.id])
        for delta in found:
            fold(state, delta)
        assert differences(*compared(state, await who.do("sync.get"), set())) == []


async def test_what_came_along_with_a_join_goes_too(scene: Scene) -> None:
    ada, cyd, room = scene.ada, scene.cyd, scene.room
    await cyd.do("members.remove", room=room, user="me")
    since = {cyd.id: await cyd.do("sync.get")}
    await ada.do("rooms.change", room=room, settings={"announcements": False})
    message = await scene.say(f"{SECRET} last")
    await ada.do("members.add", room=room, user=cyd.id)
    await scene.later(since)
    for way in WAYS:
        (joined,) = of(await heard(way, cyd, since[cyd.id]), "member.joined")
        assert joined["include"]["message"]["content"] == {"text": f"{SECRET} last"} and "deleted" not in joined
    await ada.do("messages.delete", room=room, message=message)
    await scene.later(since)
    for way in WAYS:
        found = await heard(way, cyd, since[cyd.id])
        assert SECRET not in json.dumps(found)
        (joined,) = of(found, "member.joined")
        shown = joined["include"]["message"]
        assert (shown["id"], shown["content"], shown["data"]) == (message, {}, {}) and shown["deleted"]
        assert joined["deleted"] is True


async def test_what_is_restored_is_shown_again(scene: Scene, operator: str) -> None:
    ada, bob, room = scene.ada, scene.bob, scene.room
    since = {bob.id: await bob.do("sync.get")}
    message = await scene.say("not lost")
    await ada.do("messages.delete", room=room, message=message)
    await restore(scene, operator, message)
    await scene.later(since)
    for way in WAYS:
        found = await heard(way, bob, since[bob.id])
        (posted,), (restored,) = of(found, "message.posted", message), of(found, "message.restored")
        assert posted["data"]["content"] == {"text": "not lost"} and "deleted" not in posted
        assert restored["include"]["restored"]["content"] == {"text": "not lost"} and "deleted" not in restored
    # Deleted again, also what came along when it was restored is gone.
    await ada.do("messages.delete", room=room, message=message)
    await scene.later(since)
    for way in WAYS:
        found = await heard(way, bob, since[bob.id])
        assert "not lost" not in json.dumps(found)
        (restored,) = of(found, "message.restored")
        assert restored["include"]["restored"]["content"] == {} and restored["deleted"] is True


async def test_of_a_deleted_room_nothing_is_left_until_it_is_back(scene: Scene, operator: str) -> None:
    ada, bob, room = scene.ada, scene.bob, scene.room
    since = {bob.id: await bob.do("sync.get")}
    await ada.do("rooms.change", room=room, name=f"{SECRET} name", description=SECRET, topic_line=SECRET,
                 data={"k": SECRET}, custom={"k": [SECRET]})  # fmt: skip
    await ada.do("members.change", room=room, user="me", custom={"k": SECRET})
    await ada.do("members.change", room=room, user=bob.id, custom={"k": "his own"})
    large = (await ada.do("rooms.get", room=room))["room"]["members"] > NAMED
    await scene.say(f"{SECRET} text")
    made = await ada.group(bob, name=f"{SECRET} new")
    await scene.later(since)
    for one in (room, made):
        await ada.do("rooms.delete", room=one)
    await scene.later(since)
    for way in WAYS:
        found = await heard(way, bob, since[bob.id])
        assert SECRET not in json.dumps(found)
        changed = {one["type"]: one for one in found if one["stream"] == room}
        types = ("renamed", "described", "topic_line_set", "data_changed", "custom_changed")
        assert [changed[f"room.{name}"]["data"] for name in types] == [
            {"name": ""}, {"description": None}, {"topic_line": None}, {"data": {}}, {"custom": {}},
        ]  # fmt: skip
        customs = [one for one in of(found, "member.custom_changed") if one["stream"] == room]
        assert [one["data"] for one in customs] == [{"user": ada.id, "custom": {}}, {"user": bob.id, "custom": {}}]
        # What is one's own stays, but in a large room all receive the same.
        assert customs[1].get("include", {}).get("member", {}).get("custom") == (None if large else {"k": "his own"})
        assert changed["message.posted"]["data"]["content"] == {} and changed["message.posted"]["deleted"] is True
        (joined,) = [
            one for one in of(found, "member.joined") if one["stream"] == made and one["data"]["user"] == bob.id
        ]
        assert (joined["include"]["room"]["id"], joined["include"]["room"]["name"]) == (made, "")
    await ada.world.call("rooms.restore", {"room": room}, token=operator)
    await scene.later(since)
    for way in WAYS:
        shown = [one for one in await heard(way, bob, since[bob.id]) if one["stream"] == room]
        assert of(shown, "room.renamed")[0]["data"] == {"name": f"{SECRET} name"}
        assert of(shown, "message.posted")[0]["data"]["content"] == {"text": f"{SECRET} text"}


async def test_who_is_there_hears_at_once_and_whole(scene: Scene) -> None:
    """Deltas as they happen are held up by no question."""
    socket = await scene.bob.world.socket(scene.bob.token)
    message = await scene.say("live")

    async def there() -> list[Json]:
        return of(socket.pushed, "message.posted", message)

    (posted,) = await until(there, "the message is pushed")
    assert posted["data"]["content"] == {"text": "live"} and "deleted" not in posted
