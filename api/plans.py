"""Plans that applications may choose, and which of them holds for one. For operators."""

from __future__ import annotations

from math import ceil
from typing import Any, cast, get_args

from api.apps import done
from api.core.calls import Call
from api.core.operation import NoPast, Operation, Request
from api.rooms import keyed_id
from api.support import pages
from api.support.app_counts import Counted
from api.support.pages import Cursor, Limit
from api.support.problems import Problem
from events.core.clock import uuid7
from events.core.faults import wrong
from events.plans import Plan, PlanLimits, plan_key
from infra.base.postgres import queries
from infra.base.rows import from_row
from producers.apps import ChoosePlan, missing_app
from producers.commands import Refused
from producers.limits import Id, ShownName
from producers.plans import (
    Currency,
    DefinePlan,
    Features,
    GivenLimits,
    PlanCommand,
    PlanWord,
    Price,
    WithdrawPlan,
    missing_plan,
)
from projectors.views import plan_view


class DefinePlanRequest(Request, frozen=True, kw_only=True):
    #: The plan that is to be another from here on; without it a new one is made.
    plan: Id | None = None
    #: What people see it called.
    name: ShownName
    #: What plans of one kind have in common: `free`, `pro`.
    tier: PlanWord
    #: Price of a month, in hundredths of the currency: 4900 is 49.00. null: by agreement.
    monthly: Price | None = None
    #: Price of a year, likewise.
    yearly: Price | None = None
    #: Currency of the prices, by its three letters (ISO 4217).
    currency: Currency = "EUR"
    #: What it has, by name, for applications to ask: true, false, or how much of it.
    features: Features = {}
    #: What is not named has no limit.
    limits: GivenLimits = GivenLimits()


class PlanRequest(Request, frozen=True, kw_only=True):
    plan: Id


class ListPlansRequest(Request, frozen=True, kw_only=True):
    limit: Limit = 50
    cursor: Cursor | None = None


class ChoosePlanRequest(Request, frozen=True, kw_only=True):
    app: Id
    #: null: none from here on.
    plan: Id | None


class AppRequest(Request, frozen=True, kw_only=True):
    #: An application's server names its own.
    app: Id


#: Names of all limits, in the order in which they are told.
LIMITS = PlanLimits.__struct_fields__


async def define(call: Call, request: DefinePlanRequest) -> dict[str, Any]:
    # The stream of a repeated command must be the same, so the id comes from the key.
    made = uuid7() if call.key is None else keyed_id(call, "plan")
    command = DefinePlan(
        plan=request.plan or made, again=request.plan is not None, name=request.name, tier=request.tier,
        monthly=request.monthly, yearly=request.yearly, currency=request.currency, features=request.features,
        limits=request.limits,
    )  # fmt: skip
    return await _done(call, command)


async def withdraw(call: Call, request: PlanRequest) -> dict[str, Any]:
    return await _done(call, WithdrawPlan(plan=request.plan))


async def _done(call: Call, command: PlanCommand) -> dict[str, Any]:
    key = plan_key(command.plan)
    outcome = await call.submit(command, shows=(key,))
    # Once this is answered, it holds here; on other nodes when the news have come.
    await call.meet_own("apps")
    return {"plan": plan_view(outcome.entity(Plan, key))}


async def find(call: Call, id: str) -> Plan:
    """A plan, also one that was made a moment ago, anywhere. Raises Refused ``not_found``."""
    row = await call.sought(lambda: call.row(queries("plans")["by_id"], id), "apps")
    if row is None:
        raise missing_plan(id)
    return from_row(Plan, row)


async def get(call: Call, request: PlanRequest) -> dict[str, Any]:
    return {"plan": plan_view(await find(call, request.plan))}


async def list_(call: Call, request: ListPlansRequest) -> dict[str, Any]:
    rows = await call.rows(queries("plans")["page"], pages.decode_id(request.cursor), request.limit + 1)
    found, more = pages.by_id(rows, request.limit)
    return {"plans": [plan_view(from_row(Plan, row)) for row in found], "next": more}


async def choose(call: Call, request: ChoosePlanRequest) -> dict[str, Any]:
    problem = None if request.plan is None else await _unfit(call, request.app, request.plan)
    return await done(call, request.app, ChoosePlan(app=request.app, plan=request.plan), unless=problem)


async def _unfit(call: Call, app: str, id: str) -> Problem | Refused | None:
    """Why an application cannot choose the plan. One that it has may be withdrawn: it keeps it."""
    try:
        plan = await find(call, id)
    except Refused as refusal:
        return refusal
    now = await call.services.apps.get(app)
    if plan.state == "offered" or (now is not None and now.plan == id):
        return None
    return Problem("invalid", errors=[wrong("/plan", "a plan that is offered", "one that was withdrawn")])


async def limits(call: Call, request: AppRequest) -> dict[str, Any]:
    if not call.reaches(request.app) or await call.services.apps.get(request.app) is None:
        raise missing_app(request.app)
    held = await call.services.plans.of(request.app)
    found = [await _limit(call, request.app, name, getattr(held.limits, name)) for name in LIMITS]
    return {"plan": None if held.plan is None else plan_view(held.plan), "limits": found}


async def _limit(call: Call, app: str, name: str, most: int | None) -> dict[str, Any]:
    """One limit with what is used of it; of one that is not counted, or where there is none, that is not known."""
    used = reset = None
    counts = call.services.app_counts
    if most is not None and name == "connections":
        used = call.services.connections(app)
    if most is not None and name == "calls_minute":
        taken = call.services.limits.used(app, most)
        used, reset = most - taken.left, ceil(taken.reset)
    if most is not None and name in get_args(Counted):
        used = (await counts.get(app, cast(Counted, name))).used
        reset = counts.day()[1] if name == "messages_day" else None
    return {"limit": name, "most": most, "used": used, "reset": reset}


_PLAN = {"plan": "Plan"}

OPERATIONS = [
    Operation("plans.define", "POST", "/v1/plans", "operator", DefinePlanRequest, define,
              "Make a plan, or say what one is from here on", _PLAN),
    Operation("plans.list", "GET", "/v1/plans", "operator", ListPlansRequest, list_,
              "The plans of the installation", {"plans": "[Plan]", "next": "cursor"}),
    Operation("plans.get", "GET", "/v1/plans/{plan}", "operator", PlanRequest, get,
              "A plan", _PLAN),
    Operation("plans.withdraw", "POST", "/v1/plans/{plan}/withdraw", "operator", PlanRequest, withdraw,
              "Offer a plan no longer", _PLAN),
    Operation("apps.choose_plan", "PUT", "/v1/apps/{app}/plan", "operator", ChoosePlanRequest, choose,
              "Choose the plan of an application, or none", {"app": "App"}),
    Operation("apps.limits", "GET", "/v1/apps/{app}/limits", "app", AppRequest, limits,
              "The plan of an application, and how much of each limit is used",
              {"plan": "Plan", "limits": "[AppLimit]"}, as_of=NoPast("it tells limits as they are now")),
]  # fmt: skip
