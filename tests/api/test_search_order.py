"""The order of a search: within a room by number, whatever clocks say; between rooms by time; the same on all pages.
Tests ``api/search.py``."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from api.support.pages import encode
from events.core.clock import after, uuid7
from tests.client import Person, World

TIME = "2021-05-05T05:05:05.000Z"


async def said(
    world: World, operator: str, author: Person, room: str, word: str, told: list[tuple[str, str | None]]
) -> None:
    """Messages with these times, and ids where one is given: in this order, as nodes of different clocks would."""
    orders: list[dict[str, Any]] = []
    for time, id in told:
        key = secrets.token_hex(8)
        fields = {"room": room, "token": key, "type": "text", "content": {"text": word}}
        order = {"command": "PostMessage", "actor": author.id, "time": time, "key": key, "fields": fields}
        orders.append(order if id is None else {**order, "id": id})
    answer = await world.call("import.orders", {"orders": orders}, token=operator)
    assert [one["result"] for one in answer["results"]] == ["done"] * len(orders)
    for one in answer["results"]:
        topic, partition, offset = one["position"].split("/")
        world.seen(f"{topic}/{partition}/{int(offset) + 1}")


async def order(person: Person, word: str, limit: int = 50, **fields: Any) -> list[tuple[str, int]]:
    """Room and number of what is found, over pages of a size."""
    found: list[tuple[str, int]] = []
    cursor: dict[str, Any] = {}
    while True:
        page = await person.do("messages.search", text=word, limit=limit, **fields, **cursor)
        assert len(page["found"]) == limit or page["next"] is None
        found += [(one["message"]["room"], one["message"]["seq"]) for one in page["found"]]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


@pytest.fixture
def word() -> str:
    return f"w{secrets.token_hex(6)}"


async def quiet(owner: Person) -> str:
    return await owner.group(settings={"announcements": False})


@pytest.mark.parametrize("limit", [1, 3, 50])
async def test_equal_times_are_no_dice(world: World, operator: str, ada: Person, word: str, limit: int) -> None:
    room = await quiet(ada)
    await said(world, operator, ada, room, word, [(TIME, None)] * 8)
    assert await order(ada, word, limit) == [(room, seq) for seq in range(8, 0, -1)]


async def test_clocks_of_two_nodes(world: World, operator: str, ada: Person, word: str) -> None:
    """Two people write in turn, one of them through a node whose clock is five seconds ahead; and in another room."""
    first, second = await quiet(ada), await quiet(ada)
    moments = [after(TIME, n + (5 if n % 2 else 0)) for n in range(6)]
    await said(world, operator, ada, first, word, [(moment, None) for moment in moments])
    await said(world, operator, ada, second, word, [(after(TIME, n - 0.5), None) for n in range(0, 60, 10)])
    wanted = [(second, seq) for seq in (6, 5, 4, 3)]
    wanted += [(first, 6), (second, 2), *((first, seq) for seq in (5, 4, 3, 2, 1)), (second, 1)]
    for limit in (1, 2, 5, 50):
        assert await order(ada, word, limit) == wanted
    assert await order(ada, word, 2, room=first) == [(first, seq) for seq in range(6, 0, -1)]


async def test_old_messages_that_come_late(world: World, operator: str, ada: Person, word: str) -> None:
    """Over months in any order, one of them with an id of another time; another room goes on with its own times."""
    room, other = await quiet(ada), await quiet(ada)
    months = ["2021-07", "2021-05", "2021-09", "2020-01", "2021-08", "2021-09"]
    told: list[tuple[str, str | None]] = [(f"{month}-01T00:00:00.000Z", None) for month in months]
    told.insert(3, ("2021-08-15T00:00:00.000Z", uuid7(0)))
    told.append(("2021-09-02T00:00:00.000Z", None))
    await said(world, operator, ada, room, word, told)
    await said(world, operator, ada, other, word, [(f"2021-{month:02}-10T00:00:00.000Z", None) for month in (6, 8, 10)])
    # What came after September stands in September, where the room was; all of it below the other's October.
    wanted = [(other, 3), *((room, seq) for seq in (8, 7, 6, 5, 4, 3)), (other, 2), (room, 2), (room, 1), (other, 1)]
    for limit in (1, 2, 4, 50):
        assert await order(ada, word, limit) == wanted
    within = await order(ada, word, 2, since="2021-08-01T00:00:00.000Z", until="2021-09-02T00:00:00.000Z")
    assert within == [(room, 7), (room, 6), (room, 4), (room, 3), (other, 2)]


async def test_what_is_said_live_stands_above_what_was_imported_into_its_room(
    world: World, operator: str, ada: Person, word: str
) -> None:
    room = await ada.group(settings={"announcements": True})
    await ada.say(room, word)
    await said(world, operator, ada, room, word, [(TIME, None), (after(TIME, -86_400), None)])
    await ada.say(room, word)
    found = await order(ada, word, 1)
    assert [seq for _, seq in found] == sorted((seq for _, seq in found), reverse=True) and len(found) == 4


async def test_cursors_are_places(ada: Person, word: str) -> None:
    for place in ((), ("x",), ("x", "y", -2), ("x", "y", 2**63), ("x\0", "y", 1), (1, 2, 3)):
        assert await ada.refused("messages.search", text=word, cursor=encode(*place)) == "invalid", place
    assert (await ada.do("messages.search", text=word, cursor=encode("~", "~", 1)))["found"] == []
