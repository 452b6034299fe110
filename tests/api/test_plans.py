"""Plans: an operator makes, changes and withdraws them, and chooses one for an application. Tests ``api/plans.py`` and
``api/as_of/plans.py``."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from tests.client import Refusal, World

NO_LIMITS = dict.fromkeys((
    "users", "rooms", "room_members", "messages_day", "message_chars", "attachment_bytes", "connections",
    "calls_minute",
))  # fmt: skip


async def refused(world: World, operator: str, operation: str, /, **fields: Any) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        await world.call(operation, fields, token=operator)
    return refusal.value


async def defined(world: World, operator: str, /, **fields: Any) -> dict[str, Any]:
    """A plan that was made, or made another."""
    answer = await world.call("plans.define", {"name": "Pro", "tier": "pro", **fields}, token=operator)
    plan: dict[str, Any] = answer["plan"]
    return plan


async def test_one_is_defined_again_withdrawn_and_seen_as_it_was(world: World, operator: str) -> None:
    made = await defined(world, operator, monthly=4900, features={"b": True, "a": 3}, limits={"users": 10})
    assert (made["state"], made["monthly"], made["yearly"], made["currency"]) == ("offered", 4900, None, "EUR")
    assert made["features"] == {"b": True, "a": 3} and made["limits"] == {**NO_LIMITS, "users": 10}
    again = await defined(world, operator, plan=made["id"], limits={"rooms": 3})
    assert again["id"] == made["id"] and again["limits"] == {**NO_LIMITS, "rooms": 3} and again["monthly"] is None
    gone = (await world.call("plans.withdraw", {"plan": made["id"]}, token=operator))["plan"]
    assert gone["state"] == "withdrawn"
    assert await world.call("plans.get", {"plan": made["id"]}, token=operator) == {"plan": gone}
    then = await world.call("plans.get", {"plan": made["id"], "as_of": made["created"]}, token=operator)
    assert then == {"plan": made}


async def test_a_repeated_call_makes_no_second_one(world: World, operator: str) -> None:
    key, fields = secrets.token_hex(8), {"name": "Once", "tier": "free"}
    first = await world.call("plans.define", fields, token=operator, key=key)
    assert await world.call("plans.define", fields, token=operator, key=key) == first


async def test_the_list_comes_in_pages(world: World, operator: str) -> None:
    made = {(await defined(world, operator, name=f"n{n}"))["id"] for n in range(3)}
    for limit in (1, 2, 200):
        found, more = list[str](), dict[str, Any]()
        while True:
            page = await world.call("plans.list", {"limit": limit, **more}, token=operator)
            assert 0 < len(page["plans"]) <= limit
            found += [one["id"] for one in page["plans"]]
            if page["next"] is None:
                break
            more = {"cursor": page["next"]}
        assert found == sorted(set(found)) and made <= set(found)
    past = await world.call("plans.list", {"limit": 200, "as_of": "2026-01-01T00:00:00Z"}, token=operator)
    assert past["plans"] == []


async def test_an_application_chooses_what_is_offered_and_keeps_what_is_withdrawn(world: World, operator: str) -> None:
    app = (await world.call("apps.create", {"name": "Harbour"}, token=operator))["app"]["id"]
    plan = (await defined(world, operator))["id"]
    chosen = (await world.call("apps.choose_plan", {"app": app, "plan": plan}, token=operator))["app"]
    assert chosen["plan"] == plan
    await world.call("plans.withdraw", {"plan": plan}, token=operator)
    kept = (await world.call("apps.choose_plan", {"app": app, "plan": plan}, token=operator))["app"]
    assert kept == chosen, "nothing had to happen"
    assert (await world.call("apps.choose_plan", {"app": app, "plan": None}, token=operator))["app"]["plan"] is None
    refusal = await refused(world, operator, "apps.choose_plan", app=app, plan=plan)
    assert refusal.code == "invalid" and refusal.problem["errors"][0]["pointer"] == "/plan"


async def test_what_is_refused(world: World, operator: str) -> None:
    wrong: tuple[dict[str, Any], ...] = (
        {"limits": {"users": -1}}, {"limits": {"calls_minute": 0}}, {"limits": {"cats": 1}}, {"monthly": -1},
        {"monthly": 49.5}, {"currency": "euro"}, {"tier": "Pro!"}, {"features": {"A": True}}, {"name": "\u200b"},
    )  # fmt: skip
    for fields in wrong:
        fields = {"name": "Pro", "tier": "pro", **fields}
        assert (await refused(world, operator, "plans.define", **fields)).code == "invalid", fields
    app = (await world.call("apps.create", {"name": "Harbour"}, token=operator))["app"]["id"]
    # An application's id is no plan's, and the other way round.
    plan = (await defined(world, operator))["id"]
    for id in ("nothing", app, "default"):
        assert (await refused(world, operator, "plans.get", plan=id)).code == "not_found"
        assert (await refused(world, operator, "plans.withdraw", plan=id)).code == "not_found"
        assert (await refused(world, operator, "plans.define", plan=id, name="Pro", tier="pro")).code == "not_found"
        assert (await refused(world, operator, "apps.choose_plan", app=app, plan=id)).code == "not_found"
    for id in ("nothing", plan):
        assert (await refused(world, operator, "apps.choose_plan", app=id, plan=None)).code == "not_found"
        assert (await refused(world, operator, "apps.get", app=id)).code == "not_found"
