"""What a process knows of plans: asked once, told of changes, and what holds while Postgres is away. Tests
``api/support/plans.py``, and the same of teams in ``api/support/apps.py`` and ``api/support/app_users.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from api.support.app_users import AppUsers
from api.support.apps import Apps
from api.support.plans import NO_PLAN, Plans
from api.support.sealing import Sealer
from events.apps import AppCreated, AppPlanChosen, AppSettingsChanged
from events.plans import NO_LIMITS, PlanDefined
from events.teams import TeamCreated
from events.users import UserRegistered, UserTeamSet
from infra.base import postgres
from infra.base.progress import Invalidation
from infra.base.settings import Settings
from projectors.read_models.projector import ReadModels
from tests.given import Fact, Given, given
from tests.running import running

KEY = f"kk_{'a' * 26}"


def plan(users: int) -> PlanDefined:
    limits = dict.fromkeys(NO_LIMITS.__struct_fields__) | {"users": users}
    return PlanDefined(name="Pro", tier="pro", monthly=None, yearly=None, currency="EUR", features={}, limits=limits)


FACTS = (
    Fact("a1", AppCreated(name="Harbour", key=KEY, secret="v1")), Fact("p1", plan(10)),
    Fact("a1", AppPlanChosen(plan="p1")), Fact("a1", AppSettingsChanged(settings={"session_hours": 24})),
    Fact("a1", TeamCreated(team="t1", external="crew", name="Crew", custom={})),
    Fact("u1", UserRegistered(username="", name="Ada", role="person", credential=None, data={}), "u1"),
    Fact("u1", UserTeamSet(team="t1"), "u1"),
)  # fmt: skip


class Scene:
    """A writer of the log, and a process that reads its tables while they are there."""

    def __init__(self, writer: Given, pool: postgres.Pool) -> None:
        self.writer, self._pool = writer, pool
        self.asked, self.gone = 0, False
        self.touched: list[Callable[[Invalidation], None]] = []
        self.progress: Any = SimpleNamespace(fresh=True, on_touch=self.touched.append)

    def acquire(self, **options: Any) -> Any:
        self.asked += 1
        if self.gone:
            raise ConnectionRefusedError("Postgres is away")
        return self._pool.acquire(**options)

    async def happens(self, *facts: Fact) -> None:
        await self.writer.events(*facts)
        await self.writer.level()

    def goes(self) -> None:
        """Postgres is away, and the process knows."""
        self.gone = True
        self.progress.fresh = False


@pytest.fixture
async def scene(settings: Settings) -> AsyncIterator[Scene]:
    async with given(settings, *FACTS) as writer, running(ReadModels(settings)):
        await writer.level()
        pool = await postgres.pool(settings, size=2)
        yield Scene(writer, pool)
        await pool.close()


def plans_of(scene: Scene) -> Plans:
    pool: Any = scene
    return Plans(pool, scene.progress)


async def test_a_plan_is_asked_for_once_and_again_when_it_has_changed(scene: Scene) -> None:
    plans = plans_of(scene)
    assert [(await plans.of("a1")).limits.users for _ in range(3)] == [10] * 3 and scene.asked == 1
    assert [await plans.of("default") for _ in range(3)] == [NO_PLAN] * 3 and scene.asked == 2
    await scene.happens(Fact("p1", plan(20)))
    for told in scene.touched:
        told(Invalidation(plans=["p1"]))
    assert (await plans.of("a1")).limits.users == 20
    await scene.happens(Fact("a1", AppPlanChosen(plan=None)))
    for told in scene.touched:
        told(Invalidation(apps=["a1"]))
    assert await plans.of("a1") == NO_PLAN and len(plans) == 1


async def test_while_postgres_is_away_what_was_known_last_holds(scene: Scene, settings: Settings) -> None:
    pool: Any = scene
    plans, apps = plans_of(scene), Apps(pool, scene.progress, Sealer(settings))
    users = AppUsers(pool, scene.progress)
    held = await plans.of("a1")
    assert await apps.has_teams("a1") and (await users.get_known("default", "u1")) is not None
    assert await apps.session_hours("a1") == 24
    scene.goes()
    assert await plans.of("a1") == held
    assert await apps.has_teams("a1") and (await users.get_known("default", "u1")) is not None
    # A session that is moved on by its use goes on.
    assert await apps.session_hours("a1") == 24
    # Of what was never known no limit holds, but nobody is let into a team.
    assert await plans.of("a2") == NO_PLAN
    asked = (
        apps.has_teams("a2"), apps.session_hours("a2"),
        users.get_known("default", "u2"), users.get_known("a1", "u1"),
    )  # fmt: skip
    for unknown in asked:
        with pytest.raises(ConnectionRefusedError):
            await unknown


async def test_a_fault_of_postgres_is_told_while_it_is_there(scene: Scene) -> None:
    plans = plans_of(scene)
    scene.gone = True
    with pytest.raises(ConnectionRefusedError):
        await plans.of("a1")
