"""What applications use, as their servers and operators are told, and what nodes tell. Tests ``api/usage.py``."""

from __future__ import annotations

from typing import Any

import pytest

from infra.base import postgres
from infra.base.settings import Settings
from projectors.usage import recount
from tests.api.applications import App, made, person
from tests.api.conftest import minted
from tests.client import Refusal, World, visiting
from tests.parts import Parts
from tests.servers import installation, serving

#: ``(length, start, metric, value)`` of an application in two days.
DAY, NEXT, HOUR = "2026-11-01T00:00:00.000Z", "2026-11-02T00:00:00.000Z", "2026-11-01T07:00:00.000Z"
ROWS = [
    ("day", DAY, "messages", 5), ("day", DAY, "active_users", 2), ("day", DAY, "peak_connections", 9),
    ("day", NEXT, "messages", 7), ("day", NEXT, "active_users", 2), ("day", NEXT, "peak_connections", 4),
    ("hour", HOUR, "messages", 5),
]  # fmt: skip
ACTORS = [("day", DAY, "ada"), ("day", DAY, "bob"), ("day", NEXT, "ada"), ("day", NEXT, "eve")]
NOVEMBER = {"since": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z"}


async def _counted(installed: Settings, app: str, times: int = 1) -> None:
    """As the worker would have stored it."""
    async with postgres.connected(installed) as connection:
        await connection.executemany(
            "insert into usage_metrics (app, length, start, metric, value) values ($1, $2, $3, $4, $5)",
            [(app, *row[:3], times * row[3]) for row in ROWS],
        )
        await connection.executemany(
            'insert into usage_actors (app, length, start, "user") values ($1, $2, $3, $4)',
            [(app, *row) for row in ACTORS],
        )


@pytest.fixture
async def app(world: World, operator: str, installed: Settings) -> App:
    found = await made(world, operator)
    await _counted(installed, found.id)
    return found


async def _fault(world: World, token: str, operation: str, **fields: Any) -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        await world.call(operation, fields, token=token)
    return caught.value.code, caught.value.problem["detail"]


async def test_days_and_their_totals(world: World, operator: str, app: App) -> None:
    found = await world.call("usage.query", {"app": app.id, **NOVEMBER}, token=operator)
    assert [one["start"] for one in found["windows"]] == [DAY, NEXT]
    assert found["windows"][0] == {
        "start": DAY, "messages": 5, "active_users": 2, "new_users": 0, "rooms": 0, "bytes": 0, "events": 0,
        "peak_connections": 9,
    }  # fmt: skip
    # Who was there on both days is one user, and a peak is no sum.
    assert found["totals"] == {
        "messages": 12, "active_users": 3, "new_users": 0, "rooms": 0, "bytes": 0, "events": 0, "peak_connections": 9,
    }  # fmt: skip
    assert (found["since"], found["until"], found["window"]) == (DAY, "2026-12-01T00:00:00.000Z", "day")
    # The applications' own server is told the same.
    assert await world.call("usage.query", {"app": app.id, **NOVEMBER}, token=app.server) == found


async def test_windows_that_a_range_touches_are_part_of_it(world: World, operator: str, app: App) -> None:
    asked = {"app": app.id, "since": "2026-11-01T07:59:59+00:00", "until": "2026-11-01T08:00:00.001Z", "window": "hour"}
    found = await world.call("usage.query", {**asked, "metrics": "messages,rooms,messages"}, token=operator)
    assert (found["since"], found["until"]) == (HOUR, "2026-11-01T09:00:00.000Z")
    assert found["windows"] == [{"start": HOUR, "messages": 5, "rooms": 0}]
    assert found["totals"] == {"messages": 5, "rooms": 0}
    # Without a range: this month, up to now.
    found = await world.call("usage.query", {"app": app.id}, token=operator)
    assert found["since"].endswith("-01T00:00:00.000Z") and found["until"] > found["since"]


async def test_another_application_is_unknown(world: World, operator: str, app: App) -> None:
    other = await made(world, operator)
    code, detail = await _fault(world, other.server, "usage.query", app=app.id)
    nothing = "0198c0de-0000-7000-8000-000000000000"
    assert (code, detail) == ("not_found", f"expected an application, found none with id {app.id}")
    twin = await _fault(world, other.server, "usage.query", app=nothing)
    assert (code, detail) == (twin[0], twin[1].replace(nothing, app.id))
    assert await _fault(world, other.server, "usage.query", app="default") == (
        code, "expected an application, found none with id default",
    )  # fmt: skip
    assert (await _fault(world, operator, "usage.query", app=nothing))[0] == "not_found"
    assert (await _fault(world, app.server, "usage.list"))[0] == "forbidden"


async def test_what_is_no_range_is_refused(world: World, operator: str, app: App) -> None:
    async def detail(**fields: Any) -> str:
        code, found = await _fault(world, operator, "usage.query", app=app.id, **fields)
        assert code == "invalid"
        return found

    assert "until: expected a time after since" in await detail(since=NOVEMBER["until"], until=NOVEMBER["since"])
    assert "by at most 744 hours" in await detail(since="2026-10-01T00:00:00Z", until=NOVEMBER["until"], window="hour")
    assert "by at most 400 days" in await detail(since="2020-10-01T00:00:00Z", until=NOVEMBER["until"])
    assert "window: expected" in await detail(window="week")
    assert "metrics: expected comma-separated names of messages, active_users" in await detail(metrics="messages,x")
    assert "until: expected a time of the years 1 to 9999" in await detail(
        since="9999-12-31T00:00:00Z", until="9999-12-31T12:00:00Z"
    )
    assert "since: expected" in await detail(since="yesterday")


async def test_applications_in_order_of_what_they_used(
    world: World, operator: str, app: App, installed: Settings
) -> None:
    more = await made(world, operator)
    await _counted(installed, more.id, 3)
    found = await world.call("usage.list", {**NOVEMBER, "by": "peak_connections"}, token=operator)
    assert found["all"] >= 2
    ours = [one for one in found["apps"] if one["app"] in (app.id, more.id)]
    assert [one["app"] for one in ours] == [more.id, app.id]
    assert ours[0]["totals"] == {
        "messages": 36, "active_users": 3, "new_users": 0, "rooms": 0, "bytes": 0, "events": 0, "peak_connections": 27,
    }  # fmt: skip
    assert ours[0]["name"].startswith("App ")
    empty = await world.call(
        "usage.list", {"since": "2025-01-01T00:00:00Z", "until": "2025-01-02T00:00:00Z"}, token=operator
    )
    assert (empty["apps"], empty["all"]) == ([], 0)


async def test_connections_of_an_application_are_told_by_the_node(parts: Parts) -> None:
    async with installation(parts) as settings:
        async with serving(settings) as url, visiting(url) as world:
            app = await made(world, minted(settings))
            ada, bob = await person(world, app, "ada", "http"), await person(world, app, "bob", "http")
            first, second = await world.socket(ada.token), await world.socket(ada.token)
            await first.close()
            third = await world.socket(bob.token)
            await second.close()
            await third.close()
        # An orderly stop tells of the running hour; nothing else in the log does.
        await recount.rebuild(settings)
        async with postgres.connected(settings) as connection:
            rows = await connection.fetch(
                "select length, value from usage_metrics where app = $1 and metric = 'peak_connections' order by 1",
                app.id,
            )
        assert [tuple(row) for row in rows] == [("day", 2), ("hour", 2)]
        assert (await recount.verify(settings)).equal
