"""Pins: who may, what members see and are pushed, and the list as of a moment. Tests ``api/pins.py`` and
``api/as_of/pins.py``."""

from __future__ import annotations

from typing import Any

from events.core.positions import encode_vector
from producers.pins import PINS
from tests.api.deltas import delta
from tests.client import Person, World


async def listed(person: Person, room: str, **more: Any) -> list[str]:
    """Ids of the pinned messages."""
    return [one["pin"]["message"] for one in (await person.do("rooms.pins", room=room, **more))["pins"]]


async def test_members_see_and_are_pushed_what_is_pinned(ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    first, second = await bob.say(room, "first"), await ada.say(room, "second")
    socket = await bob.world.socket(bob.token)
    pin = (await ada.do("messages.pin", room=room, message=first["id"]))["pin"]
    assert (pin["room"], pin["message"], pin["by"]) == (room, first["id"], ada.id)
    pushed = await delta(socket, "message.pinned", message=first["id"])
    assert (pushed["actor"], pushed["time"]) == (ada.id, pin["pinned"])
    await ada.do("messages.pin", room=room, message=second["id"])
    found = await bob.do("rooms.pins", room=room)
    assert found["pins"][1] == {"pin": pin, "message": first}
    assert [one["pin"]["message"] for one in found["pins"]] == [second["id"], first["id"]], "the last one first"
    assert {one["id"] for one in found["users"]} == {ada.id, bob.id}
    assert (await bob.do("rooms.get", room=room))["room"]["pins"] == 2
    await ada.do("messages.unpin", room=room, message=second["id"])
    assert await delta(socket, "message.unpinned", message=second["id"])
    assert await listed(bob, room) == [first["id"]]


async def test_pinning_again_answers_who_has_pinned(ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    await ada.do("members.set_role", room=room, user=bob.id, role="admin")
    place = {"room": room, "message": (await ada.say(room))["id"]}
    pin = (await ada.do("messages.pin", **place, key="k"))["pin"]
    assert (await bob.do("messages.pin", **place))["pin"] == pin
    await bob.do("messages.unpin", **place)
    await bob.do("messages.unpin", **place)
    assert (await ada.do("messages.pin", **place, key="k"))["pin"] == pin, "the first result of the key"
    assert await listed(ada, room) == []
    assert (await bob.do("messages.pin", **place))["pin"]["by"] == bob.id


async def test_who_may(ada: Person, bob: Person, eve: Person) -> None:
    room = await ada.group(bob)
    place = {"room": room, "message": (await bob.say(room))["id"]}
    for name in ("messages.pin", "messages.unpin"):
        assert await bob.refused(name, **place) == "forbidden"
        assert await eve.refused(name, **place) == "not_found"
        assert await ada.refused(name, room=room, message="nothing") == "not_found"
    assert await eve.refused("rooms.pins", room=room) == "not_found"
    await ada.do("messages.pin", **place)
    await ada.do("rooms.archive", room=room)
    assert await ada.refused("messages.unpin", **place) == "archived"
    assert await listed(bob, room) == [place["message"]], "what is archived can be read"
    direct = await ada.direct(bob)
    said = await ada.say(direct)
    await bob.do("messages.pin", room=direct, message=said["id"])
    assert await listed(ada, direct) == [said["id"]]


async def test_what_is_deleted_is_no_longer_pinned(ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    place = {"room": room, "message": (await bob.say(room))["id"]}
    await ada.do("messages.pin", **place)
    socket = await bob.world.socket(bob.token)
    await bob.do("messages.delete", **place)
    assert await delta(socket, "message.unpinned", message=place["message"])
    assert await listed(bob, room) == [] and (await bob.do("rooms.get", room=room))["room"]["pins"] == 0
    assert await ada.refused("messages.pin", **place) == "not_found"


async def test_one_more_than_a_room_has(ada: Person) -> None:
    room = await ada.group()
    said = [(await ada.say(room, f"{n}"))["id"] for n in range(PINS + 1)]
    for message in said[:-1]:
        await ada.do("messages.pin", room=room, message=message)
    assert await ada.refused("messages.pin", room=room, message=said[-1]) == "too_many"
    assert await listed(ada, room) == said[-2::-1]


async def test_the_list_is_as_it_was(world: World, ada: Person, bob: Person, eve: Person) -> None:
    room = await ada.group(bob)
    message = (await bob.say(room, "before"))["id"]
    await ada.do("messages.pin", room=room, message=message)
    then, moment = await bob.do("rooms.pins", room=room), encode_vector(world.position)
    await bob.do("messages.edit", room=room, message=message, content={"text": "after"})
    await ada.do("messages.unpin", room=room, message=message)
    await ada.do("members.add", room=room, user=eve.id)
    assert await bob.do("rooms.pins", room=room, as_of=moment) == then
    assert (await bob.do("rooms.get", room=room, as_of=moment))["room"]["pins"] == 1
    assert await listed(bob, room, as_of=encode_vector(world.position)) == []
    assert await eve.refused("rooms.pins", room=room, as_of=moment) == "not_found"
    await ada.do("messages.pin", room=room, message=message)
    again = encode_vector(world.position)
    await bob.do("messages.delete", room=room, message=message)
    (gone,) = (await bob.do("rooms.pins", room=room, as_of=again))["pins"]
    assert gone["message"]["content"] == {} and gone["message"]["deleted"], "deleted since: shown to nobody"


async def test_of_whom_one_blocks_the_list_shows_as_much_as_a_page(ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    await ada.do("messages.pin", room=room, message=(await bob.say(room))["id"])
    await ada.do("relationships.set", user=bob.id, type="block")
    pins, page = await ada.do("rooms.pins", room=room), await ada.do("messages.read", room=room)
    assert pins["pins"][0]["message"] == page["messages"][0]
    masked = {one["id"]: one for one in page["users"]}[bob.id]
    assert {one["id"]: one for one in pins["users"]}[bob.id] == masked and masked["name"] == bob.username


async def test_who_is_blocked_pins_nothing_in_the_room_of_the_two(ada: Person, bob: Person) -> None:
    room = await ada.direct(bob)
    place = {"room": room, "message": (await bob.say(room))["id"]}
    await ada.do("relationships.set", user=bob.id, type="block")
    for name in ("messages.pin", "messages.unpin"):
        assert await bob.refused(name, **place) == "not_found"
        assert await ada.refused(name, **place) == "forbidden"
