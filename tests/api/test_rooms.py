"""Rooms: private chats, groups, finding, changing, what strangers see."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any

import pytest

from events.core.positions import encode_vector
from events.rooms import direct_room
from tests.api.deltas import delta
from tests.api.test_members import members
from tests.client import Person, Refusal

SETTINGS = {"notifications": True, "announcements": True, "posting": "members", "inviting": "members"}


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
    assert (room["type"], room["name"], room["owner"], room["members"]) == ("direct", "", None, 2)
    assert room["settings"]["announcements"] is False and room["seq"] == 0, "their coming is no message"


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
    # Who blocks is told so; to the other it looks as if nobody was there.
    for person, far, code in ((one, other, "forbidden"), (other, one, "not_found")):
        assert await person.refused("rooms.create", type="direct", members=[far.id]) == code
        assert await person.refused("messages.send", room=room, token="t", content={"text": "x"}) == code
        assert await person.refused("rooms.create", type="public", name="G", members=[far.id]) == code
    await one.do("relationships.remove", user=other.id)
    assert await other.direct(one) == room and (await other.say(room))["seq"] == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "direct"}, {"type": "direct", "members": ["BOB", "EVE"]}, {"type": "direct", "members": ["ADA"]},
        {"type": "direct", "members": ["BOB"], "name": "x"}, {"type": "public"}, {"type": "public", "name": ""},
        {"type": "public", "name": "x" * 101}, {"type": "public", "name": "a\nb"}, {"type": "channel", "name": "x"},
        {"type": "public", "name": "x", "members": ["BOB"] * 201}, {"type": "public", "name": "x", "data": {"a": 1}},
        {"type": "public", "name": "x", "visibility": "secret"}, {"type": "public", "name": "x", "members": "BOB"},
        {"type": "public", "name": "x", "members": [["BOB"]]}, {"type": "public", "name": "x", "members": ["a b"]},
    ],
)  # fmt: skip
async def test_rooms_that_are_refused(ada: Person, bob: Person, eve: Person, fields: dict[str, Any]) -> None:
    ids = {"ADA": ada.id, "BOB": bob.id, "EVE": eve.id}
    if isinstance(found := fields.get("members"), list):
        fields = {**fields, "members": [ids.get(one, one) if isinstance(one, str) else one for one in found]}
    assert await ada.refused("rooms.create", **fields) == "invalid"
    assert await rooms(ada) == [] and await rooms(bob) == []


async def test_rooms_with_people_who_do_not_exist_are_refused(ada: Person, bob: Person) -> None:
    assert await ada.refused("rooms.create", type="public", name="x", members=[bob.id, "nobody"]) == "not_found"
    assert await ada.refused("rooms.create", type="direct", members=["nobody"]) == "not_found"
    assert await rooms(bob) == []


async def test_the_creator_owns_a_group_and_each_member_is_in_it_once(ada: Person, bob: Person) -> None:
    made = await ada.do("rooms.create", type="public", name="Engine", members=[bob.id, ada.id, bob.id], data={"i": "x"})
    room = made["room"]
    assert (room["owner"], room["members"], room["data"], room["type"]) == (ada.id, 2, {"i": "x"}, "public")
    assert (room["description"], room["settings"], room["state"], room["seq"]) == (None, SETTINGS, "active", 0)
    assert await members(ada, room["id"]) == {ada.id: "owner", bob.id: "member"}


async def test_the_room_that_is_asked_for_comes_first(ada: Person, eve: Person) -> None:
    tag = f"ex{secrets.token_hex(4)}"
    for name in (f"{tag} a", f"{tag}-1"):
        await ada.group(name=name)
    exact = await ada.group(name=tag.upper())
    assert (await named(eve, tag))[0] == exact and len(await named(eve, tag)) == 3


async def test_search_by_name_shows_only_what_the_caller_may_see(ada: Person, bob: Person, eve: Person) -> None:
    tag = secrets.token_hex(4)
    public = await ada.group(name=f"Café {tag}")
    inside = await ada.group(name=f"The Cafe {tag}", type="public")
    private = await ada.group(bob, name=f"cafe {tag} hidden", type="private")
    assert await named(eve, f"CAFÉ {tag}") == [public, inside], "prefixes first"
    assert set(await named(bob, f"cafe {tag}")) == {public, inside, private}
    # To somebody whom its owner blocks, or who blocks the owner, a public group does not show either.
    await ada.do("relationships.set", user=eve.id, type="block")
    assert await named(eve, tag) == [] and await eve.refused("members.add", room=public, user="me") == "not_found"
    await ada.do("relationships.remove", user=eve.id)
    await eve.do("relationships.set", user=ada.id, type="block")
    assert await named(eve, tag) == [] and await eve.refused("members.add", room=public, user="me") == "not_found"


async def test_a_stranger_learns_nothing_of_a_room(ada: Person, bob: Person, eve: Person) -> None:
    direct, private = await ada.direct(bob), await ada.group(bob, type="private")
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


async def test_a_room_is_made_with_a_slug_and_all_that_it_has(ada: Person, bob: Person) -> None:
    slug = f"tea-house-{secrets.token_hex(4)}"
    fields: dict[str, Any] = {
        "name": "Чай & 茶", "description": "What we drink\nand when", "topic_line": "Today: 🍵",
        "data": {"icon": "cup"}, "custom": {"cups": [2, 2.5, None], "of": {"чай": True}},
    }  # fmt: skip
    made = await ada.do("rooms.create", type="private", id=slug, **fields, settings={"posting": "admins"})
    room = made["room"]
    assert (room["id"], room["slug"], room["type"], room["owner"]) == (slug, slug, "private", ada.id)
    assert {name: room[name] for name in fields} == fields
    assert room["settings"] == SETTINGS | {"posting": "admins"}
    assert (await ada.do("rooms.get", room=slug))["room"] == room
    for person in (ada, bob):
        assert await person.refused("rooms.create", type="public", name="Other", id=slug) == "taken"


async def test_only_one_of_many_gets_a_slug(ada: Person) -> None:
    people = await asyncio.gather(*(ada.world.person("rush", via=ada.via) for _ in range(6)))
    slug = f"rush-{secrets.token_hex(4)}"

    async def take(person: Person) -> str:
        try:
            return str((await person.do("rooms.create", type="public", name="Rush", id=slug))["room"]["owner"])
        except Refusal as refusal:
            return refusal.code

    made = await asyncio.gather(*(take(one) for one in people))
    assert sorted(made)[-5:] == ["taken"] * 5
    (owner,) = [one for one in people if one.id in made]
    assert (await owner.do("rooms.get", room=slug))["room"]["owner"] == owner.id


@pytest.mark.parametrize(
    "fields",
    [
        {"id": ""}, {"id": "Tea"}, {"id": "tea_house"}, {"id": "-tea"}, {"id": "x" * 101}, {"id": "tea\n"}, {"id": 7},
        {"id": direct_room("default", "a", "b")}, {"name": "tea\u202e"}, {"name": "a\ufffcb"}, {"name": " tea"},
        {"name": "\u2800"},
        {"name": "x" * 101}, {"description": ""}, {"description": "x" * 2001}, {"description": "a\x1bb"},
        {"topic_line": ""}, {"topic_line": "x" * 401}, {"topic_line": "a\nb"}, {"topic_line": "a\u2028b"},
        {"topic_line": "\u2800"},
        {"settings": {"posting": "nobody"}}, {"settings": {"colour": "red"}}, {"settings": {"notifications": 1}},
        {"settings": None}, {"type": "group"}, {"visibility": "public"}, {"owner": "me"},
    ],
    ids=str,
)  # fmt: skip
async def test_rooms_that_cannot_be(ada: Person, fields: dict[str, Any]) -> None:
    plain = {"type": "public", "name": "Tea", "description": "x", "settings": {}}
    assert await ada.refused("rooms.create", **{**plain, **fields}) == "invalid"
    assert await rooms(ada) == []


@pytest.mark.parametrize(
    "fields",
    [{"id": "us"}, {"name": "us"}, {"description": "us"}, {"topic_line": "us"}, {"settings": {"posting": "admins"}}],
)
async def test_a_private_chat_is_made_of_two_people_only(ada: Person, bob: Person, fields: dict[str, Any]) -> None:
    assert await ada.refused("rooms.create", type="direct", members=[bob.id], **fields) == "invalid"
    assert await rooms(ada) == [] and await rooms(bob) == []


async def test_what_of_a_room_changes_is_told_and_the_rest_stays(ada: Person, bob: Person) -> None:
    room = await ada.group(bob, name="Tea", description="Green", settings={"announcements": False})
    socket = await bob.world.socket(bob.token)
    changed = (await ada.do("rooms.change", room=room, description=None, settings={"inviting": "admins"}))["room"]
    settings = SETTINGS | {"announcements": False, "inviting": "admins"}
    assert (changed["name"], changed["description"], changed["settings"]) == ("Tea", None, settings)
    assert (await delta(socket, "room.described"))["data"] == {"description": None}
    assert (await delta(socket, "room.settings_changed"))["data"] == {"settings": settings}
    assert (await ada.do("rooms.change", room=room, description=None, settings={"inviting": "admins"}))[
        "room"
    ] == changed
    assert (await bob.do("rooms.get", room=room))["room"] == changed
    await ada.do("members.set_role", room=room, user=bob.id, role="admin")
    assert (await bob.do("rooms.change", room=room, description="Black"))["room"]["description"] == "Black"
    for wrong in ({"settings": {"posting": "bob"}}, {"settings": {"more": 1}}, {"description": ""}, {"topic_line": ""},
                  {"id": "x"}, {"name": "tea\u200b"}):  # fmt: skip
        assert await ada.refused("rooms.change", room=room, **wrong) == "invalid", wrong


async def test_a_topic_line_is_set_told_and_cleared(ada: Person, bob: Person) -> None:
    room = await ada.group(bob, topic_line="Scones")
    socket = await bob.world.socket(bob.token)
    assert (await bob.do("rooms.get", room=room))["room"]["topic_line"] == "Scones"
    assert await bob.refused("rooms.change", room=room, topic_line="Cake") == "forbidden"
    assert (await ada.do("rooms.change", room=room, topic_line="Cake"))["room"]["topic_line"] == "Cake"
    assert (await delta(socket, "room.topic_line_set", topic_line="Cake"))["stream"] == room
    cleared = (await ada.do("rooms.change", room=room, topic_line=None))["room"]
    assert (await delta(socket, "room.topic_line_set", topic_line=None))["stream"] == room
    assert cleared["topic_line"] is None and cleared["description"] is None
    assert (await bob.do("rooms.get", room=room))["room"] == cleared


async def test_a_custom_object_is_patched_told_and_kept_as_it_was_sent(ada: Person, bob: Person) -> None:
    values = {"big": 2**70, "float": 1.0, "minus": -0.0, "deep": {"list": [1, None, "é"]}}
    room = await ada.group(bob, custom=values)
    socket = await bob.world.socket(bob.token)
    kept = (await bob.do("rooms.get", room=room))["room"]["custom"]
    assert json.dumps(kept) == json.dumps(values), "in value, and in order"
    assert await bob.refused("rooms.change", room=room, custom={"big": 1}) == "forbidden"
    patch = {"big": None, "deep": {"more": True}}
    after = {"float": 1.0, "minus": -0.0, "deep": {"list": [1, None, "é"], "more": True}}
    assert (await ada.do("rooms.change", room=room, custom=patch))["room"]["custom"] == after
    assert (await delta(socket, "room.custom_changed"))["data"] == {"custom": after}
    assert (await bob.do("rooms.get", room=room))["room"]["custom"] == after
    assert (await ada.do("rooms.change", room=room, custom=patch))["room"]["custom"] == after
    no_objects: list[Any] = [[], "x", 1, True]
    for wrong in no_objects:
        assert await ada.refused("rooms.change", room=room, custom=wrong) == "invalid"
    assert await ada.refused("rooms.change", room=room, custom={"a": "x\x00"}) == "invalid"
    direct = await ada.direct(bob)
    assert (await bob.do("rooms.change", room=direct, custom={"a": 1}))["room"]["custom"] == {"a": 1}


async def test_rooms_are_found_by_what_their_objects_contain(ada: Person, bob: Person) -> None:
    async def having(person: Person, part: Any, **more: Any) -> list[str]:
        found, next = list[str](), dict[str, Any]()
        while True:
            page = await person.do("rooms.find", custom=json.dumps(part), limit=2, **more, **next)
            found += [one["room"]["id"] for one in page["rooms"]]
            if page["next"] is None:
                return found
            next = {"cursor": page["next"]}

    tag = secrets.token_hex(4)
    rooms = [
        await ada.group(
            name=f"Course {tag}", type=type, custom={"course": {"tag": tag, "term": term}, "tags": ["a", term]}
        )
        for term, type in enumerate(("public", "public", "public", "private"))
    ]
    course, mine = {"course": {"tag": tag}}, list(reversed(rooms))
    assert await having(ada, course) == mine and await having(bob, course) == []
    for asked in ({"scope": "public"}, {"name": f"course {tag}"}):
        assert sorted(await having(bob, course, **asked)) == sorted(rooms[:3])
        assert await having(bob, course | {"tags": [1.0]}, **asked) == [rooms[1]]
        assert await having(bob, course | {"tags": [1, 2]}, **asked) == []
    then = encode_vector(ada.world.position)
    await ada.do("rooms.change", room=rooms[0], custom={"course": {"tag": None}})
    assert await having(ada, course) == mine[:3]
    assert sorted(await having(ada, course, as_of=then)) == sorted(rooms)
    assert await having(ada, course | {"tags": [3]}, as_of=then) == [rooms[3]]
    for wrong, code in (("[]", "invalid"), ("{", "invalid"), (json.dumps({"a": list(range(101))})[:-1], "invalid")):
        assert await ada.refused("rooms.find", custom=wrong) == code
    names = json.dumps({f"n{n}": 1 for n in range(101)})
    for asked in ({}, {"scope": "public"}, {"name": "x"}):
        assert await ada.refused("rooms.find", custom=names, **asked) == "too_large"


async def test_public_rooms_are_listed_the_latest_activity_first(ada: Person, bob: Person, eve: Person) -> None:
    made = [await ada.group(name=f"n{n}") for n in range(3)]
    private = await ada.group(bob, type="private")
    await ada.say(made[1])
    await bob.do("members.add", room=made[0], user="me")
    found, cursor = list[dict[str, Any]](), dict[str, Any]()
    while len([one for one in found if one["room"]["id"] in made]) < 3:
        page = await bob.do("rooms.find", scope="public", limit=2, **cursor)
        found += page["rooms"]
        cursor = {"cursor": page["next"]}
    mine = {one["room"]["id"]: one["joined"] for one in found if one["room"]["id"] in [*made, private]}
    assert mine == {made[0]: True, made[1]: False, made[2]: False}
    # The notice of a join is activity too.
    assert list(mine) == [made[0], made[1], made[2]]
    assert all("message" not in one for one in found), "what is said inside is for members"
    await ada.do("relationships.set", user=eve.id, type="block")
    listed = await eve.do("rooms.find", scope="public", limit=50)
    assert not {one["room"]["id"] for one in listed["rooms"]} & set(made)


async def test_activity_moves_a_room_up(ada: Person, bob: Person) -> None:
    first, second = await ada.group(bob, name="first"), await ada.group(bob, name="second")
    assert await rooms(bob) == [second, first]
    await ada.do("rooms.change", room=first, description="changed")
    assert await rooms(bob) == [first, second]
    before = (await bob.do("rooms.get", room=second))["room"]["updated"]
    await bob.do("members.read", room=second, seq=0)
    await bob.do("members.set_notifications", room=second, notifications=False)
    assert (await bob.do("rooms.get", room=second))["room"]["updated"] == before, "what only one sees is none"
