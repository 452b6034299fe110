"""A team that is removed while somebody is put into it: one of both holds. Tests ``api/teams.py`` and
``api/app_users.py``."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from api import app_users, teams
from tests.api.applications import App, made, person, team_of
from tests.client import Refusal, World


def meanwhile(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, do: Callable[[], Awaitable[Any]]) -> None:
    """``do`` is done once, right after a function of a module has looked."""
    looked, left = getattr(where, name), [do]

    async def looking(*given: Any) -> Any:
        found = await looked(*given)
        if left:
            await left.pop()()
        return found

    monkeypatch.setattr(where, name, looking)


async def put(world: World, app: App, external: str, team: str) -> Any:
    users = [{"external_id": external, "name": "Ada", "team": team}]
    (entry,) = (await world.call("users.upsert", {"users": users}, token=app.server))["users"]
    return entry


async def remove(world: World, app: App, team: str) -> str:
    try:
        await world.call("teams.remove", {"team": team}, token=app.server)
    except Refusal as refusal:
        return refusal.code
    return "removed"


async def team(world: World, app: App, external: str) -> Any:
    users = await world.call("users.query", {"external_ids": external}, token=app.server)
    return users["users"][0]["team"]


async def test_a_team_into_which_somebody_was_put_meanwhile_stays(
    world: World, operator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, external = await made(world, operator), f"ada-{secrets.token_hex(4)}"
    red = await team_of(world, app, "red")
    before = (await world.call("teams.get", {"team": red}, token=app.server))["team"]
    told: list[Any] = []

    async def putting() -> None:
        told.append(await put(world, app, external, red))

    meanwhile(monkeypatch, teams, "_occupied", putting)
    assert await remove(world, app, red) == "in_use"
    assert told[0]["problem"] is None and await team(world, app, external) == red
    after = (await world.call("teams.get", {"team": red}, token=app.server))["team"]
    assert all(after[name] == before[name] for name in ("id", "external", "name", "custom"))


@pytest.mark.parametrize("known", [False, True], ids=["new", "of another team"])
async def test_nobody_is_put_into_a_team_that_was_removed_meanwhile(
    world: World, operator: str, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    app, external = await made(world, operator), f"ada-{secrets.token_hex(4)}"
    red, blue = [await team_of(world, app, name) for name in ("red", "blue")]
    if known:
        assert (await put(world, app, external, blue))["problem"] is None
    done: list[str] = []

    async def removing() -> None:
        done.append(await remove(world, app, red))

    meanwhile(monkeypatch, app_users, "known", removing)
    entry = await put(world, app, external, red)
    assert done == ["removed"] and entry["user"] is None and entry["problem"]["type"].endswith(":not_found")
    assert await team(world, app, external) == (blue if known else None)


async def test_nor_by_a_call_of_their_own(world: World, operator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = await made(world, operator)
    red, blue = [await team_of(world, app, name) for name in ("red", "blue")]
    ada = await person(world, app, "ada", "http", team=blue)
    done: list[str] = []

    async def removing() -> None:
        done.append(await remove(world, app, red))

    meanwhile(monkeypatch, teams, "find", removing)
    with pytest.raises(Refusal) as caught:
        await world.call("users.set_team", {"user": ada.id, "team": red}, token=app.server)
    assert (done, caught.value.code) == (["removed"], "not_found")
    assert await team(world, app, ada.username) == blue
