"""Who may add whom to a room, and what becomes of those who are only asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from infra.base.settings import Settings
from tests.api.deltas import delta
from tests.client import Person, Via, World, visiting
from tests.parts import Parts
from tests.running import until
from tests.servers import installation, serving

Json = dict[str, Any]


@pytest.fixture
async def ada(world: World, via: Via) -> Person:
    return await world.person("ada", via=via, name="Ada", added_by=None)


@pytest.fixture
async def bob(world: World, via: Via) -> Person:
    """Somebody who has chosen nothing: contacts may add them."""
    return await world.person("bob", via=via, name="Bob", added_by=None)


async def invitations(person: Person) -> dict[str, Json]:
    """What waits for somebody's answer, by room, page by page."""
    answer = await person.do("invitations.list", limit=2)
    found = list(answer["invitations"])
    while answer["next"] is not None:
        answer = await person.do("invitations.list", limit=2, cursor=answer["next"])
        found += answer["invitations"]
    assert len({one["room"] for one in found}) == len(found)
    return {one["room"]: one for one in found}


async def rooms(person: Person) -> list[str]:
    return [entry["room"]["id"] for entry in (await person.do("rooms.find"))["rooms"]]


async def added(by: Person, who: Person, room: str) -> bool:
    """Adds somebody. Whether they were added at once; else they are invited."""
    answer = await by.do("members.add", room=room, user=who.id)
    assert (answer["member"] is None) == (answer["invitation"] is not None)
    assert (room in await rooms(who)) == (answer["invitation"] is None)
    return answer["member"] is not None


@pytest.mark.parametrize("type", ["public", "private"])
async def test_a_stranger_asks_and_who_is_asked_accepts(ada: Person, bob: Person, type: str) -> None:
    room = await ada.group(type=type, name="Den")
    last = await ada.say(room, "not yet for bob")
    answer = await ada.do("members.add", room=room, user=bob.id)
    assert answer["member"] is None and answer["room"]["members"] == 1
    shown = {"room": room, "user": bob.id, "by": ada.id, "type": type, "name": "Den"}
    assert shown.items() <= answer["invitation"].items()
    listed = await bob.do("invitations.list")
    assert listed["invitations"] == [answer["invitation"]] and [one["id"] for one in listed["users"]] == [ada.id]
    assert set(answer["invitation"]) == {*shown, "created", "version"}, "nothing else of the room"
    # Until then the room is not bob's.
    assert await rooms(bob) == [] and "not yet" not in str(await bob.do("sync.get"))
    for name in ("rooms.get", "members.list", "messages.read", "rooms.history", "presence.room"):
        assert await bob.refused(name, room=room) == "not_found"
    assert await bob.refused("messages.get", room=room, message=last["id"]) == "not_found"
    joined = await bob.do("members.add", room=room, user="me")
    assert joined["member"]["user"] == bob.id and joined["room"]["members"] == 2
    assert await invitations(bob) == {} and await rooms(bob) == [room]


async def test_who_invites_twice_invites_once(ada: Person, bob: Person) -> None:
    room = await ada.group(type="private")
    first = await ada.do("members.add", room=room, user=bob.id, key="k1")
    assert await ada.do("members.add", room=room, user=bob.id, key="k1") == first
    assert await ada.do("members.add", room=room, user=bob.id) == first
    assert list(await invitations(bob)) == [room]


async def test_friends_and_those_who_share_a_room_add_each_other(ada: Person, bob: Person) -> None:
    first, second = await ada.group(type="private"), await ada.group(type="private")
    # That ada holds bob for a friend is no permission of his.
    await ada.do("relationships.set", user=bob.id, type="friend")
    assert not await added(ada, bob, first)
    await bob.do("relationships.set", user=ada.id, type="friend")
    assert await added(ada, bob, second)
    await bob.do("relationships.remove", user=ada.id)
    # Now they share a room.
    assert await added(ada, bob, first) and await invitations(bob) == {}
    for room in (first, second):
        await bob.do("members.remove", room=room, user="me")
    assert not await added(ada, bob, first)


@pytest.mark.parametrize("chosen", ["everyone", "contacts", "nobody"])
async def test_who_may_add_somebody_is_their_choice(ada: Person, bob: Person, chosen: str) -> None:
    assert (await bob.do("users.me"))["user"]["added_by"] is None
    changed = await bob.do("users.change", added_by=chosen)
    assert changed["user"]["added_by"] == chosen == (await bob.do("users.me"))["user"]["added_by"]
    assert "added_by" not in (await ada.do("users.get", user=bob.id))["user"], "it is their own affair"
    friend = await ada.world.person("friend", via=ada.via)
    await bob.do("relationships.set", user=friend.id, type="friend")
    assert await added(ada, bob, await ada.group(type="private")) == (chosen == "everyone")
    assert await added(friend, bob, await friend.group(type="private")) == (chosen != "nobody")
    assert (await bob.do("users.change", added_by=None))["user"]["added_by"] is None
    assert await ada.refused("users.change", added_by="all") == "invalid"


async def test_a_room_is_made_with_those_who_let_it(ada: Person, bob: Person, world: World) -> None:
    cyd, dan = await world.person("cyd"), await world.person("dan", added_by="nobody")
    made = await ada.do("rooms.create", type="private", name="Den", members=[bob.id, cyd.id, dan.id], key="k")
    room = made["room"]["id"]
    assert made["invited"] == [bob.id, dan.id] and made["room"]["members"] == 2
    assert await rooms(cyd) == [room] and list(await invitations(dan)) == [room] == list(await invitations(bob))
    await bob.do("members.add", room=room, user="me")
    listed = await ada.do("members.list", room=room)
    assert {one["user"]["id"] for one in listed["members"]} == {ada.id, bob.id, cyd.id}


async def test_declining(ada: Person, bob: Person, world: World) -> None:
    room, other = await ada.group(type="private"), await ada.group(type="private")
    assert not await added(ada, bob, room)
    await bob.do("invitations.decline", room=room)
    await bob.do("invitations.decline", room=room)
    assert await invitations(bob) == {} and await bob.refused("members.add", room=room, user="me") == "not_found"
    # Who was told no does not ask again, in whatever room; others may.
    assert await ada.refused("members.add", room=room, user=bob.id) == "declined"
    assert await ada.refused("rooms.create", type="direct", members=[bob.id]) == "declined"
    assert await ada.refused("members.add", room=other, user=bob.id) == "declined"
    cyd = await world.person("cyd", via=ada.via)
    await ada.do("members.add", room=room, user=cyd.id)
    assert not await added(cyd, bob, room)
    # Bob changes his mind.
    await bob.do("relationships.set", user=ada.id, type="friend")
    assert await added(ada, bob, other)
    assert await bob.refused("invitations.decline", room="019aa000-0000-7000-8000-00000000dead") == "not_found"


async def test_withdrawing(ada: Person, bob: Person, world: World) -> None:
    mia, mo = await world.person("mia", via=ada.via), await world.person("mo", via=ada.via)
    room = await ada.group(mia, mo, type="private")
    assert not await added(mia, bob, room)
    assert await mo.refused("members.remove", room=room, user=bob.id) == "forbidden"
    await mia.do("members.remove", room=room, user=bob.id)
    assert await invitations(bob) == {}
    assert not await added(mia, bob, room)
    await ada.do("members.remove", room=room, user=bob.id)
    assert await invitations(bob) == {} and await bob.refused("members.add", room=room, user="me") == "not_found"


async def test_an_invitation_goes_with_its_room(ada: Person, bob: Person) -> None:
    room = await ada.group(type="private")
    assert not await added(ada, bob, room)
    await ada.do("rooms.delete", room=room)
    assert await invitations(bob) == {} and (await bob.do("sync.get"))["invitations"] == []
    assert await bob.refused("members.add", room=room, user="me") == "not_found"


async def test_a_message_request(ada: Person, bob: Person) -> None:
    made = await ada.do("rooms.create", type="direct", members=[bob.id])
    room = made["room"]["id"]
    assert made["invited"] == [bob.id] and made["room"]["members"] == 1
    for n in (1, 2):
        assert (await ada.say(room, f"hello {n}"))["seq"] == n
    assert (await ada.do("rooms.get", room=room))["peer"] == bob.id
    assert (await ada.do("rooms.create", type="direct", members=[bob.id]))["invited"] == [bob.id]
    asked = (await invitations(bob))[room]
    assert (asked["type"], asked["name"], asked["by"]) == ("direct", "", ada.id)
    assert "hello" not in str(await bob.do("invitations.list")) and await rooms(bob) == []
    await bob.do("members.add", room=room, user="me")
    entry = await bob.do("rooms.get", room=room)
    assert (entry["unread"], entry["peer"], entry["member"]["role"]) == (2, ada.id, "member")
    said = (await bob.do("messages.read", room=room))["messages"]
    assert [one["content"]["text"] for one in said] == ["hello 1", "hello 2"]


async def test_starting_the_same_direct_room_from_the_other_side_accepts(ada: Person, bob: Person) -> None:
    room = await ada.direct(bob)
    await ada.say(room)
    back = await bob.do("rooms.create", type="direct", members=[ada.id])
    assert back["room"]["id"] == room and back["room"]["members"] == 2 and back["invited"] == []
    assert await invitations(bob) == {} and (await bob.do("rooms.get", room=room))["unread"] == 1


async def test_who_takes_back_a_message_request(ada: Person, bob: Person) -> None:
    room = await ada.direct(bob)
    await ada.do("members.remove", room=room, user=bob.id)
    assert await invitations(bob) == {} and await rooms(ada) == [room]
    assert await ada.direct(bob) == room and list(await invitations(bob)) == [room]
    # Who leaves asks no more.
    await ada.do("members.remove", room=room, user="me")
    assert await invitations(bob) == {} and await rooms(ada) == []
    assert await ada.direct(bob) == room and (await ada.do("rooms.get", room=room))["peer"] == bob.id


async def test_whom_one_blocks_asks_no_more(ada: Person, bob: Person) -> None:
    room, direct = await ada.group(type="private"), await ada.direct(bob)
    assert not await added(ada, bob, room)
    await bob.do("relationships.set", user=ada.id, type="block")
    assert await invitations(bob) == {} and (await bob.do("sync.get"))["invitations"] == []
    # What the blocked says in a direct room that was never accepted is not taken either.
    assert await ada.refused("messages.send", room=direct, token="t", content={"text": "x"}) in {
        "forbidden",
        "not_found",
    }
    await bob.do("relationships.remove", user=ada.id)
    assert await ada.refused("members.add", room=room, user=bob.id) == "declined"


async def test_who_is_invited_hears_of_it_and_the_inviter_of_the_answer(ada: Person, bob: Person) -> None:
    ear, own = await bob.world.socket(bob.token), await ada.world.socket(ada.token)
    room = await ada.group(type="private", name="Den")
    await ada.do("members.add", room=room, user=bob.id)
    told = await delta(ear, "member.invited", user=bob.id)
    assert told["include"]["invitation"]["name"] == "Den" and told["include"]["user"]["id"] == ada.id
    assert "include" not in await delta(own, "member.invited", user=bob.id)
    await ada.do("members.remove", room=room, user=bob.id)
    assert (await delta(ear, "invitation.withdrawn"))["data"] == {"user": bob.id, "by": ada.id}
    await ada.do("members.add", room=room, user=bob.id)
    await bob.do("invitations.decline", room=room)
    assert (await delta(own, "invitation.declined"))["stream"] == room
    assert {one["type"] for one in ear.pushed if one["stream"] == room} == {
        "member.invited", "invitation.withdrawn", "invitation.declined",
    }  # fmt: skip


@pytest.fixture(scope="module")
async def tight(parts: Parts) -> AsyncIterator[World]:
    """An installation that lets everyone add those who have not chosen, with little room for anything."""
    async with installation(parts) as settings:
        small: Settings = msgspec.structs.replace(
            settings, added_by="everyone", invitations_room=2, invitations_user=3, invitations_between=2,
            relationships=2, presence_seconds=3.0,
        )  # fmt: skip
        async with serving(small) as url, visiting(url) as world:
            yield world


async def test_bounds(tight: World) -> None:
    ada, eve = await tight.person("ada"), await tight.person("eve")
    people = await asyncio.gather(*(tight.person("p", added_by="nobody") for _ in range(4)))
    room = await ada.group(type="private")
    for person in people[:2]:
        assert not await added(ada, person, room)
    assert await ada.refused("members.add", room=room, user=people[2].id) == "too_many"
    # Who waits already is asked again for nothing, and an answer makes room.
    assert not await added(ada, people[0], room)
    await people[1].do("members.add", room=room, user="me")
    assert not await added(ada, people[2], room)
    # Of one person to another, and to one person of all.
    assert not await added(ada, people[0], await ada.group())
    assert await ada.refused("members.add", room=await ada.group(), user=people[0].id) == "too_many"
    assert not await added(eve, people[0], await eve.group())
    assert await eve.refused("rooms.create", type="direct", members=[people[0].id]) == "too_many"
    assert await eve.refused("rooms.create", type="public", name="X", members=[people[0].id]) == "too_many"


async def test_friends_and_blocks_are_bounded(tight: World) -> None:
    ada, *people = [await tight.person("p") for _ in range(4)]
    for person, type in zip(people[:2], ("friend", "block"), strict=True):
        await ada.do("relationships.set", user=person.id, type=type)
    assert await ada.refused("relationships.set", user=people[2].id, type="friend") == "too_many"
    # Those that one has can be changed and taken back.
    await ada.do("relationships.set", user=people[0].id, type="block")
    await ada.do("relationships.remove", user=people[1].id)
    await ada.do("relationships.set", user=people[2].id, type="friend")


async def test_strangers_who_befriend_somebody_fill_no_snapshot(tight: World) -> None:
    ada = await tight.person("ada")
    fans = await asyncio.gather(*(tight.person("fan", data={"x": "y" * 1000}) for _ in range(5)))
    for fan in fans:
        await fan.do("relationships.set", user=ada.id, type="friend")
    snapshot = await ada.do("sync.get")
    assert {one["user"] for one in snapshot["friend_of"]} == {fan.id for fan in fans}
    assert snapshot["users"] == [], "the profiles are asked for when they are shown"
    await ada.do("relationships.set", user=fans[0].id, type="friend")
    assert [one["id"] for one in (await ada.do("sync.get"))["users"]] == [fans[0].id]


async def shown(person: Person, other: Person) -> str:
    """The other's presence, as a person may know it."""
    (one,) = (await person.do("presence.get", users=other.id))["presence"]
    assert (one["status"] == "offline") <= (one["room"] is None)
    return "unknown" if one["status"] == "offline" and one["active"] is None else str(one["status"])


async def test_presence_is_for_those_who_are_there_by_their_own_will(tight: World) -> None:
    """The installation lets everyone add bob; that is not his own word."""
    ada, bob = await tight.person("ada"), await tight.person("bob", added_by=None)
    room = await ada.group(bob, type="private")
    assert await rooms(bob) == [room]
    ear, eye = await tight.socket(ada.token), await tight.socket(bob.token)
    eve = await tight.person("eve")
    await ada.group(eve, type="private")
    await bob.group(eve, type="private")
    far = await tight.socket(eve.token)

    async def told() -> bool:
        return all(any(user.id in str(signal) for signal in far.signals) for user in (ada, bob))

    # Eve, who lets everyone add her, has received both: so would they have of each other, were it for them.
    await until(told, "presence is told", 15)
    assert await shown(ada, bob) == "unknown" == await shown(bob, ada)
    assert (await ada.do("presence.room", room=room))["online"] == [ada.id]
    assert await shown(eve, ada) == "online" == await shown(eve, bob)
    assert not [s for s in ear.signals if bob.id in str(s)] and not [s for s in eye.signals if ada.id in str(s)]
    # He reads what is said there.
    await bob.do("members.read", room=room, seq=0)
    await ada.say(room)
    await bob.do("members.read", room=room, seq=1)

    async def heard() -> bool:
        return any(bob.id in str(s) for s in ear.signals) and any(ada.id in str(s) for s in eye.signals)

    await until(heard, "who reads there shows", 15)
    assert await shown(ada, bob) == "online" == await shown(bob, ada)
