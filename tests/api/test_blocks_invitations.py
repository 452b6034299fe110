"""What a block does to invitations that wait between the two, and to those of third people.
Tests ``api/blocks.py`` and ``api/invitations.py``."""

from __future__ import annotations

import pytest

from tests.client import Person, Via, World

BLOCK = {"type": "block"}


@pytest.fixture
async def ada(world: World, via: Via) -> Person:
    return await world.person("ada", via=via, added_by="nobody")


@pytest.fixture
async def bob(world: World, via: Via) -> Person:
    return await world.person("bob", via=via, added_by="nobody")


async def waiting(person: Person) -> set[str]:
    return {one["room"] for one in (await person.do("invitations.list"))["invitations"]}


async def test_a_block_withdraws_what_who_blocks_has_asked(ada: Person, bob: Person, eve: Person) -> None:
    rooms = [await ada.group(bob, type="public"), await ada.group(bob, type="private"), await ada.direct(bob)]
    others = await eve.group(ada, type="private")
    await ada.do("members.add", room=others, user="me")
    await ada.do("members.add", room=others, user=bob.id)
    left = await eve.group(ada, type="private")
    await ada.do("members.add", room=left, user="me")
    await ada.do("members.add", room=left, user=bob.id)
    await ada.do("members.remove", room=left, user="me")
    assert await waiting(bob) >= {*rooms, others}
    await ada.do("relationships.set", user=bob.id, **BLOCK)
    found = await bob.do("invitations.list")
    assert (found["invitations"], found["users"]) == ([], [])
    for room in (*rooms, others, left):
        assert await bob.refused("members.add", room=room, user="me") == "not_found"


async def test_it_declines_what_who_is_blocked_has_asked(ada: Person, bob: Person) -> None:
    room = await bob.group(ada, type="private")
    await ada.do("relationships.set", user=bob.id, **BLOCK)
    assert await waiting(ada) == set()
    assert await ada.refused("members.add", room=room, user="me") == "not_found"


async def test_a_repeated_block_ends_nothing_that_came_after_it(ada: Person, bob: Person) -> None:
    await ada.do("relationships.set", user=bob.id, key="k", **BLOCK)
    await ada.do("relationships.remove", user=bob.id)
    room = await bob.group(ada, type="private")
    assert await waiting(ada) == {room}
    await ada.do("relationships.set", user=bob.id, key="k", **BLOCK)
    assert ada.world.repeated and await waiting(ada) == {room}
    # Nor what waits while another block stands.
    assert (await ada.do("relationships.list"))["relationships"] == []


@pytest.mark.parametrize("added_by", ["everyone", "nobody"])
async def test_whom_a_third_member_lets_in_comes_in(
    world: World, via: Via, ada: Person, eve: Person, added_by: str
) -> None:
    room = await ada.group(type="public")
    await eve.do("members.add", room=room, user="me")
    dan = await world.person("dan", via=via, added_by=added_by)
    await ada.do("relationships.set", user=dan.id, **BLOCK)
    assert await dan.refused("members.add", room=room, user="me") == "not_found"
    answer = await eve.do("members.add", room=room, user=dan.id)
    assert (answer["invitation"] is None) == (added_by == "everyone")
    if added_by == "nobody":
        await dan.do("members.add", room=room, user="me")
    assert room in {entry["room"]["id"] for entry in (await dan.do("rooms.find"))["rooms"]}
    # The owner decides who stays.
    await ada.do("members.remove", room=room, user=dan.id)
    assert await dan.refused("members.add", room=room, user="me") == "not_found"
