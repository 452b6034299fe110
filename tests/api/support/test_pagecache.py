"""Pages in memory: no query for what was asked before, and never another answer than a query would give."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.core import calls
from api.support.pagecache import PageCache
from events.core.positions import encode_vector
from infra.base import postgres
from infra.base.progress import Invalidation, Progress, pages_channel
from infra.base.settings import Settings
from tests.client import Person, Refusal, World, visiting
from tests.parts import Parts
from tests.running import until
from tests.servers import installation, serving


class Queries:
    """Statements that went to Postgres through the API's pool."""

    def __init__(self) -> None:
        self.count = 0

    def noted(self, query: asyncpg.connection.LoggedQuery) -> None:
        self.count += 1


class Scene:
    """An installation of its own, whose cache and queries the test sees."""

    def __init__(self, world: World, settings: Settings, services: calls.Services, queries: Queries) -> None:
        self.world, self.settings, self.services, self.queries = world, settings, services, queries

    @contextmanager
    def uncached(self) -> Iterator[None]:
        """As if nothing was kept: what is read now is read from the rows."""
        kept, self.services.pages = self.services.pages, PageCache(self.services.progress, 0)
        try:
            yield
        finally:
            self.services.pages = kept


@pytest.fixture(scope="module")
async def scene(parts: Parts) -> AsyncIterator[Scene]:
    queries, made = Queries(), list[calls.Services]()

    async def noting(connection: postgres.Connection) -> None:
        await postgres.prepare(connection)
        connection.add_query_logger(queries.noted)

    async def pool(settings: Settings, *, size: int = 10) -> postgres.Pool:
        return await asyncpg.create_pool(
            settings.postgres, min_size=1, max_size=size, init=noting, reset=postgres._keep,
            server_settings=postgres.server_settings(settings),
        )  # fmt: skip

    class Noted(calls.Services):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            made.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infra.ops.roles.postgres.pool", pool)
        patch.setattr("infra.ops.roles.Services", Noted)
        async with installation(parts) as found, serving(found) as url, visiting(url) as world:
            yield Scene(world, found, made[0], queries)


async def page(scene: Scene, person: Person, room: str, **fields: Any) -> Any:
    return await person.do("messages.read", room=room, **fields)


async def test_a_repeated_page_costs_no_query(scene: Scene) -> None:
    ada, bob = await scene.world.person("ada"), await scene.world.person("bob")
    room = await ada.group(bob)
    for n in range(5):
        await ada.say(room, str(n))
    for fields in ({}, {"limit": 2}, {"before": 4, "limit": 2}, {"around": 3, "limit": 2}, {"author": ada.id}):
        first = await page(scene, bob, room, **fields)
        before = scene.queries.count
        assert await page(scene, bob, room, **fields) == first
        assert scene.queries.count == before, fields
    # Another member costs two looks: whether they are one, and with whom they have a block.
    await page(scene, ada, room)
    assert scene.queries.count == before + 2
    assert (await (await scene.world.socket(bob.token)).rpc("messages.read", {"room": room}))["messages"]
    assert scene.queries.count == before + 2, "over RPC they are the same pages"


async def test_every_change_is_seen_at_once(scene: Scene) -> None:
    ada, bob, eve = [await scene.world.person(name) for name in ("ada", "bob", "eve")]
    room = await ada.group(bob)
    sent = [await ada.say(room, str(n)) for n in range(4)]
    place = {"room": room, "message": sent[1]["id"]}

    async def texts() -> list[str]:
        found = await page(scene, bob, room, before=4, limit=3)
        return [one["content"].get("text") for one in found["messages"]]

    assert await texts() == ["0", "1", "2"]
    await ada.do("messages.edit", **place, content={"text": "one"})
    assert await texts() == ["0", "one", "2"]
    await ada.do("messages.delete", **place)
    assert await texts() == ["0", None, "2"]
    await ada.do("users.change", name="Augusta")
    assert [user["name"] for user in (await page(scene, bob, room))["users"]] == ["Augusta"]
    assert await eve.refused("messages.read", room=room) == "not_found"
    await ada.do("members.add", room=room, user=eve.id)
    assert (await page(scene, eve, room))["messages"]
    await ada.do("members.remove", room=room, user=eve.id)
    assert await eve.refused("messages.read", room=room) == "not_found"
    await ada.do("rooms.delete", room=room)
    assert await bob.refused("messages.read", room=room) == "not_found"


async def test_what_is_said_leaves_pages_that_do_not_reach_the_end(scene: Scene) -> None:
    ada = await scene.world.person("ada")
    room = await ada.group()
    for n in range(4):
        await ada.say(room, str(n))
    old = await page(scene, ada, room, before=3)
    last = await page(scene, ada, room)
    await ada.say(room, "new")
    await until_told(scene)
    before = scene.queries.count
    assert await page(scene, ada, room, before=3) == old and scene.queries.count == before
    assert len((await page(scene, ada, room))["messages"]) == len(last["messages"]) + 1
    assert scene.queries.count > before


async def until_told(scene: Scene) -> None:
    """Until the process knows of all that was done."""
    assert await scene.services.progress.wait(scene.world.position, 10)


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["say", "edit", "delete", "rename", "leave", "join", "profile", "read", "read", "read"]),
        st.integers(0, 1), st.integers(0, 5), st.sampled_from([1, 2, 200]),
    ),
    max_size=25,
)  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=DEEDS)
async def test_what_is_kept_is_what_a_query_gives(scene: Scene, deeds: list[tuple[str, int, int, int]]) -> None:
    ada, bob = await scene.world.person("ada"), await scene.world.person("bob")
    room = await ada.group(bob)
    messages = [await ada.say(room, "first")]
    for n, (deed, who, number, limit) in enumerate(deeds):
        person, message = (ada, bob)[who], messages[number % len(messages)]["id"]
        match deed:
            case "say":
                messages.append(await ada.say(room, f"{n}"))
            case "edit":
                await _try(ada, "messages.edit", room=room, message=message, content={"text": f"edit {n}"})
            case "delete":
                await _try(ada, "messages.delete", room=room, message=message)
            case "rename":
                await ada.do("rooms.change", room=room, name=f"Room {n}")
            case "leave":
                await _try(bob, "members.remove", room=room, user="me")
            case "join":
                await _try(bob, "members.add", room=room, user="me")
            case "profile":
                await person.do("users.change", name=f"Name {n}")
            case "read":
                fields: dict[str, Any] = {"limit": limit, **({} if number == 0 else {"before": number})}
                kept = await _try(person, "messages.read", room=room, **fields)
                with scene.uncached():
                    assert kept == await _try(person, "messages.read", room=room, **fields)


async def _try(person: Person, name: str, **fields: Any) -> Any:
    """The answer, or the code of the refusal."""
    try:
        return await person.do(name, **fields)
    except Refusal as refusal:
        return refusal.code


async def test_readers_never_get_what_was_before_their_own_writes(scene: Scene) -> None:
    ada = await scene.world.person("ada")
    room = await ada.group()
    path = f"/v1/rooms/{room}/messages"

    async def reading() -> None:
        while not done.is_set():
            await scene.world.request("GET", path, token=ada.token)

    done = asyncio.Event()
    readers = [asyncio.create_task(reading()) for _ in range(3)]
    for n in range(60):
        message = await ada.say(room, str(n))
        headers = {"Klatsch-Position": encode_vector(scene.world.position)}
        answer = await scene.world.request("GET", path, token=ada.token, headers=headers)
        assert answer.json()["messages"][-1] == message
    done.set()
    await asyncio.gather(*readers)


async def test_nothing_is_used_while_news_do_not_come(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await scene.world.person("ada")
    room = await ada.group()
    await ada.say(room)
    await page(scene, ada, room)
    pages, progress = scene.services.pages, scene.services.progress
    assert len(pages) and pages.size
    connect, again = postgres.connect, asyncio.Event()

    async def waiting(settings: Settings, **more: str) -> postgres.Connection:
        await again.wait()
        return await connect(settings, **more)

    monkeypatch.setattr(postgres, "connect", waiting)
    killer = await connect(scene.settings)
    await killer.execute(
        "select pg_terminate_backend(pid) from pg_locks"
        " where locktype = 'advisory' and (classid::bigint << 32 | objid::bigint) = $1",
        postgres.shared_key(scene.settings),
    )

    async def stale() -> bool:
        return not progress.fresh and not len(pages)

    await until(stale, "what was kept is gone")
    before = scene.queries.count
    for _ in range(2):
        assert (await scene.world.request("GET", f"/v1/rooms/{room}/messages", token=ada.token)).status == 200
    assert scene.queries.count > before + 4 and not len(pages)
    again.set()

    async def fresh() -> bool:
        return progress.fresh

    await until(fresh, "there is another connection")
    await page(scene, ada, room)
    assert len(pages)
    await killer.close()


async def test_memory_is_bounded_and_what_changes_meanwhile_is_not_kept(settings: Settings) -> None:
    progress = Progress(settings)
    cache = PageCache(progress, 5000)
    with cache.reading("r") as ticket:
        ticket.put("page", "x", 10)
    assert len(cache) == 0, "nobody would tell of a change yet"
    await progress.start()
    teller = await postgres.connect(settings)
    try:
        with cache.reading("r") as one, cache.reading("r") as two, cache.reading("s") as other:
            heard: list[Invalidation] = []
            progress.on_touch(heard.append)
            await teller.execute(
                postgres.queries("projectors")["notify"],
                pages_channel(settings),
                ['{"appended":["r"],"users":["u"]}'],
            )

            async def told() -> list[Invalidation]:
                return heard

            await until(told, "it is told")
            one.put("end", 1, 10, end=True)
            one.put("middle", 2, 10)
            two.put("of u", 3, 10, users={"u", "v"})
            two.put("of v", 4, 10, users={"v"})
            other.put("end", 5, 10, end=True)
            assert [one.get(key) for key in ("end", "middle", "of u", "of v")] == [None, 2, None, 4]
            assert other.get("end") == 5
        for n in range(100):
            with cache.reading(f"room {n}") as ticket:
                ticket.put("page", n, 400)
                assert cache.size <= 5000
        assert 1 < len(cache) < 10
        with cache.reading("r") as ticket:
            ticket.put("page", "huge", 5000)
            assert ticket.get("page") is None
    finally:
        await teller.close()
        await progress.stop()
    assert len(cache) == 0 and cache.size == 0
