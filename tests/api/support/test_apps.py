"""What a process knows of applications: asked once, told of changes, bounded."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from api.support import apps as subject
from api.support.apps import Apps, AppSecret
from api.support.sealing import Sealer
from events.apps import AppCreated, AppKeyRolled, AppRenamed, AppSuspended, default_app
from events.core.clock import after, now
from events.core.derived_ids import DEFAULT_APP
from infra.base import postgres
from infra.base.progress import Invalidation, Progress
from infra.base.settings import Settings
from projectors.read_models.projector import ReadModels
from tests.given import Fact, Given, given
from tests.running import running, until

FIRST, SECOND, NOBODYS = (f"kk_{letter * 26}" for letter in "abc")
SECRET = secrets.token_bytes(32)
MADE = Fact("a1", AppCreated(name="Harbour", key=FIRST, secret="v1"))


class Counting:
    """A pool that counts how often it is asked."""

    def __init__(self, pool: postgres.Pool) -> None:
        self._pool = pool
        self.asked = 0
        #: Done before the next use.
        self.meanwhile: Callable[[], None] = lambda: None

    def acquire(self, **options: Any) -> Any:
        self.asked += 1
        self.meanwhile()
        return self._pool.acquire(**options)


class Scene:
    """A writer of the log, and a process that knows of applications."""

    def __init__(self, writer: Given, pool: Counting, progress: Progress, sealer: Sealer) -> None:
        self.writer, self.pool, self.progress, self.sealer = writer, pool, progress, sealer
        self.time = 0.0
        self.apps = self.known()

    def known(self, most: int = subject.APPS) -> Apps:
        pool: Any = self.pool
        return Apps(pool, self.progress, self.sealer, most=most, clock=lambda: self.time)

    async def sealed(self, id: str, app: str, secret: bytes = SECRET) -> None:
        """The vault has a secret."""
        text = self.sealer.seal(secret, id=id, app=app)
        await self.writer.connection.execute("insert into credentials (id, sealed) values ($1, $2)", id, text)

    async def happens(self, *facts: Fact) -> None:
        await self.writer.events(*facts)
        await self.writer.level()


@pytest.fixture
async def scene(settings: Settings) -> AsyncIterator[Scene]:
    async with staged(settings, MADE) as found:
        await found.sealed("v1", "a1")
        yield found


@asynccontextmanager
async def staged(settings: Settings, *facts: Fact) -> AsyncIterator[Scene]:
    async with given(settings, *facts) as writer, running(ReadModels(settings)):
        await writer.level()
        progress = Progress(settings)
        await progress.start()
        pool = await postgres.pool(settings, size=2)
        try:
            yield Scene(writer, Counting(pool), progress, Sealer(settings))
        finally:
            await pool.close()
            await progress.stop()


async def test_a_key_is_asked_for_once(scene: Scene) -> None:
    expected = AppSecret("a1", SECRET)
    assert [await scene.apps.by_key(FIRST) for _ in range(5)] == [expected] * 5
    app = await scene.apps.get("a1")
    assert app is not None and (app.name, list(app.keys)) == ("Harbour", [FIRST])
    assert scene.pool.asked == 1
    assert await scene.apps.get("nothing") is None
    assert await scene.apps.get(DEFAULT_APP) == await scene.apps.get(DEFAULT_APP) == default_app()
    assert scene.pool.asked == 3


async def test_a_key_that_is_nobodys_is_not_asked_for_each_time(scene: Scene) -> None:
    assert [await scene.apps.by_key(NOBODYS) for _ in range(5)] == [None] * 5
    assert scene.pool.asked == 1
    scene.time += subject.UNKNOWN_SECONDS
    assert await scene.apps.by_key(NOBODYS) is None and scene.pool.asked == 2
    for text in ("", "kk_", NOBODYS.upper(), NOBODYS + "a", NOBODYS + "\n", "kk_" + "1" * 26):
        assert await scene.apps.by_key(text) is None
    assert scene.pool.asked == 2, "what is no key at all is not asked for"


async def test_those_that_are_nobodys_are_bounded(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "UNKNOWN", 3)
    keys = [f"kk_{letter * 26}" for letter in "cdefgh"]
    for key in keys:
        assert await scene.apps.by_key(key) is None
    asked = scene.pool.asked
    assert [await scene.apps.by_key(key) for key in keys[-3:]] == [None] * 3 and scene.pool.asked == asked
    assert await scene.apps.by_key(keys[0]) is None and scene.pool.asked == asked + 1


async def test_a_change_is_known_within_a_second(scene: Scene) -> None:
    assert await scene.apps.by_key(FIRST) is not None and await scene.apps.by_key(SECOND) is None
    await scene.sealed("v2", "a1", b"other")
    rolled = AppKeyRolled(key=SECOND, secret="v2", old_until=after(now(), 3600), dropped=[])
    await scene.happens(Fact("a1", rolled), Fact("a1", AppSuspended(reason="X")))

    async def known() -> bool:
        app = await scene.apps.get("a1")
        return await scene.apps.by_key(SECOND) == AppSecret("a1", b"other") and app is not None and app.reason == "X"

    await until(known, "the new key is not known", 1.0)
    assert await scene.apps.by_key(FIRST) == AppSecret("a1", SECRET)
    asked = scene.pool.asked
    assert await scene.apps.by_key(FIRST) and await scene.apps.by_key(SECOND) and scene.pool.asked == asked


async def test_a_key_ends_at_its_time(scene: Scene) -> None:
    await scene.sealed("v2", "a1", b"other")
    await scene.happens(Fact("a1", AppKeyRolled(key=SECOND, secret="v2", old_until=after(now(), 1), dropped=[])))
    assert await scene.apps.by_key(FIRST) is not None

    async def ended() -> bool:
        return await scene.apps.by_key(FIRST) is None

    await until(ended, "the old key is still valid")
    assert await scene.apps.by_key(SECOND) is not None


async def test_what_changes_while_it_is_read_is_not_kept(scene: Scene) -> None:
    scene.pool.meanwhile = lambda: scene.apps._touched(Invalidation(apps=["a1"]))
    assert await scene.apps.by_key(FIRST) is not None and await scene.apps.by_key(NOBODYS) is None
    assert await scene.apps.get("a1") is not None and len(scene.apps) == 0
    scene.pool.meanwhile = lambda: None
    asked = scene.pool.asked
    assert await scene.apps.by_key(FIRST) is not None and await scene.apps.by_key(NOBODYS) is None
    assert scene.pool.asked == asked + 2


async def test_without_news_nothing_is_kept(scene: Scene) -> None:
    assert await scene.apps.by_key(FIRST) is not None and len(scene.apps) == 1
    await scene.progress.stop()
    assert len(scene.apps) == 0
    asked = scene.pool.asked
    assert await scene.apps.by_key(FIRST) is not None and await scene.apps.by_key(FIRST) is not None
    assert scene.pool.asked == asked + 2 and len(scene.apps) == 0


async def test_those_used_last_are_kept(scene: Scene) -> None:
    few = scene.known(most=2)
    for app in ("a2", "a3"):
        await scene.happens(Fact(app, AppCreated(name=app, key=f"kk_{app[-1] * 26}", secret=app)))
        await scene.sealed(app, app)
    third = f"kk_{'3' * 26}"
    for key in (FIRST, f"kk_{'2' * 26}", FIRST, third):
        assert await few.by_key(key) is not None
    asked = scene.pool.asked
    assert await few.by_key(FIRST) and await few.by_key(third) and scene.pool.asked == asked and len(few) == 2
    assert await few.get("a2") is not None and scene.pool.asked == asked + 1


async def test_a_secret_that_is_lost_or_does_not_open_is_said(
    scene: Scene, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.writer.connection.execute("delete from credentials")
    assert await scene.apps.by_key(FIRST) is None
    assert f"application a1: expected the secret of {FIRST} in the vault, it is not there" in caplog.text
    other = Sealer(replace(settings, secret=secrets.token_hex(32)))
    text = other.seal(SECRET, id="v1", app="a1")
    await scene.writer.connection.execute("insert into credentials (id, sealed) values ('v1', $1)", text)
    scene.time += subject.UNKNOWN_SECONDS
    assert await scene.apps.by_key(FIRST) is None
    assert "secret v1 of application a1: expected it to be sealed with this installation's key" in caplog.text


async def test_the_default_one_is_read_once_it_has_an_event(scene: Scene) -> None:
    assert await scene.apps.get(DEFAULT_APP) == default_app()
    await scene.happens(Fact(DEFAULT_APP, AppRenamed(name="Demo")))

    async def renamed() -> bool:
        app = await scene.apps.get(DEFAULT_APP)
        return app is not None and app.name == "Demo"

    await until(renamed, "the new name is not known", 1.0)
