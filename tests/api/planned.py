"""Applications of the tests whose plan changes, and what a refusal says of the limit that it meets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.applications import App, person
from tests.client import Person, Refusal, Via, World


class Scene:
    """An application, whose plan changes as the test says."""

    def __init__(self, world: World, operator: str, app: App, via: Via) -> None:
        self.world, self.operator, self.app, self.via = world, operator, app, via
        self.plan: str | None = None

    async def limit(self, **limits: int) -> None:
        """Its plan has these limits from here on."""
        fields = {"name": "Pro", "tier": "pro", "limits": limits, **({"plan": self.plan} if self.plan else {})}
        found = (await self.world.call("plans.define", fields, token=self.operator))["plan"]["id"]
        if self.plan is None:
            self.plan = found
            await self.world.call("apps.choose_plan", {"app": self.app.id, "plan": found}, token=self.operator)

    async def person(self, name: str = "ada") -> Person:
        return await person(self.world, self.app, name, self.via)

    async def upsert(self, *names: str) -> list[Any]:
        users = [{"external_id": name, "name": name} for name in names]
        found: list[Any] = (await self.world.call("users.upsert", {"users": users}, token=self.app.server))["users"]
        return found


async def refused(person: Person, operation: str, /, **fields: Any) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        await person.do(operation, **fields)
    return refusal.value


def said(refusal: Refusal) -> tuple[str, str, int, int]:
    problem = refusal.problem
    return refusal.code, problem["limit"], problem["most"], problem["used"]
