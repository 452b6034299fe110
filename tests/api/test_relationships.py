"""Friends and blocks: one way, idempotent, and a block shows nowhere to the blocked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.client import Person


async def relations(person: Person, direction: str = "out") -> dict[str, str]:
    """Type by the far user, page by page."""
    far = "other" if direction == "out" else "user"
    answer = await person.do("relationships.list", direction=direction, limit=2)
    found = list(answer["relationships"])
    while answer["next"] is not None:
        answer = await person.do("relationships.list", direction=direction, limit=2, cursor=answer["next"])
        found += answer["relationships"]
    assert len({one[far] for one in found}) == len(found)
    return {one[far]: one["type"] for one in found}


async def test_befriending_is_one_way_and_idempotent(ada: Person, bob: Person) -> None:
    first = (await ada.do("relationships.set", user=bob.id, type="friend"))["relationship"]
    assert (first["user"], first["other"], first["type"]) == (ada.id, bob.id, "friend")
    again = (await ada.do("relationships.set", user=bob.id, type="friend"))["relationship"]
    assert again == first, "no event: same version and times"
    assert await relations(ada) == {bob.id: "friend"} and await relations(bob) == {}
    assert await relations(bob, "in") == {ada.id: "friend"} and await relations(ada, "in") == {}


async def test_neither_friend_nor_block(ada: Person, bob: Person) -> None:
    assert (await ada.do("relationships.remove", user=bob.id))["relationship"] is None
    await ada.do("relationships.set", user=bob.id, type="friend")
    assert (await ada.do("relationships.set", user=bob.id, type=None))["relationship"]["type"] is None
    assert await relations(ada) == {} and await relations(bob, "in") == {}
    await ada.do("relationships.set", user=bob.id, type="block")
    assert (await ada.do("relationships.remove", user=bob.id))["relationship"]["type"] is None
    assert await relations(ada) == {}


async def test_a_block_replaces_friendship_and_does_not_show(ada: Person, bob: Person) -> None:
    await bob.do("relationships.set", user=ada.id, type="friend")
    await ada.do("relationships.set", user=bob.id, type="friend")
    await ada.do("relationships.set", user=bob.id, type="block")
    assert await relations(ada) == {bob.id: "block"}
    assert await relations(bob, "in") == {}, "nobody sees who blocks them"
    # Bob's own friendship stays his, as if she had gone quiet; once it is taken back, nobody is there.
    assert await relations(bob) == {ada.id: "friend"}
    assert (await bob.do("relationships.set", user=ada.id, type="friend"))["relationship"]["type"] == "friend"
    assert (await bob.do("relationships.set", user=ada.id, type=None))["relationship"]["type"] is None
    assert await bob.refused("relationships.set", user=ada.id, type="friend") == "not_found"
    assert await relations(bob) == {} and await relations(ada, "in") == {}


async def test_lists_are_paginated(ada: Person, bob: Person) -> None:
    people = await asyncio.gather(*(ada.world.person("many") for _ in range(5)))
    for person in people:
        await ada.do("relationships.set", user=person.id, type="friend")
        await person.do("relationships.set", user=bob.id, type="friend")
    assert await relations(ada) == {person.id: "friend" for person in people}
    assert await relations(bob, "in") == {person.id: "friend" for person in people}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"user": "nobody", "type": "friend"}, "not_found"),
        ({"user": "nobody", "type": "block"}, "not_found"),
        ({"user": "SELF", "type": "friend"}, "invalid"),
        ({"user": "OTHER", "type": "enemy"}, "invalid"),
        ({"user": "OTHER"}, "invalid"),
        ({"user": "OTHER", "type": "friend", "more": 1}, "invalid"),
    ],
)
async def test_refusals(ada: Person, bob: Person, fields: dict[str, Any], code: str) -> None:
    fields = {**fields, "user": {"SELF": ada.id, "OTHER": bob.id}.get(fields["user"], fields["user"])}
    assert await ada.refused("relationships.set", **fields) == code
    assert await relations(ada) == {}
