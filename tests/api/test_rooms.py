"""Rooms and their members: private chats, groups, joining, leaving, ownership, what strangers see."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import pytest

from events.rooms import direct_room
from tests.client import Person


async def members(person: Person, room: str) -> dict[str, str]:
    """Roles of the members, page by page."""
    answer = await person.do("members.list", room=room, limit=2)
    found = list(answer["members"])
    while answer["next"] is not None:
        answer = await person.do("members.list", room=room, limit=2, cursor=answer["next"])
        found += answer["members"]
    assert all(one["user"]["id"] == one["member"]["user"] for one in found)
    roles = {one["member"]["user"]: one["member"]["role"] for one in found}
    assert len(roles) == len(found)
    return roles


async def rooms(person: Person) -> list[str]:
    """The person's rooms, the latest activity first, page by page."""
    answer = await person.do("rooms.find", limit=2)
    found = list(answer["rooms"])
    while answer["next"] is not None:
        answer = await person.do("rooms.find", limit=2, cursor=answer["next"])
        found += answer["rooms"]
    return [one["room"]["id"] for one in found]


async def named(person: Person, name: str) -> list[str]:
    """Groups that a search finds."""
    answer = await person.do("rooms.find", name=name, limit=2)
    found = list(answer["rooms"])
    while answer["next"] is not None:
        answer = await person.do("rooms.find", name=name, limit=2, cursor=answer["next"])
        found += answer["rooms"]
    return [one["room"]["id"] for one in found]


async def test_the_same_two_always_get_the_same_private_chat(ada: Person, bob: Person) -> None:
    made = await asyncio.gather(*(one.direct(other) for one, other in ((ada, bob), (bob, ada)) * 4))
    assert set(made) == {direct_room("default", ada.id, bob.id)}
    assert await members(bob, made[0]) == {ada.id: "member", bob.id: "member"}
    room = (await ada.do("rooms.get", room=made[0]))["room"]
    assert (room["type"], room["visibility"], room["name"], room["owner"], room["members"]) == (
        "direct", "private", "", None, 2,
    )  # fmt: skip


async def test_who_left_a_private_chat_is_let_in_again_when_it_is_started_again(ada: Person, bob: Person) -> None:
    room = await ada.direct(bob)
    await ada.say(room)
    await bob.do("members.remove", room=room, user="me")
    assert await rooms(bob) == [] and await bob.refused("messages.read", room=room) == "not_found"
    assert await bob.direct(ada) == room
    assert len((await bob.do("messages.read", room=room))["messages"]) == 1


@pytest.mark.parametrize("blocker", [0, 1])
async def test_no_private_chat_across_a_block(ada: Person, bob: Person, blocker: int) -> None:
    room = await ada.direct(bob)
    one, other = (ada, bob) if blocker else (bob, ada)
    await one.do("relationships.set", user=other.id, type="block")
    for person, far in ((one, other), (other, one)):
        assert await person.refused("rooms.create", type="direct", members=[far.id]) == "forbidden"
        assert await person.refused("messages.send", room=room, token="t", content={"text": "x"}) == "forbidden"
        assert await person.refused("rooms.create", type="group", name="G", members=[far.id]) == "forbidden"
    await one.do("relationships.remove", user=other.id)
    assert await other.direct(one) == room and (await other.say(room))["seq"] == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "direct"}, {"type": "direct", "members": ["BOB", "EVE"]}, {"type": "direct", "members": ["ADA"]},
        {"type": "direct", "members": ["BOB"], "name": "x"}, {"type": "group"}, {"type": "group", "name": ""},
        {"type": "group", "name": "x" * 101}, {"type": "group", "name": "a\nb"}, {"type": "channel", "name": "x"},
        {"type": "group", "name": "x", "members": ["BOB"] * 201}, {"type": "group", "name": "x", "data": {"a": 1}},
        {"type": "group", "name": "x", "visibility": "secret"}, {"type": "group", "name": "x", "members": "BOB"},
        {"type": "group", "name": "x", "members": [["BOB"]]}, {"type": "group", "name": "x", "members": ["a b"]},
    ],
)  # fmt: skip
async def test_rooms_that_are_refused(ada: Person, bob: Person, eve: Person, fields: dict[str, Any]) -> None:
    ids = {"ADA": ada.id, "BOB": bob.id, "EVE": eve.id}
    if isinstance(found := fields.get("members"), list):
        fields = {**fields, "members": [ids.get(one, one) if isinstance(one, str) else one for one in found]}
    assert await ada.refused("rooms.create", **fields) == "invalid"
    assert await rooms(ada) == [] and await rooms(bob) == []


async def test_rooms_with_people_who_do_not_exist_are_refused(ada: Person, bob: Person) -> None:
    assert await ada.refused("rooms.create", type="group", name="x", members=[bob.id, "nobody"]) == "not_found"
    assert await ada.refused("rooms.create", type="direct", members=["nobody"]) == "not_found"
    assert await rooms(bob) == []


async def test_the_creator_owns_a_group_and_each_member_is_in_it_once(ada: Person, bob: Person) -> None:
    made = await ada.do("rooms.create", type="group", name="Engine", members=[bob.id, ada.id, bob.id], data={"i": "x"})
    room = made["room"]
    assert (room["owner"], room["members"], room["data"], room["visibility"]) == (ada.id, 2, {"i": "x"}, "public")
    assert await members(ada, room["id"]) == {ada.id: "owner", bob.id: "member"}


async def test_search_by_name_shows_only_what_the_caller_may_see(ada: Person, bob: Person, eve: Person) -> None:
    tag = secrets.token_hex(4)
    public = await ada.group(name=f"Café {tag}")
    inside = await ada.group(name=f"The Cafe {tag}", visibility="public")
    private = await ada.group(bob, name=f"cafe {tag} hidden", visibility="private")
    assert await named(eve, f"CAFÉ {tag}") == [public, inside], "prefixes first"
    assert set(await named(bob, f"cafe {tag}")) == {public, inside, private}
    # To somebody whom its owner blocks, or who blocks the owner, a public group does not show either.
    await ada.do("relationships.set", user=eve.id, type="block")
    assert await named(eve, tag) == [] and await eve.refused("members.add", room=public, user="me") == "not_found"
    await ada.do("relationships.remove", user=eve.id)
    await eve.do("relationships.set", user=ada.id, type="block")
    assert await named(eve, tag) == [] and await eve.refused("members.add", room=public, user="me") == "not_found"


async def test_a_stranger_learns_nothing_of_a_room(ada: Person, bob: Person, eve: Person) -> None:
    direct, private = await ada.direct(bob), await ada.group(bob, visibility="private")
    message = (await ada.say(private))["id"]
    await eve.do("relationships.set", user=ada.id, type="block")
    for room in (direct, private, "0190aaaa-0000-7000-8000-000000000000"):
        calls: list[tuple[str, dict[str, Any]]] = [
            ("rooms.get", {}), ("rooms.change", {"name": "x"}), ("rooms.history", {}), ("members.list", {}),
            ("members.add", {"user": "me"}), ("members.remove", {"user": "me"}), ("members.remove", {"user": ada.id}),
            ("members.read", {"seq": 0}), ("messages.send", {"token": "t", "content": {"text": "x"}}),
            ("messages.read", {}), ("messages.get", {"message": message}),
        ]  # fmt: skip
        for name, fields in calls:
            assert await eve.refused(name, room=room, **fields) == "not_found", (room, name)


async def test_join_and_exit_a_public_group(ada: Person, bob: Person) -> None:
    room = await ada.group()
    joined = await bob.do("members.add", room=room, user="me")
    assert joined["member"]["role"] == "member" and joined["room"]["members"] == 2
    again = await bob.do("members.add", room=room, user="me")
    assert again["member"] == joined["member"], "no event"
    await bob.do("members.remove", room=room, user=bob.id)
    await bob.do("members.remove", room=room, user="me")
    assert await members(ada, room) == {ada.id: "owner"} and await rooms(bob) == []
    assert (await ada.do("rooms.get", room=room))["room"]["members"] == 1


async def test_members_add_others_and_only_the_owner_puts_them_out(ada: Person, bob: Person, eve: Person) -> None:
    room = await ada.group(visibility="private")
    assert await bob.refused("members.add", room=room, user="me") == "not_found"
    assert await bob.refused("members.add", room=room, user=eve.id) == "not_found"
    await ada.do("members.add", room=room, user=bob.id)
    await bob.do("members.add", room=room, user=eve.id)
    assert await members(eve, room) == {ada.id: "owner", bob.id: "member", eve.id: "member"}
    assert await bob.refused("members.remove", room=room, user=eve.id) == "forbidden"
    await ada.do("members.remove", room=room, user=eve.id)
    assert await members(ada, room) == {ada.id: "owner", bob.id: "member"}
    assert await eve.refused("messages.read", room=room) == "not_found"
    assert await ada.refused("members.add", room=room, user="nobody") == "not_found"


async def test_strangers_do_not_add_others_to_a_public_group(ada: Person, bob: Person, eve: Person) -> None:
    room = await ada.group()
    assert await bob.refused("members.add", room=room, user=eve.id) == "forbidden"


async def test_nobody_adds_whom_a_block_stands_between(ada: Person, bob: Person) -> None:
    room = await ada.group()
    await bob.do("relationships.set", user=ada.id, type="block")
    assert await ada.refused("members.add", room=room, user=bob.id) == "forbidden"
    assert await members(ada, room) == {ada.id: "owner"}


async def test_a_private_chat_is_for_its_two_people(ada: Person, bob: Person, eve: Person) -> None:
    room = await ada.direct(bob)
    assert await ada.refused("members.add", room=room, user=eve.id) == "forbidden"
    assert await ada.refused("members.remove", room=room, user=bob.id) == "forbidden"
    assert await members(ada, room) == {ada.id: "member", bob.id: "member"}


async def test_ownership_passes_on_to_the_oldest_member_until_nobody_is_left(
    ada: Person, bob: Person, eve: Person
) -> None:
    room = await ada.group()
    await bob.do("members.add", room=room, user="me")
    await eve.do("members.add", room=room, user="me")
    await ada.do("members.remove", room=room, user="me")
    assert await members(bob, room) == {bob.id: "owner", eve.id: "member"}
    assert (await eve.do("rooms.get", room=room))["room"]["owner"] == bob.id
    await bob.do("members.remove", room=room, user="me")
    await eve.do("members.remove", room=room, user="me")
    # Who comes back first owns it.
    assert (await bob.do("members.add", room=room, user="me"))["member"]["role"] == "owner"
    assert (await ada.do("members.add", room=room, user="me"))["member"]["role"] == "member"
    assert await members(ada, room) == {bob.id: "owner", ada.id: "member"}


async def test_members_leaving_at_once_leave_one_owner(ada: Person) -> None:
    people = await asyncio.gather(*(ada.world.person("crowd", via=ada.via) for _ in range(6)))
    room = await ada.group(*people)
    await asyncio.gather(*(one.do("members.remove", room=room, user="me") for one in (ada, *people[:4])))
    left = await members(people[5], room)
    assert sorted(left) == sorted(one.id for one in people[4:]) and sorted(left.values()) == ["member", "owner"]


async def test_only_the_owner_renames_and_the_search_follows(ada: Person, bob: Person) -> None:
    tag = secrets.token_hex(4)
    room = await ada.group(bob, name=f"old {tag}", data={"icon": "gear", "a": "b"})
    assert await bob.refused("rooms.change", room=room, name="mine") == "forbidden"
    changed = (await ada.do("rooms.change", room=room, name=f"new {tag}", data={"icon": None, "c": "d"}))["room"]
    assert changed["name"] == f"new {tag}" and changed["data"] == {"a": "b", "c": "d"}
    assert (await bob.do("rooms.get", room=room))["room"] == changed
    assert await named(ada, f"new {tag}") == [room] and await named(ada, f"old {tag}") == []
    for wrong in ({"name": ""}, {"name": "a\nb"}, {"data": {"": "x"}}, {"data": {"a": 1}}, {"type": "direct"}):
        assert await ada.refused("rooms.change", room=room, **wrong) == "invalid"
    assert (await bob.do("rooms.get", room=room))["room"] == changed


async def test_a_private_chat_has_data_but_no_name(ada: Person, bob: Person) -> None:
    room = await ada.direct(bob)
    assert await ada.refused("rooms.change", room=room, name="us") == "invalid"
    assert (await bob.do("rooms.change", room=room, data={"colour": "red"}))["room"]["data"] == {"colour": "red"}


async def test_rooms_come_with_last_message_and_unread_count_latest_activity_first(ada: Person, bob: Person) -> None:
    groups = [await ada.group(bob, name=f"g{n}") for n in range(3)]
    for room in (groups[1], groups[2], groups[0]):
        last = await ada.say(room, f"hello {room}")
    assert await rooms(bob) == [groups[0], groups[2], groups[1]]
    found = (await bob.do("rooms.find"))["rooms"][0]
    assert found["message"] == last and found["unread"] == 1 and found["member"]["read"] == 0
    assert (await ada.do("rooms.find"))["rooms"][0]["unread"] == 0, "one's own messages are read"


async def test_the_history_of_a_room_is_what_its_members_saw(ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    await ada.say(room)
    await bob.do("members.read", room=room, seq=1)
    mine = (await ada.do("rooms.history", room=room))["changes"]
    assert [one["type"] for one in reversed(mine)] == [
        "room.created",
        "member.joined",
        "member.joined",
        "message.posted",
    ]
    assert (await bob.do("rooms.history", room=room))["changes"][0]["type"] == "member.read", "one's own"
    first = await bob.do("rooms.history", room=room, limit=2)
    rest = await bob.do("rooms.history", room=room, limit=10, before=first["before"])
    assert len(first["changes"]) == 2 and len(rest["changes"]) == 3
