"""What a search may cost the others: nothing on the event loop, and nothing for who has gone.
Tests ``api/search.py`` and ``api/support/looking.py``."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Iterator
from contextlib import suppress
from time import monotonic

import pytest

from api import search
from api.support.highlights import Range, Wanted
from api.support.looking import PIECE, Looker
from tests.client import Person, World
from tests.running import until


class Held(Wanted):
    """Looks at no text before it may."""

    go = threading.Event()
    looked = 0

    def highlights(self, text: str, most: int | None = None) -> list[Range] | None:
        Held.looked += 1
        assert Held.go.wait(30), "held for too long"
        return super().highlights(text, most)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Held]]:
    """Searches wait while they look at their first message, until ``go`` is set."""
    monkeypatch.setattr(search, "Wanted", Held)
    Held.go.clear()
    Held.looked = 0
    yield Held
    Held.go.set()


async def looking() -> bool:
    return Held.looked > 0


async def said(person: Person, times: int) -> str:
    """A word that is in this many messages of the person."""
    word, room = secrets.token_hex(8), await person.group(settings={"announcements": False})
    for _ in range(times):
        await person.say(room, word)
    return word


async def test_others_are_answered_meanwhile(ada: Person, bob: Person, world: World, held: type[Held]) -> None:
    word = await said(ada, 2)
    found = asyncio.create_task(ada.do("messages.search", text=word))
    await until(looking, "the search looks at a message")
    assert (await world.request("GET", "/healthz")).status == 200
    assert (await bob.do("users.me"))["user"]["id"] == bob.id
    assert not found.done()
    held.go.set()
    assert len((await found)["found"]) == 2


async def test_a_search_ends_with_its_client(
    ada: Person, world: World, held: type[Held], monkeypatch: pytest.MonkeyPatch
) -> None:
    word = await said(ada, 3 * PIECE)
    ended = asyncio.Event()
    look = Looker.look

    async def watched(*arguments: object) -> object:
        try:
            return await look(*arguments)  # type: ignore[arg-type]
        except asyncio.CancelledError:
            ended.set()
            raise

    monkeypatch.setattr(Looker, "look", watched)
    if ada.via == "http":
        asking = asyncio.create_task(ada.do("messages.search", text=word))
    else:
        socket = await world.socket(ada.token)
        asking = asyncio.create_task(socket.rpc("messages.search", {"text": word}))
    await until(looking, "the search looks at a message")
    if ada.via == "http":
        asking.cancel()
    else:
        await socket.close()
    async with asyncio.timeout(20):
        await ended.wait()
        held.go.set()
        with suppress(asyncio.CancelledError, ConnectionError):
            await asking
    monkeypatch.undo()
    # It takes its turn after what was left of the other.
    assert (await ada.do("messages.search", text=word))["found"]
    assert held.looked <= PIECE


async def test_a_deadline_is_looked_at_within_the_work() -> None:
    looker, wanted = Looker(), Wanted("a")
    try:
        assert await looker.look(wanted, ["a", "b", "a"], 10, monotonic() - 1) == [[(0, 1)]]
        assert await looker.look(wanted, ["a", "b", "a"], 10, monotonic() + 600) == [[(0, 1)], None, [(0, 1)]]
    finally:
        looker.close()


async def test_words_are_counted_and_places_cut(ada: Person) -> None:
    room = await ada.group(settings={"announcements": False})
    await ada.say(room, "a " * 999)
    found = (await ada.do("messages.search", text=" ".join("a" * 100), room=room, limit=200))["found"]
    assert [one["highlights"] for one in found] == [[[2 * n, 2 * n + 1] for n in range(100)]]
    many = " ".join(map(chr, range(0x4E00, 0x4E00 + 51)))
    assert await ada.refused("messages.search", text=many) == "invalid"
    assert (await ada.do("messages.search", text=many[:-2]))["found"] == []
