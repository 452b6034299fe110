"""Pages of a room's messages: both ways, around a message, filtered, with their authors, and asked for again."""

from __future__ import annotations

from typing import Any

import pytest

from events.core.clock import after
from tests.client import Person, World


async def seqs(person: Person, room: str, **fields: Any) -> list[int]:
    return [message["seq"] for message in (await person.do("messages.read", room=room, **fields))["messages"]]


async def quiet(owner: Person, *others: Person) -> str:
    """A room in which only what people say becomes messages."""
    return await owner.group(*others, settings={"announcements": False})


async def test_cursors_lead_through_the_room_both_ways(ada: Person, bob: Person) -> None:
    room = await quiet(ada, bob)
    for n in range(10):
        await ada.say(room, str(n))
    page = await bob.do("messages.read", room=room, limit=4)
    pages = [page]
    assert page["newer"] is None and page["more"]
    while page["older"] is not None:
        page = await bob.do("messages.read", room=room, limit=4, cursor=page["older"])
        pages.append(page)
    assert [[m["seq"] for m in page["messages"]] for page in pages] == [[7, 8, 9, 10], [3, 4, 5, 6], [1, 2]]
    assert not page["more"] and not any(page["archived"] for page in pages)
    page = await bob.do("messages.read", room=room, limit=4, cursor=page["newer"])
    assert [m["seq"] for m in page["messages"]] == [3, 4, 5, 6] and page["more"]
    page = await bob.do("messages.read", room=room, limit=4, cursor=page["newer"])
    assert [m["seq"] for m in page["messages"]] == [7, 8, 9, 10]
    assert page["newer"] is None and not page["more"] and page["older"] is not None


@pytest.mark.parametrize(
    ("around", "limit", "expected"),
    [
        (5, 5, [3, 4, 5, 6, 7]), (5, 4, [4, 5, 6, 7]), (5, 1, [5]), (1, 5, [1, 2, 3]), (9, 4, [8, 9]), (0, 3, [1]),
        (99, 3, [8, 9]),
    ],
)  # fmt: skip
async def test_a_page_around_a_message(ada: Person, around: int, limit: int, expected: list[int]) -> None:
    room = await quiet(ada)
    for n in range(9):
        await ada.say(room, str(n))
    page = await ada.do("messages.read", room=room, around=around, limit=limit)
    assert [message["seq"] for message in page["messages"]] == expected
    assert (page["older"] is None, page["newer"] is None) == (1 in expected, 9 in expected)


async def test_filters_stay_with_the_cursor(ada: Person, bob: Person) -> None:
    room = await quiet(ada, bob)
    sent = [await (ada, bob)[n % 2].say(room, str(n)) for n in range(8)]
    await ada.do("messages.send", room=room, token="i", type="image", content={"url": "https://x.org/a", "alt": "a"})
    page = await bob.do("messages.read", room=room, author=ada.id, type="text", limit=3)
    assert [message["seq"] for message in page["messages"]] == [3, 5, 7]
    page = await bob.do("messages.read", room=room, limit=3, cursor=page["older"])
    assert [message["seq"] for message in page["messages"]] == [1] and page["older"] is None
    assert await seqs(bob, room, author="me") == [2, 4, 6, 8] and await seqs(bob, room, type="image") == [9]
    times = {"since": sent[2]["created"], "until": after(sent[5]["created"], 0.001)}
    assert set(await seqs(bob, room, **times)) >= {3, 4, 5, 6} and await seqs(bob, room, until=sent[0]["created"]) == []
    assert await seqs(bob, room, since=after(sent[-1]["created"], 60)) == []


async def test_what_is_refused(ada: Person, bob: Person) -> None:
    room = await quiet(ada)
    for n in range(3):
        await ada.say(room, str(n))
    cursor = (await ada.do("messages.read", room=room, limit=1))["older"]
    for wrong in (
        {"before": 1, "around": 1}, {"after": 1, "around": 1}, {"cursor": cursor, "after": 1}, {"cursor": "x"},
        {"cursor": cursor, "author": "me"}, {"around": -1}, {"type": "shout"}, {"since": "yesterday"},
        {"since": "2026-02-30T00:00:00.000Z"}, {"author": "a b"},
    ):  # fmt: skip
        assert await ada.refused("messages.read", room=room, **wrong) == "invalid", wrong
    assert await bob.refused("messages.read", room=room) == "not_found"
    assert await bob.refused("messages.read", room=room, cursor=cursor) == "not_found"


async def test_authors_come_with_their_messages(ada: Person, bob: Person) -> None:
    room = await ada.group(settings={"announcements": True})
    await bob.do("members.add", room=room, user="me")
    await ada.say(room, "welcome")
    page = await ada.do("messages.read", room=room)
    assert [message["type"] for message in page["messages"]] == ["join", "text"]
    assert {user["id"]: user["name"] for user in page["users"]} == {ada.id: "Ada Lovelace", bob.id: "Bob"}
    shown = {user["id"]: user for user in page["users"]}
    assert shown[ada.id] == (await bob.do("users.get", user=ada.id))["user"]
    await bob.do("users.change", name="Robert")
    page = await ada.do("messages.read", room=room)
    assert {user["name"] for user in page["users"]} == {"Ada Lovelace", "Robert"}


async def test_a_page_that_is_asked_for_again_is_not_sent_again(world: World) -> None:
    ada, bob, eve = [await world.person(name) for name in ("ada", "bob", "eve")]
    room = await quiet(ada, bob)
    await ada.say(room)
    await ada.do("messages.read", room=room)
    path = f"/v1/rooms/{room}/messages"
    first = await world.request("GET", path, token=ada.token)
    tag = first.headers["ETag"]
    assert tag.startswith('"') and first.headers["Cache-Control"] == "private, no-cache"
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = await world.request("GET", path, token=ada.token, headers={"If-None-Match": known})
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
    # What is the same for another member has the same tag; who is none is told nothing, whatever they know.
    assert (await world.request("GET", path, token=bob.token)).headers["ETag"] == tag
    assert (await world.request("GET", path, token=eve.token, headers={"If-None-Match": tag})).status == 404
    await bob.say(room, "more")
    await ada.do("messages.read", room=room)
    changed = await world.request("GET", path, token=ada.token, headers={"If-None-Match": tag})
    assert changed.status == 200 and changed.headers["ETag"] != tag and len(changed.json()["messages"]) == 2
