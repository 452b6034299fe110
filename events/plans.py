"""Plans that applications may choose: prices, features and limits. Stream: the plan's id (topic ``apps``).

A plan is the installation's, of no application: the ``app`` of its events is its own id, which no application has.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec
from msgspec.structs import replace

from events.core.clock import Time
from events.core.records import Changes, Entity, Event, EventType, Key, Record, State
from events.core.revert_rules import NotRevertible


class PlanLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much an application may have and do; null: as much as it wants."""

    #: Users, deactivated ones too.
    users: int | None = None
    #: Rooms that are not deleted.
    rooms: int | None = None
    #: Members of one room.
    room_members: int | None = None
    #: Messages of one day (UTC) in all rooms.
    messages_day: int | None = None
    #: Characters of the text of one message.
    message_chars: int | None = None
    #: Bytes of one attachment. Kept; nothing is attached yet.
    attachment_bytes: int | None = None
    #: Push connections that are open at the same time.
    connections: int | None = None
    #: Calls of users and of the application's server in 60 seconds.
    calls_minute: int | None = None


#: An application without a plan has no limits of one.
NO_LIMITS = PlanLimits()


class Plan(Entity, frozen=True, kw_only=True):
    """A plan that applications may choose."""

    kind: ClassVar = "plan"
    key_fields: ClassVar = ("id",)

    id: str
    name: str
    #: What plans of one kind have in common: ``free``, ``pro``.
    tier: str
    #: ``withdrawn``: applications that have it keep it, and no other one chooses it.
    state: Literal["offered", "withdrawn"]
    #: Price of a month, in hundredths of the currency; None: by agreement.
    monthly: int | None
    #: Price of a year, likewise.
    yearly: int | None
    #: ISO 4217: ``EUR``.
    currency: str
    #: What it has, by name, for applications to ask: ``{"webhooks": true, "regions": 3}``.
    features: dict[str, Any]
    #: ``PlanLimits``, all of them.
    limits: dict[str, Any]
    created: Time
    updated: Time
    version: int


def plan_key(plan: str) -> Key:
    return ("plan", plan)


def limits_of(limits: dict[str, Any]) -> PlanLimits:
    """A plan's limits, typed. Raises msgspec.ValidationError for what are none."""
    return msgspec.convert(limits, PlanLimits)


def loaded_plan(state: State, plan: str) -> Plan | None:
    """The plan in ``state``. Raises KeyError when the key was not loaded."""
    entity = state[plan_key(plan)]
    return entity if isinstance(entity, Plan) else None


class PlanDefined(Event, frozen=True, kw_only=True):
    """What a plan is from here on, all of it; a withdrawn one is offered again."""

    name: str
    tier: str
    #: In hundredths of the currency; None: by agreement.
    monthly: int | None
    yearly: int | None
    #: ISO 4217.
    currency: str
    #: What it has, by name.
    features: dict[str, Any]
    #: Those that are bounded, by the names of ``PlanLimits``.
    limits: dict[str, Any]


class PlanWithdrawn(Event, frozen=True, kw_only=True):
    """Applications that have it keep it, and no other one chooses it."""


def keys(record: Record) -> tuple[Key, ...]:
    return (plan_key(record.stream),)


def as_defined(record: Record[PlanDefined], created: Time) -> Plan:
    """The plan as an event defines it."""
    event = record.data
    return Plan(
        id=record.stream, name=event.name, tier=event.tier, state="offered", monthly=event.monthly, yearly=event.yearly,
        currency=event.currency, features=event.features, limits=msgspec.to_builtins(limits_of(event.limits)),
        created=created, updated=record.time, version=record.offset,
    )  # fmt: skip


def defined(record: Record[PlanDefined], state: State) -> Changes:
    before = loaded_plan(state, record.stream)
    plan = as_defined(record, record.time if before is None else before.created)
    return {plan.key: plan}


def withdrawn(record: Record[PlanWithdrawn], state: State) -> Changes:
    plan = loaded_plan(state, record.stream)
    if plan is None:
        return {}
    return {plan.key: replace(plan, state="withdrawn", updated=record.time, version=record.offset)}


ROWS = (
    EventType(
        name="plan.defined", struct=PlanDefined, topics=("apps",), keys=keys, fold=defined,
        about="A plan was made, or is another from here on.",
        sample=PlanDefined(
            name="Pro", tier="pro", monthly=4900, yearly=49000, currency="EUR", features={"webhooks": True},
            limits={"users": 10_000, "calls_minute": 60_000},
        ),
        revert=NotRevertible("an operator defines it again: plans.define"),
    ),
    EventType(
        name="plan.withdrawn", struct=PlanWithdrawn, topics=("apps",), keys=keys, fold=withdrawn,
        about="A plan is not offered any more; applications that have it keep it.", sample=PlanWithdrawn(),
        revert=NotRevertible("plans.define offers it again"),
    ),
)  # fmt: skip
