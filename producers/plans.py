"""Decisions about plans: what they are, and until when they are offered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from events.core.records import Event, Key, State
from events.plans import Plan, PlanDefined, PlanWithdrawn, limits_of, loaded_plan, plan_key
from producers.commands import Command, CommandEnvelope, CommandType, Refused
from producers.limits import Id, ShownName, whole
from producers.names import check_name

#: The largest price, in hundredths: S3 keeps ten digits.
PRICE = 10**10 - 1
#: The largest limit: what is more is none.
MOST = 10**12
#: Features of one plan.
FEATURES = 100
#: A tier, or a feature.
PlanWord = Annotated[str, whole(
    "[a-z][a-z0-9_.-]{0,63}", "a name of 1 to 64 of the characters a-z 0-9 _ . -, a letter first", shown=True
)]  # fmt: skip
Currency = Annotated[str, whole("[A-Z]{3}", "a currency of ISO 4217, such as EUR", shown=True)]
Price = Annotated[int, msgspec.Meta(ge=0, le=PRICE)]
Bound = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
#: Whether a plan has it, or how much of it.
Feature = bool | Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
Features = Annotated[dict[PlanWord, Feature], msgspec.Meta(max_length=FEATURES)]


class GivenLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How much an application of the plan may have and do; what is not named has no limit."""

    #: Users, deactivated ones too.
    users: Bound | None = None
    #: Rooms that are not deleted.
    rooms: Bound | None = None
    #: Members of one room.
    room_members: Bound | None = None
    #: Messages of one day (UTC) in all rooms.
    messages_day: Bound | None = None
    #: Characters of the text of one message.
    message_chars: Bound | None = None
    #: Bytes of one attachment. Kept; nothing is attached yet.
    attachment_bytes: Bound | None = None
    #: Push connections that are open at the same time.
    connections: Bound | None = None
    #: Calls of users and of the application's server in 60 seconds.
    calls_minute: Annotated[int, msgspec.Meta(ge=1, le=MOST)] | None = None


class PlanCommand(Command, frozen=True, kw_only=True):
    """A command to a plan."""

    plan: Id


class DefinePlan(PlanCommand, frozen=True, kw_only=True):
    """Make a plan, or make another of it: what it is from here on."""

    #: Whether it is there already; otherwise it is made.
    again: bool = False
    name: ShownName
    tier: PlanWord
    monthly: Price | None = None
    yearly: Price | None = None
    currency: Currency = "EUR"
    features: Features = {}
    limits: GivenLimits = GivenLimits()


class WithdrawPlan(PlanCommand, frozen=True, kw_only=True):
    """Offer a plan no longer."""


def _keys(envelope: CommandEnvelope[PlanCommand]) -> Sequence[Key]:
    return (plan_key(envelope.command.plan),)


def missing_plan(id: str) -> Refused:
    """What is said of a plan that is not there."""
    return Refused("not_found", f"expected a plan, found none with id {id}")


def _present(state: State, id: str) -> Plan:
    plan = loaded_plan(state, id)
    if plan is None:
        raise missing_plan(id)
    return plan


def define(envelope: CommandEnvelope[DefinePlan], state: State) -> list[Event]:
    command = envelope.command
    before = loaded_plan(state, command.plan)
    if command.again:
        _present(state, command.plan)
    elif before is not None:
        raise Refused("taken", f"expected the id of no plan, got {command.plan}, which is one's")
    check_name("name", command.name)
    limits = {name: most for name, most in msgspec.to_builtins(command.limits).items() if most is not None}
    event = PlanDefined(
        name=command.name, tier=command.tier, monthly=command.monthly, yearly=command.yearly, currency=command.currency,
        features=command.features, limits=limits,
    )  # fmt: skip
    return [] if before is not None and _is(before, event) else [event]


def _is(plan: Plan, event: PlanDefined) -> bool:
    """Whether the event would say what is so already."""
    same = all(
        getattr(plan, name) == getattr(event, name)
        for name in ("name", "tier", "monthly", "yearly", "currency", "features")
    )
    return same and plan.state == "offered" and limits_of(plan.limits) == limits_of(event.limits)


def withdraw(envelope: CommandEnvelope[WithdrawPlan], state: State) -> list[Event]:
    return [] if _present(state, envelope.command.plan).state == "withdrawn" else [PlanWithdrawn()]


COMMANDS = (
    CommandType(DefinePlan, "apps", lambda c: c.plan, _keys, define),
    CommandType(WithdrawPlan, "apps", lambda c: c.plan, _keys, withdraw),
)
