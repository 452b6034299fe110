"""``klatsch plans`` and ``klatsch apps plan``. Tests ``infra/ops/commands/plans.py`` and
``infra/ops/commands/cli_plans.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from infra.base.settings import Settings
from infra.ops.commands import plans
from infra.ops.commands.errors import CannotDo
from tests.infra.ops.operating import Heard, klatsch
from tests.parts import Parts
from tests.servers import installation, serving


@pytest.fixture(scope="module")
async def installed(parts: Parts) -> AsyncIterator[Settings]:
    async with installation(parts) as settings, serving(settings):
        yield settings


async def test_one_is_defined_chosen_listed_and_withdrawn(installed: Settings) -> None:
    prices = ("--monthly", "49.90", "--feature", "webhooks", "--limit", "users=100", "--limit", "rooms=7")
    said = await klatsch(installed, "plans", "define", "Pro", "--tier", "pro", *prices, "--json")
    plan = msgspec.json.decode(said)
    assert (plan["monthly"], plan["limits"]["users"], plan["features"]) == (4990, 100, {"webhooks": True})
    (line,) = (await klatsch(installed, "plans", "list")).splitlines()
    assert line == f"{plan['id']}  offered    Pro (pro)  EUR 49.90 a month  users=100 rooms=7"
    app = msgspec.json.decode(await klatsch(installed, "apps", "create", "Harbour", "--json"))["app"]
    said = await klatsch(installed, "apps", "plan", "Harbour", "Pro")
    assert said == f"Harbour ({app}) has the plan Pro ({plan['id']}).\n"
    assert [line for line in (await klatsch(installed, "apps", "list")).splitlines() if line.endswith("  plan Pro")]
    assert await klatsch(installed, "apps", "plan", app) == f"Harbour ({app}) has no plan.\n"
    again = await klatsch(installed, "plans", "define", "Plus", "--again", "Pro")
    assert again == f"{plan['id']}  Plus\n"
    assert await klatsch(installed, "plans", "withdraw", "Plus") == f"Plus ({plan['id']}) is withdrawn.\n"
    assert "by agreement  no limit" in await klatsch(installed, "plans", "list")


async def test_what_cannot_be_found_or_read_is_said(installed: Settings) -> None:
    with pytest.raises(CannotDo, match=r"found none called 'Nothing'; see './klatsch plans list'"):
        await plans.withdraw(installed, "Nothing", url="", say=Heard().append)
    heard, warned = Heard(), Heard()
    for _ in range(2):
        await plans.define(
            installed, "Twin", again="", tier="pro", monthly="", yearly="", currency="EUR", features=(), limits=(),
            json=False, url="", say=heard.append, warn=warned.append,
        )  # fmt: skip
    first = heard[0].split()[0]
    assert warned == [f"'Twin' is the name of {first} too: commands that are given it will ask for an id."]
    with pytest.raises(CannotDo, match="expected one plan called 'Twin', found 2: "):
        await plans.withdraw(installed, "Twin", url="", say=Heard().append)
    for text in ("x", "1.005", "inf", "nan"):
        with pytest.raises(CannotDo, match=r"expected an amount such as 49 or 49\.90"):
            plans.hundredths("monthly", text)
    for text in ("users", "=3", "users=-1", "users=x"):
        with pytest.raises(CannotDo, match="expected a name and a number"):
            plans.bound(text)
    with pytest.raises(
        CannotDo, match=r"expected one of users, rooms, room_members, .*, calls_minute, got 'rooms_max'"
    ):
        plans.bound("rooms_max=3")
