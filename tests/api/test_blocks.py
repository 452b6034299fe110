"""What a block does: no word of the blocked reaches who blocks, and to the blocked that one has gone quiet."""

from __future__ import annotations

from typing import Any

import pytest

from events.core.positions import encode_vector
from tests.api.deltas import delta
from tests.client import Person, Refusal, World
from tests.fold import fold, snapshot_state

Json = dict[str, Any]


async def views(viewer: Person, user: Person, room: str) -> dict[str, Json | None]:
    """What every read that shows a person shows of them, by the read; they have said "hello there" in the room."""
    answers = {
        "get": [(await viewer.do("users.get", user=user.id))["user"]],
        "ids": (await viewer.do("users.find", ids=user.id))["users"],
        "sync": (await viewer.do("sync.get"))["users"],
        "members": [one["user"] for one in (await viewer.do("members.list", room=room))["members"]],
        "page": (await viewer.do("messages.read", room=room))["users"],
        "again": (await viewer.do("messages.read", room=room))["users"],
        "search": (await viewer.do("messages.search", text="hello there"))["users"],
    }  # fmt: skip
    place = encode_vector(viewer.world.position)
    answers |= {
        "get then": [(await viewer.do("users.get", user=user.id, as_of=place))["user"]],
        "ids then": (await viewer.do("users.find", ids=user.id, as_of=place))["users"],
        "members then": [one["user"] for one in (await viewer.do("members.list", room=room, as_of=place))["members"]],
        "page then": (await viewer.do("messages.read", room=room, as_of=place))["users"],
    }  # fmt: skip
    return {name: next((one for one in found if one["id"] == user.id), None) for name, found in answers.items()}


def masked(user: Person) -> Json:
    return {"name": user.username, "visual": None, "data": {}}


def all_show(found: dict[str, Json | None], expected: Json, *, but: tuple[str, ...] = ()) -> None:
    """Every read shows these fields; those of ``but`` show nothing."""
    for name, view in found.items():
        have = None if view is None else {field: view[field] for field in expected}
        assert have == (None if name in but else expected), name


async def change(user: Person, number: int) -> Json:
    """Another name, data map and visual, and a log-in."""
    await user.do("users.change", name=f"Name {number}", data={"n": str(number)})
    chosen = await user.do("visuals.choose", model_data={"n": number})
    await user.do("sessions.open", username=user.username, password="correct horse")
    return {"name": f"Name {number}", "data": {"n": str(number)}, "visual": chosen["user"]["visual"]}


@pytest.mark.parametrize("kind", ["direct", "private", "public"])
async def test_no_word_of_the_blocked_reaches_who_blocks(world: World, via: Any, kind: str) -> None:
    ada, eve = await world.person("ada", via=via), await world.person("eve", via=via)
    bob = await world.person("bob", via=via, password="correct horse")
    room = await (ada.direct(bob) if kind == "direct" else ada.group(bob, eve, type=kind))
    before = await change(bob, 1)
    message = await bob.say(room, "hello there")
    place = {"room": room, "message": message["id"]}
    await bob.do("relationships.set", user=ada.id, type="friend")
    # A snapshot has the profiles of direct rooms, and of those to whom the user is something.
    unnamed = () if kind == "direct" else ("sync",)
    all_show(await views(ada, bob, room), before, but=unnamed)
    await ada.do("relationships.set", user=bob.id, type="block")
    socket = await world.socket(ada.token)
    all_show(await views(ada, bob, room), masked(bob))
    present = await change(bob, 2)
    all_show(await views(ada, bob, room), masked(bob))
    assert await ada.refused("visuals.get", visual=present["visual"]) == "not_found"
    if kind == "direct":
        for name, what, fields in (
            ("messages.send", "write", {"room": room, "token": "t", "content": {"text": "ABUSE"}}),
            ("messages.edit", "edit what you wrote", {**place, "content": {"text": "ABUSE"}}),
            ("messages.edit", "edit", {**place, "content": {"text": "hello there"}, "data": {"note": "ABUSE"}}),
            ("rooms.change", "change the room", {"room": room, "data": {"note": "ABUSE"}}),
        ):  # fmt: skip
            assert await bob.refused(name, **fields) == "not_found", name
            # Who blocks does not write either, and is told what to do.
            with pytest.raises(Refusal, match=f"you block this person: remove the block to {what}") as told:
                await ada.do(name, **fields)
            assert told.value.status == 403
        entry = await ada.do("rooms.get", room=room)
        assert entry["room"]["data"] == {} and entry["message"] == message
    else:
        # In a group that both are in, what is said stays to be seen; others see people as they are.
        all_show(await views(eve, bob, room), present, but=("sync",))
        all_show(await views(ada, bob, room), masked(bob))
        await bob.say(room, "said to all")
    # What was said can be taken back.
    await bob.do("messages.delete", **place)
    await delta(socket, "message.deleted", message=message["id"])
    heard = repr([one for one in socket.pushed if one["stream"] in (bob.id, room)])
    assert "ABUSE" not in heard and ("said to all" in heard) == (kind != "direct")
    await ada.do("relationships.remove", user=bob.id)
    all_show(await views(ada, bob, room), present, but=("search", *unnamed))
    if kind == "direct":
        assert await bob.say(room, "again") and await bob.do("rooms.change", room=room, data={"note": "peace"})


@pytest.mark.parametrize("kind", ["direct", "private", "public"])
async def test_who_blocks_stands_still_for_the_blocked(world: World, via: Any, kind: str) -> None:
    bob, eve = await world.person("bob", via=via), await world.person("eve", via=via)
    ada = await world.person("ada", via=via, password="correct horse")
    room = await (ada.direct(bob) if kind == "direct" else ada.group(bob, eve, type=kind))
    before = await change(ada, 1)
    await ada.say(room, "hello there")
    await bob.do("relationships.set", user=ada.id, type="friend")
    first = await views(bob, ada, room)
    all_show(first, before)
    assert (await bob.do("visuals.get", visual=before["visual"]))["visual"]["model_data"] == {"n": 1}
    await ada.do("relationships.set", user=bob.id, type="block")
    # Nothing shows, not even by a version, whatever she does then.
    assert await views(bob, ada, room) == first
    present = await change(ada, 2)
    await ada.do("visuals.change", visual=before["visual"], model_data={"n": 3})
    assert await views(bob, ada, room) == first
    assert (await bob.do("visuals.get", visual=before["visual"]))["visual"]["model_data"] == {"n": 1}
    assert await bob.refused("visuals.get", visual=present["visual"]) == "not_found"
    assert await bob.refused("visuals.choose", visual_id=present["visual"]) == "not_found"
    if kind != "direct":
        all_show(await views(eve, ada, room), present, but=("sync",))
        assert await views(bob, ada, room) == first
    blocked = encode_vector(world.position)
    await ada.do("relationships.remove", user=bob.id)
    all_show(await views(bob, ada, room), present)
    # As of then she stands still for ever.
    (then,) = (await bob.do("users.find", ids=ada.id, as_of=blocked))["users"]
    assert then == first["ids"]


async def test_the_friend_of_who_blocks_sees_and_folds_the_same(world: World, via: Any) -> None:
    bob = await world.person("bob", via=via)
    ada = await world.person("ada", via=via, name="Ada", password="correct horse")
    await bob.do("relationships.set", user=ada.id, type="friend")
    await change(ada, 1)
    start = await bob.do("sync.get")
    await ada.do("relationships.set", user=bob.id, type="block")
    await change(ada, 2)
    fresh = await bob.do("sync.get")
    assert [one["other"] for one in fresh["relationships"]] == [ada.id]
    assert fresh["relationships"] == start["relationships"] and fresh["users"] == start["users"]
    since, state = f"{start['epoch']}:{start['cursor']}", snapshot_state(start)
    page = await bob.do("changes.pull", since=since)
    new = [one for one in page["changes"] if fold(state, one)]
    assert not [one for one in new if one["stream"] == ada.id], "nobody hears of a block"
    assert state.users == {one["id"]: one for one in fresh["users"]}
    # To be a friend once more changes nothing; who takes it back finds nobody there.
    assert await bob.do("relationships.set", user=ada.id, type="friend")
    assert (await bob.do("users.get", user=ada.id))["user"]["name"] == "Name 1"
    await bob.do("relationships.remove", user=ada.id)
    for name, fields in (("users.get", {}), ("relationships.set", {"type": "friend"})):
        assert await bob.refused(name, user=ada.id, **fields) == "not_found"
    assert (await bob.do("sync.get"))["users"] == []


async def test_whom_one_sees_one_can_block(ada: Person, bob: Person, eve: Person) -> None:
    await ada.do("relationships.set", user=bob.id, type="block")
    assert await bob.refused("relationships.set", user=ada.id, type="block") == "not_found"
    room = await eve.group(ada, bob)
    assert await bob.refused("relationships.set", user=ada.id, type="friend") == "not_found"
    assert (await bob.do("relationships.set", user=ada.id, type="block"))["relationship"]["type"] == "block"
    # Each knows of their own block only: both are told of it, and both see the other masked.
    for one, other in ((ada, bob), (bob, ada)):
        assert await one.refused("rooms.create", type="direct", members=[other.id]) == "forbidden"
        assert (await one.do("users.get", user=other.id))["user"]["name"] == other.username
        assert [user["id"] for user in (await one.do("sync.get"))["users"]] == [other.id], "whom it names it shows"
    await bob.do("relationships.remove", user=ada.id)
    assert await bob.refused("rooms.create", type="direct", members=[ada.id]) == "not_found"
    assert await eve.do("rooms.get", room=room)


async def test_who_is_in_stays_in_whoever_blocks_them(ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    inside = (await bob.do("members.add", room=room, user="me"))["member"]
    await ada.do("relationships.set", user=bob.id, type="block")
    assert (await bob.do("members.add", room=room, user="me"))["member"] == inside
    await bob.do("members.remove", room=room, user="me")
    assert await bob.refused("members.add", room=room, user="me") == "not_found"


async def test_some_of_many_who_are_not_there(ada: Person, bob: Person, eve: Person) -> None:
    await ada.do("relationships.set", user=bob.id, type="block")
    await bob.do("relationships.set", user=eve.id, type="block")
    with pytest.raises(Refusal, match=f"expected registered users, found none with id {ada.id}, nobody'") as caught:
        await bob.do("rooms.create", type="private", name="G", members=[eve.id, ada.id, "nobody"])
    assert _places(caught.value) == ["/members/1", "/members/2"]
    room = await bob.group()
    for name, what, fields in (
        ("rooms.create", "make a room with them", {"type": "private", "name": "G", "members": [eve.id]}),
        ("rooms.create", "talk with them", {"type": "direct", "members": [eve.id]}),
        ("members.add", "let them in", {"room": room, "user": eve.id}),
    ):
        with pytest.raises(Refusal, match=f"you block {eve.id}: remove the block to {what}'") as caught:
            await bob.do(name, **fields)
        assert _places(caught.value) == ["/members/0" if name == "rooms.create" else "/user"]
    unknown: tuple[tuple[str, Json], ...] = (
        ("rooms.create", {"type": "direct", "members": [bob.id, "nobody"]}),
        ("members.add", {"room": room, "user": "nobody"}),
        ("relationships.set", {"user": "nobody", "type": "friend"}),
    )
    for name, fields in unknown:
        with pytest.raises(Refusal) as caught:
            await bob.do(name, **fields)
        assert caught.value.code == "not_found"
        assert _places(caught.value) == ["/members/1" if name == "rooms.create" else "/user"]


def _places(refusal: Refusal) -> list[str]:
    """Where in the request it is the fault of, as pointers: over RPC what stands in a path is a member too."""
    return [error.get("pointer") or f"/{error['parameter']}" for error in refusal.problem["errors"]]
