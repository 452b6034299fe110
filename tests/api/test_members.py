"""Members: joining, leaving, roles, ownership, notices, how far everyone has read."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from events.core.positions import encode_vector
from tests.api.deltas import delta, types
from tests.client import Person, World


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


async def notices(person: Person, room: str) -> list[tuple[int, str, dict[str, Any]]]:
    """All messages of the room: number, type, content."""
    found = (await person.do("messages.read", room=room, limit=200))["messages"]
    assert [one["seq"] for one in found] == list(range(1, len(found) + 1))
    return [(one["seq"], one["type"], one["content"]) for one in found]


async def test_join_and_exit_a_public_group(ada: Person, bob: Person) -> None:
    room = await ada.group()
    joined = await bob.do("members.add", room=room, user="me")
    assert joined["member"]["role"] == "member" and joined["room"]["members"] == 2
    again = await bob.do("members.add", room=room, user="me")
    assert again["member"] == joined["member"], "no event"
    await bob.do("members.remove", room=room, user=bob.id)
    await bob.do("members.remove", room=room, user="me")
    assert await members(ada, room) == {ada.id: "owner"} and (await bob.do("rooms.find"))["rooms"] == []
    assert (await ada.do("rooms.get", room=room))["room"]["members"] == 1


async def test_members_add_others_and_do_not_put_them_out(ada: Person, bob: Person, eve: Person) -> None:
    room = await ada.group(type="private")
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


async def test_the_answer_tells_of_who_was_added(ada: Person, bob: Person, eve: Person) -> None:
    """Not of who added them, also when the key is sent again after all has changed."""
    room = await ada.group(type="private")
    await eve.do("users.change", added_by="nobody")
    added = await ada.do("members.add", room=room, user=bob.id, key="bob")
    (listed,) = [
        one["member"] for one in (await ada.do("members.list", room=room))["members"] if one["member"]["user"] == bob.id
    ]
    assert added["member"] == listed and listed["role"] == "member", "whether bob is notified is his own affair"
    assert (await ada.do("members.add", room=room, user=bob.id))["member"] == listed, "no event"
    invited = await ada.do("members.add", room=room, user=eve.id, key="eve")
    assert invited["member"] is None and invited["invitation"]["user"] == eve.id
    own = (await bob.do("members.add", room=room, user="me", key="own"))["member"]
    assert own == {**listed, "notifications": True} == (await bob.do("members.add", room=room, user=bob.id))["member"]
    await eve.do("members.add", room=room, user="me")
    await ada.do("members.set_role", room=room, user=bob.id, role="admin")
    await bob.do("members.remove", room=room, user=eve.id)
    assert await ada.do("members.add", room=room, user=bob.id, key="bob") == added
    assert await ada.do("members.add", room=room, user=eve.id, key="eve") == invited
    assert (await bob.do("members.add", room=room, user="me", key="own"))["member"] == own


async def test_strangers_do_not_add_others_to_a_public_group(ada: Person, bob: Person, eve: Person) -> None:
    room = await ada.group()
    assert await bob.refused("members.add", room=room, user=eve.id) == "not_found"
    assert await members(ada, room) == {ada.id: "owner"}


async def test_nobody_adds_whom_a_block_stands_between(ada: Person, bob: Person) -> None:
    room = await ada.group()
    await bob.do("relationships.set", user=ada.id, type="block")
    assert await ada.refused("members.add", room=room, user=bob.id) == "not_found"
    theirs = await bob.group()
    assert await bob.refused("members.add", room=theirs, user=ada.id) == "forbidden"
    assert await members(ada, room) == {ada.id: "owner"}


async def test_a_private_chat_is_for_its_two_people(ada: Person, bob: Person, eve: Person) -> None:
    room = await ada.direct(bob)
    assert await ada.refused("members.add", room=room, user=eve.id) == "forbidden"
    assert await ada.refused("members.remove", room=room, user=bob.id) == "forbidden"
    assert await members(ada, room) == {ada.id: "member", bob.id: "member"}


async def test_ownership_passes_on_to_the_oldest_until_nobody_is_left(ada: Person, bob: Person, eve: Person) -> None:
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


async def test_the_oldest_admin_comes_before_older_members(ada: Person, bob: Person, eve: Person) -> None:
    room = await ada.group(bob, eve)
    await ada.do("members.set_role", room=room, user=eve.id, role="admin")
    await ada.do("members.remove", room=room, user="me")
    assert await members(bob, room) == {bob.id: "member", eve.id: "owner"}


async def test_only_admins_let_others_in_where_that_is_set(ada: Person, bob: Person, eve: Person) -> None:
    room = await ada.group(bob, type="private", settings={"inviting": "admins"})
    assert await bob.refused("members.add", room=room, user=eve.id) == "forbidden"
    await ada.do("members.set_role", room=room, user=bob.id, role="admin")
    await bob.do("members.add", room=room, user=eve.id)
    assert await members(ada, room) == {ada.id: "owner", bob.id: "admin", eve.id: "member"}


async def test_promotion_removal_and_who_may(ada: Person, bob: Person, eve: Person) -> None:
    room = await ada.group(bob, eve)
    assert await bob.refused("members.set_role", room=room, user=bob.id, role="admin") == "forbidden"
    answer = await ada.do("members.set_role", room=room, user=bob.id, role="admin")
    assert (answer["member"]["user"], answer["member"]["role"]) == (bob.id, "admin")
    again = await ada.do("members.set_role", room=room, user=bob.id, role="admin")
    assert again == answer, "no event"
    assert await bob.refused("members.remove", room=room, user=ada.id) == "forbidden"
    assert await bob.refused("members.set_role", room=room, user=eve.id, role="admin") == "forbidden"
    assert await bob.refused("members.set_role", room=room, user=bob.id, role="owner") == "forbidden"
    assert await eve.refused("members.remove", room=room, user=bob.id) == "forbidden"
    await bob.do("members.remove", room=room, user=eve.id)
    await ada.do("members.remove", room=room, user=bob.id)
    assert await members(ada, room) == {ada.id: "owner"}
    assert await ada.refused("members.set_role", room=room, user=bob.id, role="admin") == "not_found"
    assert await ada.refused("members.set_role", room=room, user="me", role="member") == "invalid"
    for role in ("guest", "", None):
        assert await ada.refused("members.set_role", room=room, user="me", role=role) == "invalid"


async def test_a_room_is_passed_on(ada: Person, bob: Person, eve: Person) -> None:
    room = await ada.group(bob, eve)
    socket = await eve.world.socket(eve.token)
    given = await ada.do("members.set_role", room=room, user=bob.id, role="owner")
    assert given["member"]["role"] == "owner"
    assert await members(eve, room) == {ada.id: "admin", bob.id: "owner", eve.id: "member"}
    assert (await eve.do("rooms.get", room=room))["room"]["owner"] == bob.id
    assert await ada.refused("members.set_role", room=room, user=eve.id, role="owner") == "forbidden"
    # Everybody receives both halves, in the order in which nobody is the second owner.
    await delta(socket, "member.role_changed", user=bob.id)
    roles = [(d["data"]["user"], d["data"]["role"]) for d in socket.pushed if d["type"] == "member.role_changed"]
    assert roles == [(ada.id, "admin"), (bob.id, "owner")]
    assert await notices(eve, room) == [(1, "system", {"event": "role_changed", "user": bob.id, "role": "owner"})]


async def test_transfers_at_once_leave_one_owner(ada: Person) -> None:
    people = await asyncio.gather(*(ada.world.person("heir", via=ada.via) for _ in range(5)))
    room = await ada.group(*people)

    async def pass_on(to: Person) -> str:
        try:
            return str((await ada.do("members.set_role", room=room, user=to.id, role="owner"))["member"]["user"])
        except Exception as refusal:
            return str(getattr(refusal, "code", refusal))

    made = await asyncio.gather(*(pass_on(one) for one in people))
    (owner,) = [one for one in made if one != "forbidden"]
    roles = await members(people[0], room)
    assert sorted(roles.values()) == ["admin", "member", "member", "member", "member", "owner"]
    assert roles[owner] == "owner" and roles[ada.id] == "admin"


async def test_comings_goings_and_roles_are_messages(ada: Person, bob: Person, eve: Person) -> None:
    room = await ada.group()
    await ada.say(room, "hello")
    await bob.do("members.add", room=room, user="me")
    await ada.do("members.add", room=room, user=eve.id)
    await ada.do("members.set_role", room=room, user=bob.id, role="admin")
    await bob.do("members.remove", room=room, user=eve.id)
    await bob.say(room, "bye")
    await bob.do("members.remove", room=room, user="me")
    assert await notices(ada, room) == [
        (1, "text", {"text": "hello"}), (2, "join", {"user": bob.id}), (3, "join", {"user": eve.id}),
        (4, "system", {"event": "role_changed", "user": bob.id, "role": "admin"}), (5, "leave", {"user": eve.id}),
        (6, "text", {"text": "bye"}), (7, "leave", {"user": bob.id}),
    ]  # fmt: skip
    found = (await ada.do("messages.read", room=room))["messages"]
    assert [one["author"] for one in found] == [ada.id, bob.id, ada.id, ada.id, bob.id, bob.id, bob.id]
    assert (await ada.do("messages.get", room=room, message=found[1]["id"]))["message"] == found[1]
    entry = await ada.do("rooms.get", room=room)
    assert entry["message"] == found[6] and entry["room"]["seq"] == 7 and entry["unread"] == 3
    assert await ada.refused("messages.edit", room=room, message=found[1]["id"], content={"text": "x"}) == "forbidden"
    own = found[3]["id"]
    assert await ada.refused("messages.edit", room=room, message=own, content={"text": "x"}) == "invalid"


async def test_nothing_is_announced_where_that_is_set(ada: Person, bob: Person) -> None:
    room = await ada.group(settings={"announcements": False})
    await bob.do("members.add", room=room, user="me")
    await ada.do("members.set_role", room=room, user=bob.id, role="admin")
    await bob.do("members.remove", room=room, user="me")
    assert await notices(ada, room) == []
    await ada.do("rooms.change", room=room, settings={"announcements": True})
    await bob.do("members.add", room=room, user="me")
    assert await notices(ada, room) == [(1, "join", {"user": bob.id})]


async def test_how_far_each_has_read_is_seen_by_the_others(ada: Person, bob: Person, eve: Person) -> None:
    room = await ada.group(bob, eve)
    for _ in range(3):
        await ada.say(room)
    listening, own = await eve.world.socket(eve.token), await bob.world.socket(bob.token)
    mine = (await bob.do("members.read", room=room, seq=2))["member"]
    assert mine["read"] == 2
    for socket in (listening, own):
        heard = await delta(socket, "member.read", user=bob.id)
        assert (heard["data"], heard["actor"]) == ({"user": bob.id, "seq": 2}, bob.id)
    listed = {one["member"]["user"]: one["member"] for one in (await eve.do("members.list", room=room))["members"]}
    assert {user: one["read"] for user, one in listed.items()} == {ada.id: 3, bob.id: 2, eve.id: 0}
    assert listed[bob.id]["read_at"] == mine["read_at"] and "notifications" not in listed[bob.id]
    # Marked as unread again: also the others see it.
    await bob.do("members.read", room=room, seq=0)
    await delta(listening, "member.read", user=bob.id, seq=0)
    assert (await bob.do("rooms.get", room=room))["unread"] == 3


async def test_a_late_request_takes_back_nothing_that_is_read(ada: Person, bob: Person) -> None:
    room = await ada.group(bob, settings={"announcements": False})
    for _ in range(5):
        await ada.say(room)
    await bob.do("members.read", room=room, seq=5, forward=True)
    late = await bob.do("members.read", room=room, seq=1, forward=True)
    assert (late["member"]["read"], late["unread"]) == (5, 0), "it says how far is read"
    assert (await bob.do("rooms.get", room=room))["unread"] == 0
    back = await bob.do("members.read", room=room, seq=1)
    assert back["unread"] == 4, "marking as unread goes back as before"
    assert await bob.refused("members.read", room=room, seq=6, forward=True) == "invalid"


async def test_what_was_deleted_unread_counts_until_the_room_is_read_to_its_end(ada: Person, bob: Person) -> None:
    """Unread is arithmetic (decision 0015): an app that shows no deleted messages marks the room's last number."""
    room = await ada.group(bob, settings={"announcements": False})
    said = [await ada.say(room) for _ in range(3)]
    for one in said[1:]:
        await ada.do("messages.delete", room=room, message=one["id"])
    await bob.do("members.read", room=room, seq=1)
    entry = await bob.do("rooms.get", room=room)
    assert (entry["unread"], entry["room"]["seq"], entry["message"]["deleted"] is not None) == (2, 3, True)
    assert (await bob.do("members.read", room=room, seq=entry["room"]["seq"], forward=True))["unread"] == 0


async def test_in_a_direct_room_the_other_sees_what_was_read(ada: Person, bob: Person) -> None:
    room = await ada.direct(bob)
    await ada.say(room)
    socket = await ada.world.socket(ada.token)
    await bob.do("members.read", room=room, seq=1)
    await delta(socket, "member.read", user=bob.id, seq=1)


async def test_notifications_are_a_members_own(ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    socket, others = await bob.world.socket(bob.token), await ada.world.socket(ada.token)
    assert (await bob.do("rooms.get", room=room))["member"]["notifications"] is True
    off = await bob.do("members.set_notifications", room=room, notifications=False)
    assert off["member"]["notifications"] is False
    await delta(socket, "member.notifications_set", user=bob.id, notifications=False)
    assert (await bob.do("rooms.get", room=room))["member"]["notifications"] is False
    assert (await ada.do("rooms.get", room=room))["member"]["notifications"] is True
    assert "member.notifications_set" not in await types(others, room, bob)
    history = [one["type"] for one in (await ada.do("rooms.history", room=room))["changes"]]
    assert "member.notifications_set" not in history
    for wrong in ("yes", 1, None):
        assert await bob.refused("members.set_notifications", room=room, notifications=wrong) == "invalid"


async def test_what_is_kept_of_a_member_is_patched_and_told(ada: Person, bob: Person, eve: Person) -> None:
    room = await ada.group(bob, eve)
    socket = await eve.world.socket(eve.token)
    mine = (await bob.do("members.change", room=room, user="me", custom={"seat": {"row": 4}, "x": None}))["member"]
    assert mine["custom"] == {"seat": {"row": 4}}
    heard = await delta(socket, "member.custom_changed", user=bob.id)
    assert heard["data"] == {"user": bob.id, "custom": {"seat": {"row": 4}}} and "include" not in heard
    changed = (await ada.do("members.change", room=room, user=bob.id, custom={"seat": {"no": 1.0}}))["member"]
    assert changed["custom"] == {"seat": {"row": 4, "no": 1.0}}
    assert (await bob.do("rooms.get", room=room))["member"]["custom"] == changed["custom"]
    listed = (await eve.do("members.list", room=room))["members"]
    customs = {one["member"]["user"]: one["member"]["custom"] for one in listed}
    assert customs == {ada.id: {}, bob.id: changed["custom"], eve.id: {}}
    again = await ada.do("members.change", room=room, user=bob.id, custom={"seat": {"row": 4}})
    assert again["member"] == changed, "no event"
    assert await eve.refused("members.change", room=room, user=bob.id, custom={"a": 1}) == "forbidden"
    assert await eve.refused("members.change", room=room, user=ada.id, custom={"a": 1}) == "forbidden"
    assert await ada.refused("members.change", room=room, user="nobody", custom={"a": 1}) == "not_found"
    assert await ada.refused("members.change", room=room, user="me", custom={"a": "x" * 5113}) == "too_large"
    no_objects: list[Any] = [[], None, "x"]
    for wrong in no_objects:
        assert await ada.refused("members.change", room=room, user="me", custom=wrong) == "invalid"


async def test_members_are_found_by_what_their_objects_contain(ada: Person, bob: Person, eve: Person) -> None:
    async def having(text: str, **more: Any) -> list[str]:
        found = await ada.do("members.list", room=room, custom=text, **more)
        return [one["member"]["user"] for one in found["members"]]

    room = await ada.group(bob, eve)
    for person, row in ((bob, 4), (eve, 5)):
        await person.do(
            "members.change", room=room, user="me", custom={"seat": {"row": row, "no": 1}, "tags": ["a", row]}
        )
    then = encode_vector(ada.world.position)
    assert await having('{"seat": {"row": 4.0}}') == [bob.id]
    assert await having('{"tags": ["a"]}') == [bob.id, eve.id]
    assert await having('{"tags": [5, "a"], "seat": {}}') == [eve.id]
    assert await having('{"seat": {"row": "4"}}') == [] and len(await having("{}")) == 3
    await bob.do("members.change", room=room, user="me", custom={"seat": None})
    assert await having('{"seat": {}}') == [eve.id]
    assert await having('{"seat": {"row": 4}}', as_of=then) == [bob.id]
    for wrong in ("[]", "x", "{", '{"a": "\\u0000"}', '{"a":' * 6 + "1" + "}" * 6):
        assert await ada.refused("members.list", room=room, custom=wrong) == "invalid", wrong


async def test_nobody_changes_a_member_past_a_block(ada: Person, bob: Person) -> None:
    direct = await ada.direct(bob)
    assert await ada.refused("members.change", room=direct, user=bob.id, custom={"a": 1}) == "forbidden"
    await bob.do("relationships.set", user=ada.id, type="block")
    assert await ada.refused("members.change", room=direct, user="me", custom={"a": 1}) == "not_found"
    assert await bob.refused("members.change", room=direct, user="me", custom={"a": 1}) == "forbidden"


async def test_who_comes_back_has_their_choice_and_place(ada: Person, bob: Person) -> None:
    room = await ada.group(bob, settings={"announcements": False})
    await ada.say(room)
    await bob.do("members.read", room=room, seq=1)
    await bob.do("members.set_notifications", room=room, notifications=False)
    await bob.do("members.remove", room=room, user="me")
    await ada.say(room)
    back = (await bob.do("members.add", room=room, user="me"))["member"]
    assert (back["read"], back["notifications"], back["role"]) == (1, False, "member")
    assert (await bob.do("rooms.get", room=room))["unread"] == 1


async def test_own_comings_and_goings_are_not_unread(world: World, ada: Person, bob: Person) -> None:
    room = await ada.group()
    await bob.do("members.add", room=room, user="me")
    await bob.do("members.remove", room=room, user="me")
    await bob.do("members.add", room=room, user="me")
    first, place = await bob.do("rooms.get", room=room), encode_vector(world.position)
    assert (first["unread"], first["member"]["read"], first["room"]["seq"]) == (0, 3, 3)
    # Nor for an owner who leaves alone and comes back; what others do is.
    await bob.do("members.remove", room=room, user="me")
    await ada.do("members.remove", room=room, user="me")
    back = await ada.do("members.add", room=room, user="me")
    assert back["member"]["role"] == "owner" and (await ada.do("rooms.get", room=room))["unread"] == 0
    await ada.do("members.add", room=room, user=bob.id)
    found = await bob.do("rooms.get", room=room)
    assert (found["unread"], found["member"]["read"], found["room"]["seq"]) == (3, 4, 7)
    assert await bob.do("rooms.get", room=room, as_of=place) == first


@pytest.mark.parametrize("notifications", [True, False])
async def test_a_room_says_whether_who_joins_is_notified(ada: Person, bob: Person, notifications: bool) -> None:
    room = await ada.group(settings={"notifications": notifications})
    joined = (await bob.do("members.add", room=room, user="me"))["member"]
    assert joined["notifications"] is notifications
