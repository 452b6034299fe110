"""Log-ins that end where they are not used (S3): an application's setting. Tests ``api/support/sessions_in_use.py``."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from api.core.tokens import verify
from events.core.clock import to_datetime
from infra.base import postgres
from infra.base.settings import Settings
from infra.embedded.ports import free_port
from tests.api.applications import App, made
from tests.client import Refusal, World, visiting
from tests.running import until
from tests.servers import serving

PASSWORD = "correct horse"
HOURS = 24


@pytest.fixture
async def app(world: World, operator: str) -> App:
    """An application in which anybody may register, and log-ins end a day after their last use."""
    found = await made(world, operator)
    settings = {"registration": True, "session_hours": HOURS}
    await world.call("apps.change", {"app": found.id, "settings": settings}, token=operator)
    return found


async def opened(world: World, app: App | None, **fields: Any) -> Any:
    """Registers somebody, and logs them in once more."""
    headers = {} if app is None else {"Klatsch-Api-Key": app.key}
    given = {"username": f"s-{secrets.token_hex(5)}", "password": PASSWORD}
    for path, body in (("/v1/users", given), ("/v1/sessions", {**given, **fields})):
        answer = await world.request("POST", path, body=msgspec.json.encode(body), headers=headers)
        assert answer.status == 201, answer.json()
        world.seen(answer.headers["Klatsch-Position"])
    return answer.json()


async def listed(world: World, token: str) -> Any:
    sessions = (await world.call("sessions.list", {}, token=token))["sessions"]
    (current,) = [one for one in sessions if one["current"]]
    return current


async def ends(installed: Settings, session: str, hours: float) -> None:
    """The row says that it ends so long from now."""
    async with postgres.connected(installed) as connection:
        await connection.execute(
            "update sessions set expires = now() + $2 * interval '1 hour' where id = $1", session, hours
        )


async def uses(installed: Settings, user: str) -> int:
    async with postgres.connected(installed) as connection:
        found: int = await connection.fetchval(
            "select count(*) from changes where type = 'session.used' and stream = $1", user
        )
        return found


async def test_it_lasts_from_its_last_use_and_names_its_device(world: World, installed: Settings, app: App) -> None:
    answer = await opened(world, app, device_id="Ada's phone")
    token, user = answer["token"], answer["user"]["id"]
    found = await listed(world, token)
    assert found["device"] == "Ada's phone" and found["used"] == found["opened"]
    length = (to_datetime(found["expires"]) - to_datetime(found["opened"])).total_seconds() / 3600
    assert HOURS <= length <= HOURS * (1 + 1 / 24) + 0.01
    # The token is good for longer: the session's end is what counts.
    assert verify(installed, token).expires > to_datetime(found["expires"]).timestamp() + 86_400
    assert await uses(installed, user) == 0


async def test_its_use_is_noted_now_and_then_on_whatever_node(world: World, installed: Settings, app: App) -> None:
    answer = await opened(world, app)
    token, user = answer["token"], answer["user"]["id"]
    session = (await listed(world, token))["id"]
    settings = replace(installed, port=free_port())
    async with serving(settings, frozenset({"api", "push"})) as url, visiting(url) as other:
        # As after some hours without use, on a node that knows nothing of it yet.
        await ends(installed, session, 10.0)
        await asyncio.gather(*(other.call("users.me", {}, token=token) for _ in range(50)))

        async def noted() -> bool:
            return await uses(installed, user) > 0

        await until(noted, "the use is not noted")
        assert await uses(installed, user) == 1
        found = await listed(other, token)
        assert found["used"] > found["opened"]
        assert (to_datetime(found["expires"]) - to_datetime(found["used"])).total_seconds() > HOURS * 3600 - 5
        socket = await other.socket(token)
        assert (await socket.rpc("users.me", {}))["user"]["id"] == user


async def test_without_use_it_ends_before_its_token(world: World, installed: Settings, app: App) -> None:
    answer = await opened(world, app)
    session = (await listed(world, answer["token"]))["id"]
    await ends(installed, session, -0.001)
    settings = replace(installed, port=free_port())
    async with serving(settings, frozenset({"api", "push"})) as url, visiting(url) as other:
        for _ in range(2):
            with pytest.raises(Refusal) as refusal:
                await other.call("users.me", {}, token=answer["token"])
            assert refusal.value.code == "token_expired"


async def test_closed_is_closed(world: World, app: App) -> None:
    token = (await opened(world, app))["token"]
    renewed = (await world.call("sessions.renew", {}, token=token))["token"]
    await world.call("sessions.close", {"session": "current"}, token=token)
    for one in (token, renewed):
        with pytest.raises(Refusal) as refusal:
            await world.call("users.me", {}, token=one)
        assert refusal.value.code == "token_revoked"


async def test_without_the_setting_nothing_is_otherwise(world: World, installed: Settings) -> None:
    answer = await opened(world, None, device_id="d" * 255)
    found = await listed(world, answer["token"])
    assert found["device"] == "d" * 255
    length = (to_datetime(found["expires"]) - to_datetime(found["opened"])).total_seconds()
    assert abs(length - installed.session_seconds) < 5
    assert verify(installed, answer["token"]).expires <= to_datetime(found["expires"]).timestamp()


@pytest.mark.parametrize("device", ["", "d" * 256, "two\nlines", "\u200b"])
async def test_a_device_has_a_name_of_one_line(world: World, device: str) -> None:
    name = f"s-{secrets.token_hex(5)}"
    await world.call("users.register", {"username": name, "password": PASSWORD})
    with pytest.raises(Refusal) as refusal:
        await world.call("sessions.open", {"username": name, "password": PASSWORD, "device_id": device})
    assert refusal.value.code == "invalid"


@pytest.mark.parametrize("hours", [-1, 8761, "24"])
async def test_a_length_that_is_none(world: World, operator: str, hours: Any) -> None:
    with pytest.raises(Refusal) as refusal:
        await world.call("apps.change", {"app": "default", "settings": {"session_hours": hours}}, token=operator)
    assert refusal.value.code == "invalid"
