"""Months that an operator has put aside, as clients see them; and by which commands it is done.
Tests ``api/history.py`` and ``infra/base/months.py``."""

from __future__ import annotations

import asyncio
import secrets
import sys
from typing import Any

import pytest

from infra.base.months import month_of
from infra.base.settings import Settings
from tests.client import Person, World
from tests.running import until, variables

#: Months of which no other test has messages.
FIRST, SECOND, THIRD = "1995-03", "1995-04", "1995-05"


async def klatsch(settings: Settings, *arguments: str) -> tuple[int, str]:
    """A command of the command line on an installation: its exit code, and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "infra.ops.cli", *arguments,
        env=variables(settings), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def imported(world: World, operator: str, room: str, author: Person, texts: dict[str, list[str]]) -> None:
    """Messages of old, by month."""
    orders: list[dict[str, Any]] = []
    for month, said in texts.items():
        for n, text in enumerate(said):
            key = secrets.token_hex(8)
            orders.append({
                "command": "PostMessage", "actor": author.id, "time": f"{month}-{n + 1:02}T08:00:00.000Z", "key": key,
                "fields": {"room": room, "token": key, "content": {"text": text}},
            })  # fmt: skip
    answer = await world.call("import.orders", {"orders": orders}, token=operator)
    assert [one["result"] for one in answer["results"]] == ["done"] * len(orders)
    for one in answer["results"]:
        topic, partition, offset = one["position"].split("/")
        world.seen(f"{topic}/{partition}/{int(offset) + 1}")


async def page(person: Person, room: str, **fields: Any) -> tuple[list[int], bool]:
    answer = await person.do("messages.read", room=room, **fields)
    return [message["seq"] for message in answer["messages"]], answer["archived"]


async def test_archived_months_are_skipped_and_come_back(
    world: World, installed: Settings, operator: str, ada: Person
) -> None:
    word = f"w{secrets.token_hex(6)}"
    room = await ada.group(settings={"announcements": False})
    texts = {month: [f"{word} {month} {n}" for n in range(3)] for month in (FIRST, SECOND, THIRD)}
    await imported(world, operator, room, ada, texts)
    assert await page(ada, room) == (list(range(1, 10)), False)
    code, said = await klatsch(installed, "months", "detach", SECOND)
    assert code == 0 and "months attach" in said, said

    async def gone() -> bool:
        return await page(ada, room) == ([1, 2, 3, 7, 8, 9], True)

    try:
        await until(gone, "the archived month is not read")
        assert await page(ada, room, limit=2) == ([8, 9], False)
        # The next message would be an archived one; those below it are found across the hole.
        assert await page(ada, room, limit=3) == ([7, 8, 9], True)
        answer = await ada.do("messages.read", room=room, limit=3)
        assert await page(ada, room, cursor=answer["older"], limit=3) == ([1, 2, 3], True)
        assert await page(ada, room, after=2, limit=1) == ([3], True)
        assert await page(ada, room, around=5, limit=4) == ([2, 3, 7, 8], True)
        assert await page(ada, room, until="1995-03-03T00:00:00.000Z") == ([1, 2], False)
        assert await page(ada, room, since="1995-04-02T00:00:00.000Z", until="1995-05-01T00:00:00.000Z") == ([], True)
        found = await ada.do("messages.search", text=word)
        assert [one["message"]["seq"] for one in found["found"]] == [9, 8, 7, 3, 2, 1]
        code, said = await klatsch(installed, "months")
        states = {line.split()[0]: line.split()[-1] for line in said.splitlines()}
        assert code == 0 and (states[FIRST], states[SECOND]) == ("attached", "archived"), said
        code, said = await klatsch(installed, "months", "detach", SECOND)
        assert code == 1 and "found it archived already" in said
    finally:
        code, said = await klatsch(installed, "months", "attach", SECOND)
        assert code == 0, said

    async def back() -> bool:
        return await page(ada, room) == (list(range(1, 10)), False)

    await until(back, "the month is read again")
    assert len((await ada.do("messages.search", text=word))["found"]) == 9


async def test_a_message_in_an_archived_month_is_not_found(
    world: World, installed: Settings, operator: str, ada: Person
) -> None:
    month = "1994-07"
    room = await ada.group(settings={"announcements": False})
    await imported(world, operator, room, ada, {month: ["old"]})
    (message,) = (await ada.do("messages.read", room=room))["messages"]
    assert month_of(message["id"]) == month
    place = {"room": room, "message": message["id"]}
    assert (await klatsch(installed, "months", "detach", month))[0] == 0
    try:
        assert await ada.refused("messages.get", **place) == "not_found"
        assert (await ada.do("rooms.get", room=room))["message"] is None, "the last one is archived"
    finally:
        assert (await klatsch(installed, "months", "attach", month))[0] == 0
    assert (await ada.do("messages.get", **place))["message"] == message


@pytest.mark.parametrize(
    "id",
    [
        "nothing",
        "0199aa00-0000-4000-8000-000000000000",
        "019AA000-0000-7000-8000-00000000000A",
        "019aa000-0000-7000-8000-00000000000",
        "ffffffff-ffff-7fff-bfff-ffffffffffff",
    ],
)
async def test_ids_of_imported_messages_say_their_month(world: World, operator: str, ada: Person, id: str) -> None:
    room = await ada.group()
    order = {
        "command": "PostMessage", "actor": ada.id, "time": "2004-10-01T08:00:00.000Z", "key": "k", "id": id,
        "fields": {"room": room, "token": "k", "content": {"text": "x"}},
    }  # fmt: skip
    with pytest.raises(Exception, match=r"orders\[0\].id: expected a UUIDv7 of 1970 to 2199"):
        await world.call("import.orders", {"orders": [order]}, token=operator)
