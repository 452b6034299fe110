"""Decisions about plans, and which of them an application has. Tests ``events/plans.py`` and ``producers/plans.py``."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import to_builtins

from events.apps import AppCreated, AppPlanChosen
from events.plans import NO_LIMITS, Plan, PlanDefined, PlanLimits, PlanWithdrawn, limits_of, plan_key
from producers.apps import ChoosePlan
from producers.plans import DefinePlan, GivenLimits, WithdrawPlan
from tests.events.given import TIME
from tests.producers.given import Given

DEFINED = PlanDefined(
    name="Pro",
    tier="pro",
    monthly=4900,
    yearly=None,
    currency="EUR",
    features={"a": True, "b": 2},
    limits={"users": 10},
)


def define(**more: Any) -> DefinePlan:
    given: dict[str, Any] = {
        "plan": "s", "name": "Pro", "tier": "pro", "monthly": 4900, "features": {"a": True, "b": 2},
        "limits": GivenLimits(users=10), **more,
    }  # fmt: skip
    return DefinePlan(**given)


def plan_of(given: Given) -> Plan:
    found = given.log.state[plan_key("s")]
    assert isinstance(found, Plan)
    return found


def test_a_plan_is_made_with_the_limits_that_are_named() -> None:
    given = Given().when(define()).then(DEFINED)
    plan = plan_of(given)
    assert (plan.state, plan.created, plan.updated) == ("offered", TIME.format(0), TIME.format(0))
    assert limits_of(plan.limits) == PlanLimits(users=10) and plan.limits == {**to_builtins(NO_LIMITS), "users": 10}
    given.when(define(name="Other"), id="again").refused("taken")
    Given().when(define(name=" \u200b")).refused("invalid")


def test_it_is_defined_again_as_a_whole() -> None:
    given = Given(DEFINED).when(define(again=True), second=1).then()
    other = PlanDefined(
        name="Pro", tier="pro", monthly=None, yearly=1, currency="USD", features={}, limits={"rooms": 0}
    )
    command = DefinePlan(
        plan="s", again=True, name="Pro", tier="pro", yearly=1, currency="USD", limits=GivenLimits(rooms=0)
    )
    given.when(command, second=2, id="more").then(other)
    plan = plan_of(given)
    assert limits_of(plan.limits) == PlanLimits(rooms=0), "what is not named has no limit any more"
    assert (plan.created, plan.updated) == (TIME.format(0), TIME.format(2))


def test_a_withdrawn_one_is_offered_again_when_it_is_defined() -> None:
    given = Given(DEFINED).when(WithdrawPlan(plan="s")).then(PlanWithdrawn())
    assert plan_of(given).state == "withdrawn"
    given.when(WithdrawPlan(plan="s"), id="again").then()
    given.when(define(again=True), id="back").then(DEFINED)
    assert plan_of(given).state == "offered"


@pytest.mark.parametrize("command", [define(again=True), WithdrawPlan(plan="s")])
def test_of_one_that_is_not_there_all_is_refused(command: Any) -> None:
    Given().when(command).refused("not_found")


def test_an_application_chooses_one_and_none() -> None:
    given = Given(AppCreated(name="Harbour", key="kk_" + "a" * 26, secret="v"))
    given.when(ChoosePlan(app="s", plan="p")).then(AppPlanChosen(plan="p"))
    given.when(ChoosePlan(app="s", plan="p"), id="again").then()
    given.when(ChoosePlan(app="s"), id="none").then(AppPlanChosen(plan=None))
    Given().when(ChoosePlan(app="s", plan="p")).refused("not_found")


def test_events_of_what_is_not_there_change_nothing() -> None:
    given = Given(PlanWithdrawn())
    assert given.log.state[plan_key("s")] is None
