"""``klatsch plans`` and ``klatsch apps plan``: plans, made and chosen by the installation's own operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from infra.base.settings import Settings
from infra.ops.commands import applications
from infra.ops.commands.asking import ask, called, pages, warn_of_namesakes
from infra.ops.commands.errors import CannotDo
from infra.ops.irc import url_of
from producers.plans import GivenLimits

Say = Callable[[str], None]


async def define(
    settings: Settings, name: str, *, again: str, tier: str, monthly: str, yearly: str, currency: str,
    features: Sequence[str], limits: Sequence[str], json: bool, url: str, say: Say, warn: Say,
) -> None:  # fmt: skip
    """Makes a plan, or another of the plan ``again``; says its id and name, and aside, if another is called so.
    Raises CannotDo.

    ``monthly`` and ``yearly``: amounts such as ``49`` or ``49.90``, empty for none; ``limits``: ``users=100``.
    """
    url = url or url_of(settings)
    body: dict[str, Any] = {
        "name": name, "tier": tier, "currency": currency, "monthly": hundredths("monthly", monthly),
        "yearly": hundredths("yearly", yearly), "features": dict.fromkeys(features, True),
        "limits": dict(map(bound, limits)),
    }  # fmt: skip
    there = await pages(settings, url, "plans")
    if again:
        body["plan"] = called(there, again, "a plan")["id"]
    plan = (await ask(settings, url, "POST", "/v1/plans", body=body))["plan"]
    say(msgspec.json.encode(plan).decode() if json else f"{plan['id']}  {plan['name']}")
    warn_of_namesakes(there, plan, warn)


def hundredths(name: str, text: str) -> int | None:
    """An amount in hundredths of its currency; None for an empty text. Raises CannotDo."""
    if not text:
        return None
    try:
        amount = Decimal(text) * 100
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount != amount.to_integral_value():
        raise CannotDo(f"--{name}: expected an amount such as 49 or 49.90, got {text!r}")
    return int(amount)


def bound(text: str) -> tuple[str, int]:
    """A limit from ``users=100``. Raises CannotDo."""
    name, _, most = text.partition("=")
    if not name or not most.isdecimal():
        raise CannotDo(f"--limit: expected a name and a number, such as users=100, got {text!r}")
    if name not in GivenLimits.__struct_fields__:
        raise CannotDo(f"--limit: expected one of {', '.join(GivenLimits.__struct_fields__)}, got {name!r}")
    return name, int(most)


async def listing(settings: Settings, *, json: bool, url: str, say: Say) -> None:
    """Says all plans. Raises CannotDo."""
    plans = await pages(settings, url or url_of(settings), "plans")
    if json:
        say(msgspec.json.format(msgspec.json.encode({"plans": plans})).decode())
        return
    for plan in plans:
        limits = " ".join(f"{name}={most}" for name, most in plan["limits"].items() if most is not None)
        price = "by agreement" if plan["monthly"] is None else f"{Decimal(plan['monthly']) / 100:.2f} a month"
        price = price if plan["monthly"] is None else f"{plan['currency']} {price}"
        say(f"{plan['id']}  {plan['state']:<9}  {plan['name']} ({plan['tier']})  {price}  {limits or 'no limit'}")


async def withdraw(settings: Settings, plan: str, *, url: str, say: Say) -> None:
    """Offers a plan no longer. Raises CannotDo."""
    url = url or url_of(settings)
    found = (await ask(settings, url, "POST", f"/v1/plans/{await plan_id(settings, url, plan)}/withdraw", body={}))[
        "plan"
    ]
    say(f"{found['name']} ({found['id']}) is {found['state']}.")


async def choose(settings: Settings, app: str, plan: str, *, url: str, say: Say) -> None:
    """Lets a plan hold for an application; an empty one: none. Raises CannotDo."""
    url = url or url_of(settings)
    path = await applications.path_of(settings, url, app)
    chosen = await _plan(settings, url, plan) if plan else None
    body = {"plan": None if chosen is None else chosen["id"]}
    found = (await ask(settings, url, "PUT", f"{path}/plan", body=body))["app"]
    has = "no plan" if chosen is None else f"the plan {chosen['name']} ({found['plan']})"
    say(f"{found['name']} ({found['id']}) has {has}.")


async def plan_id(settings: Settings, url: str, plan: str) -> str:
    """The id of the plan with this id, or else this name. Raises CannotDo for none, or several."""
    return str((await _plan(settings, url, plan))["id"])


async def _plan(settings: Settings, url: str, plan: str) -> dict[str, Any]:
    return called(await pages(settings, url, "plans"), plan, "a plan")
