"""Archived, deleted and restored rooms: what members, strangers and operators see at each step.
Tests ``api/rooms.py`` and ``producers/rooms.py``."""

from __future__ import annotations

import secrets
from typing import Any

from events.core.positions import encode_vector
from tests.api.deltas import delta
from tests.client import Person

#: Every operation on a room, with a message of it, that shows or changes something inside.
INSIDE: list[tuple[str, dict[str, Any]]] = [
    ("rooms.get", {}), ("rooms.change", {"name": "x"}), ("rooms.history", {}), ("rooms.archive", {}),
    ("rooms.unarchive", {}), ("rooms.delete", {}), ("members.list", {}), ("members.add", {"user": "me"}),
    ("members.add", {"user": "BOB"}), ("members.remove", {"user": "BOB"}), ("members.read", {"seq": 0}),
    ("members.change", {"user": "BOB", "custom": {"a": 1}}),
    ("members.set_role", {"user": "BOB", "role": "admin"}), ("members.set_notifications", {"notifications": False}),
    ("messages.send", {"token": "t", "content": {"text": "x"}}), ("messages.read", {}),
    ("messages.get", {"message": "MESSAGE"}), ("messages.edit", {"message": "MESSAGE", "content": {"text": "x"}}),
    ("messages.delete", {"message": "MESSAGE"}), ("messages.edits", {"message": "MESSAGE"}),
]  # fmt: skip


async def public(person: Person, tag: str) -> list[str]:
    """Rooms that a search by name and the list of public rooms both show, or neither."""
    found = {one["room"]["id"] for one in (await person.do("rooms.find", name=tag))["rooms"]}
    listed = {one["room"]["id"] for one in (await person.do("rooms.find", scope="public", limit=200))["rooms"]}
    assert found <= listed
    return sorted(found)


async def mine(person: Person) -> list[str]:
    return [one["room"]["id"] for one in (await person.do("rooms.find"))["rooms"]]


async def synced(person: Person, room: str) -> dict[str, Any]:
    """The room's entry in a snapshot."""
    entries: list[dict[str, Any]] = (await person.do("sync.get"))["rooms"]
    return next(one for one in entries if one["room"]["id"] == room)


async def test_an_archived_room_is_read_and_left_but_not_written_to(ada: Person, bob: Person, eve: Person) -> None:
    tag = secrets.token_hex(4)
    room = await ada.group(bob, name=f"archive {tag}")
    message = (await bob.say(room))["id"]
    socket = await bob.world.socket(bob.token)
    assert await public(eve, tag) == [room]
    assert await bob.refused("rooms.archive", room=room) == "forbidden"
    assert (await ada.do("rooms.archive", room=room))["room"]["state"] == "archived"
    assert (await ada.do("rooms.archive", room=room))["room"]["state"] == "archived"
    await delta(socket, "room.archived")
    entry = await bob.do("rooms.get", room=room)
    assert entry["room"]["state"] == "archived" and entry["message"]["id"] == message
    assert await public(eve, tag) == [] and room in await mine(bob)
    place = {"room": room, "message": message}
    for person, name, fields in (
        (bob, "messages.send", {"room": room, "token": "t", "content": {"text": "x"}}),
        (bob, "messages.edit", {**place, "content": {"text": "x"}}), (bob, "messages.delete", place),
        (ada, "rooms.change", {"room": room, "name": "x"}), (eve, "members.add", {"room": room, "user": "me"}),
        (ada, "members.add", {"room": room, "user": eve.id}),
        (ada, "members.set_role", {"room": room, "user": bob.id, "role": "admin"}),
        (bob, "members.change", {"room": room, "user": "me", "custom": {"a": 1}}),
        (ada, "members.set_role", {"room": room, "user": bob.id, "role": "owner"}),
    ):  # fmt: skip
        assert await person.refused(name, **fields) == "archived", name
    await bob.do("members.read", room=room, seq=0)
    await bob.do("members.set_notifications", room=room, notifications=False)
    assert [one["seq"] for one in (await bob.do("messages.read", room=room))["messages"]] == [1]
    await bob.do("members.remove", room=room, user="me")
    assert [one["seq"] for one in (await ada.do("messages.read", room=room))["messages"]] == [1], "no notice"


async def test_an_archived_room_is_taken_into_use_again(ada: Person, bob: Person, eve: Person) -> None:
    tag = secrets.token_hex(4)
    room = await ada.group(bob, name=f"again {tag}")
    await ada.do("rooms.archive", room=room)
    assert await bob.refused("rooms.unarchive", room=room) == "forbidden"
    socket = await bob.world.socket(bob.token)
    assert (await ada.do("rooms.unarchive", room=room))["room"]["state"] == "active"
    await delta(socket, "room.unarchived")
    assert await public(eve, tag) == [room] and (await bob.say(room))["seq"] == 1


async def test_a_deleted_room_is_gone_for_everybody(ada: Person, bob: Person, eve: Person) -> None:
    tag = secrets.token_hex(4)
    room = await ada.group(bob, name=f"gone {tag}")
    message = (await bob.say(room))["id"]
    socket = await bob.world.socket(bob.token)
    assert await bob.refused("rooms.delete", room=room) == "forbidden"
    await ada.do("rooms.delete", room=room)
    await delta(socket, "room.deleted")
    words = {"BOB": bob.id, "MESSAGE": message}
    for person in (ada, bob, eve):
        assert room not in await mine(person) and await public(person, tag) == []
        for name, fields in INSIDE:
            found = {
                field: words.get(value, value) if isinstance(value, str) else value for field, value in fields.items()
            }
            if person is bob and name == "members.remove":
                # Leaving is the one thing that a member may still do; see below.
                found["user"] = ada.id
            assert await person.refused(name, room=room, **found) == "not_found", (person.username, name)
    # A client that holds the room learns that it is deleted, and nothing of what it held.
    for person in (ada, bob):
        entry = await synced(person, room)
        assert entry["room"]["state"] == "deleted" and tag not in str(entry)


async def test_nothing_that_a_deleted_room_held_is_in_any_answer(ada: Person, bob: Person) -> None:
    tag = secrets.token_hex(8)
    room = await ada.group(
        bob, name=f"name {tag}", description=f"description {tag}", data={"key": f"data {tag}"}, type="private"
    )
    last = (await bob.say(room, f"text {tag}"))["id"]
    before = await bob.do("rooms.get", room=room)
    moment = encode_vector(bob.world.position)
    assert str(before).count(tag) == 4 and last in str(before)
    await ada.do("rooms.delete", room=room)
    for person in (ada, bob):
        entry = await synced(person, room)
        assert tag not in str(entry) and last not in str(entry)
        assert (entry["room"]["members"], entry["room"]["seq"], entry["unread"]) == (0, 0, 0)
        assert {name: entry["room"][name] for name in ("id", "type", "state", "created")} == {
            "id": room, "type": "private", "state": "deleted", "created": before["room"]["created"]
        }  # fmt: skip
        found = [await person.do("rooms.find"), await person.do("rooms.find", name=tag),
                 await person.do("rooms.find", as_of=moment)]  # fmt: skip
        assert tag not in str(found)
        assert await person.refused("rooms.get", room=room, as_of=moment) == "not_found"
    await bob.do("members.remove", room=room, user="me")
    assert tag not in str(await bob.do("sync.get")) and tag not in str(await synced(ada, room))


async def test_an_operator_brings_a_room_back_as_it_was(ada: Person, bob: Person, eve: Person, operator: str) -> None:
    tag = secrets.token_hex(4)
    room = await ada.group(bob, name=f"back {tag}")
    last = await bob.say(room)
    before = await bob.do("rooms.get", room=room)
    await ada.do("rooms.delete", room=room)
    socket = await bob.world.socket(bob.token)
    assert await ada.refused("rooms.restore", room=room) == "forbidden"
    answer = await ada.world.call("rooms.restore", {"room": room}, token=operator)
    assert answer["room"]["state"] == "active"
    heard = await delta(socket, "room.restored")
    assert heard["actor"] == "operator" and heard["include"]["message"] == last
    after = await bob.do("rooms.get", room=room)
    # Clients hold nothing of a deleted room, so all of it comes along.
    assert heard["include"]["room"] == after["room"]
    changed = {"version", "updated"}
    assert {k: v for k, v in after["room"].items() if k not in changed} == {
        k: v for k, v in before["room"].items() if k not in changed
    }
    assert (after["member"], after["message"], after["unread"]) == (before["member"], last, before["unread"])
    assert await public(eve, tag) == [room] and (await ada.say(room))["seq"] == 2
    assert (await synced(bob, room))["message"]["seq"] == 2


async def test_an_operator_brings_an_archived_room_back_too(ada: Person, bob: Person, operator: str) -> None:
    room = await ada.group(bob)
    await ada.do("rooms.archive", room=room)
    for _ in range(2):
        answer = await ada.world.call("rooms.restore", {"room": room}, token=operator)
        assert answer["room"]["state"] == "active"
    assert (await bob.say(room))["seq"] == 1


async def test_who_left_a_deleted_room_is_not_in_it_when_it_is_brought_back(
    ada: Person, bob: Person, eve: Person, operator: str
) -> None:
    room = await ada.group(bob, eve)
    await ada.do("rooms.delete", room=room)
    await ada.do("members.remove", room=room, user="me")
    await ada.world.call("rooms.restore", {"room": room}, token=operator)
    found = await bob.do("members.list", room=room)
    roles = {one["member"]["user"]: one["member"]["role"] for one in found["members"]}
    assert roles == {bob.id: "owner", eve.id: "member"}


async def test_the_id_of_a_deleted_room_stays_taken(ada: Person, bob: Person, operator: str) -> None:
    slug = f"once-{secrets.token_hex(4)}"
    await ada.do("rooms.create", type="public", name="Once", id=slug)
    await ada.do("rooms.delete", room=slug)
    for person in (ada, bob):
        assert await person.refused("rooms.create", type="public", name="Twice", id=slug) == "taken"
    await ada.world.call("rooms.restore", {"room": slug}, token=operator)
    assert (await ada.do("rooms.get", room=slug))["room"]["name"] == "Once"


async def test_direct_rooms_are_neither_archived_nor_deleted(ada: Person, bob: Person) -> None:
    room = await ada.direct(bob)
    for name in ("rooms.archive", "rooms.unarchive", "rooms.delete"):
        assert await ada.refused(name, room=room) == "forbidden"
    assert (await bob.do("rooms.get", room=room))["room"]["state"] == "active"
