"""How far the read models are and who was logged out, as a process knows it, through lost news and connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from events.core.clock import after, now
from events.core.positions import Shard
from infra.base import postgres
from infra.base.progress import READ_MODELS, Progress, ReadModelsBehind, positions_channel, revoked_channel
from infra.base.settings import Settings
from tests.running import until

ROOMS, USERS = Shard("rooms", 0), Shard("users", 1)


@pytest.fixture
async def connection(settings: Settings) -> AsyncIterator[postgres.Connection]:
    """Where the test writes what projectors write."""
    found = await postgres.connect(settings)
    yield found
    await found.close()


@pytest.fixture
async def progress(settings: Settings) -> AsyncIterator[Progress]:
    found = Progress(settings)
    await found.start()
    yield found
    await found.stop()


async def moved(connection: postgres.Connection, shard: Shard, offset: int) -> None:
    """The read models have come to an offset, and nobody was told."""
    await connection.execute(
        "insert into positions (consumer, topic, partition, next_offset) values ($1, $2, $3, $4) "
        "on conflict (consumer, topic, partition) do update set next_offset = excluded.next_offset",
        READ_MODELS, *shard, offset,
    )  # fmt: skip


async def closed(connection: postgres.Connection, session: str, seconds: float = 60) -> None:
    """A session was closed, and nobody was told."""
    await connection.execute(
        'insert into sessions ("user", id, opened, expires, closed, sliding, since, version) '
        "values ($1, $2, $3, $4, $3, false, 0, 0)",
        "ada", session, now(), after(now(), seconds),
    )  # fmt: skip


async def told(connection: postgres.Connection, channel: str, payload: str) -> None:
    await connection.execute(postgres.queries("projectors")["notify"], channel, [payload])


async def test_what_is_told_is_known_at_once_and_never_goes_back(
    settings: Settings, connection: postgres.Connection, progress: Progress
) -> None:
    heard: list[dict[Shard, int]] = []
    progress.on_advance(lambda vector: heard.append(dict(vector)))
    waiting = asyncio.create_task(progress.wait({ROOMS: 7, USERS: 3}, 10))
    for payload in ("rooms/0/5", "rooms/0/7,users/1/2", "rooms/0/6", "users/1/3"):
        await told(connection, positions_channel(settings), payload)
    assert await waiting
    assert progress.vector == {ROOMS: 7, USERS: 3}
    assert heard == [{ROOMS: 5}, {ROOMS: 7, USERS: 2}, {ROOMS: 7, USERS: 3}]
    assert await progress.wait({ROOMS: 7}, 0) and await progress.wait({}, 0)


async def test_a_lost_notification_is_made_up_for(connection: postgres.Connection, progress: Progress) -> None:
    revoked: list[str] = []
    progress.on_revoke(revoked.append)
    await moved(connection, ROOMS, 9)
    await closed(connection, "s1")
    assert await progress.wait({ROOMS: 9}, 5)

    async def known() -> bool:
        return "s1" in progress.revoked

    await until(known, "the session is known to be closed")
    assert revoked == ["s1"]


async def test_waiting_ends(progress: Progress) -> None:
    assert not await progress.wait({ROOMS: 1}, 0.05)
    with pytest.raises(ReadModelsBehind, match=r"rooms/0/1 .*rooms/0/0"):
        await progress.reach({ROOMS: 1}, 0.05)
    assert progress._waiters == []


async def test_sessions_are_forgotten_once_their_tokens_have_expired(
    connection: postgres.Connection, progress: Progress
) -> None:
    await closed(connection, "long")
    await closed(connection, "short", seconds=1.5)

    async def both() -> bool:
        return {"long", "short"} <= progress.revoked

    async def one() -> bool:
        return progress.revoked == {"long"}

    await until(both, "both are known to be closed")
    await until(one, "the one that has expired is forgotten")


async def test_a_lost_connection_is_known_and_made_up_for(
    settings: Settings, connection: postgres.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, pids, revoked, again = postgres.connect, list[int](), list[str](), asyncio.Event()

    async def noted(settings: Settings, **more: str) -> postgres.Connection:
        if pids:
            # Postgres stays away until the test has looked.
            await again.wait()
        made = await connect(settings, **more)
        pids.append(made.get_server_pid())
        return made

    monkeypatch.setattr(postgres, "connect", noted)
    progress = Progress(settings)
    progress.on_revoke(revoked.append)
    await progress.start()
    try:
        await connection.execute("select pg_terminate_backend($1)", pids[0])

        async def stale() -> bool:
            # From here on nothing is told, and who must know asks.
            return not progress.fresh

        async def fresh() -> bool:
            return progress.fresh

        await until(stale, "it is known that nothing is told")
        await closed(connection, "s1")
        await told(connection, revoked_channel(settings), "s1")
        again.set()
        await until(fresh, "there is another connection")
        assert len(pids) == 2 and progress.revoked == {"s1"} and revoked == ["s1"]
    finally:
        await progress.stop()
