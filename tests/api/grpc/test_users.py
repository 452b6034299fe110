"""S1's accounts: registration and log-in, and how they are refused. Tests ``api/grpc/users.py``."""

from __future__ import annotations

import secrets

import pytest

from push.relay.core_service_pb2 import LoginRequest, RegisterRequest
from tests.api.grpc.clients import Client
from tests.client import World

USERNAME = "expected a string of 3 to 50 of the characters A-Z a-z 0-9 _ -"
PASSWORD = "correct horse battery"


def fresh(name: str = "s1") -> str:
    return f"{name}-{secrets.token_hex(5)}"


async def test_who_registers_logs_in_and_is_a_user_like_others(rpc: Client, world: World) -> None:
    name = fresh()
    await rpc("UserService/Register", RegisterRequest(user_id=name, password=PASSWORD, name="Ada of S1"))
    token = (await rpc("UserService/Login", LoginRequest(user_id=name, password=PASSWORD))).token
    user = (await world.call("users.me", {}, token=token))["user"]
    assert (user["username"], user["name"]) == (name, "Ada of S1")
    # Registering leaves no session behind that nobody has the token of.
    (session,) = (await world.call("sessions.list", {}, token=token))["sessions"]
    assert session["current"]


async def test_without_a_name_the_id_is_shown(rpc: Client, world: World) -> None:
    name = fresh()
    await rpc("UserService/Register", RegisterRequest(user_id=name, password=PASSWORD))
    token = (await rpc("UserService/Login", LoginRequest(user_id=name, password=PASSWORD))).token
    assert (await world.call("users.me", {}, token=token))["user"]["name"] == name


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        ({"user_id": ""}, "user_id", "expected"),
        ({"user_id": "a b"}, "user_id", "expected"),
        ({"user_id": "ada/x"}, "user_id", "expected"),
        ({"user_id": "ada\n"}, "user_id", "expected"),
        ({"user_id": "\u00e4da"}, "user_id", "expected"),
        ({"user_id": "x" * 51}, "user_id", f"{USERNAME}, got a string of 51 characters"),
        ({"user_id": "x" * 65}, "user_id", f"{USERNAME}, got a string of 65 characters"),
        ({"password": ""}, "password", "expected"),
        ({"name": "x" * 65}, "name", "expected at most 64 characters, got 65 characters"),
        ({"name": "two\nlines"}, "name", "expected"),
    ],
    ids=["no_id", "space", "slash", "line_feed", "no_ascii", "of_51", "of_65", "no_password", "long_name", "lines"],
)
async def test_what_does_not_fit_is_told_by_its_field(
    rpc: Client, given: dict[str, str], field: str, expected: str
) -> None:
    fields = {"user_id": fresh(), "password": PASSWORD, "name": "", **given}
    refused = await rpc.refused("UserService/Register", RegisterRequest(**fields))
    assert (refused.status, refused.reason, refused.type) == (
        "INVALID_ARGUMENT", "INVALID", "urn:klatsch:problem:invalid",
    )  # fmt: skip
    assert list(refused.fields) == [field] and refused.fields[field].startswith(expected)
    assert field in refused.message and "username" not in refused.message


async def test_an_id_is_one_user_s(rpc: Client) -> None:
    name = fresh()
    await rpc("UserService/Register", RegisterRequest(user_id=name, password=PASSWORD))
    refused = await rpc.refused("UserService/Register", RegisterRequest(user_id=name.upper(), password=PASSWORD))
    assert (refused.status, refused.reason, list(refused.fields)) == ("ALREADY_EXISTS", "TAKEN", ["user_id"])


async def test_the_same_key_registers_once(rpc: Client) -> None:
    name, key = fresh(), secrets.token_hex(8)
    for _ in range(2):
        await rpc("UserService/Register", RegisterRequest(user_id=name, password=PASSWORD), idempotency_key=key)


async def test_a_wrong_password_is_refused_and_then_slowed_down(rpc: Client) -> None:
    name = fresh()
    await rpc("UserService/Register", RegisterRequest(user_id=name, password=PASSWORD))
    statuses = []
    for _ in range(25):
        refused = await rpc.refused("UserService/Login", LoginRequest(user_id=name, password="not this one"))
        statuses.append(refused.status)
    assert statuses[:20] == ["UNAUTHENTICATED"] * 20 and statuses[-1] == "RESOURCE_EXHAUSTED"
    assert refused.reason == "RATE_LIMITED" and refused.retry is not None and refused.retry > 0
