"""Guests and anonymous users as they come to the API: what they may, over both ways, with every token of theirs.
Tests ``producers/accounts.py`` and ``api/core/tokens.py``."""

from __future__ import annotations

import secrets
from typing import Any

import jwt
import pytest

from api.core import tokens
from infra.base.settings import Settings
from tests.api.conftest import minted
from tests.client import Person, Via, World


async def let_in(world: World, installed: Settings, operator: str, kind: str, via: Via) -> Person:
    """Somebody of a kind, whom their application has registered and signed in."""
    server = minted(installed, role="server", user="server")
    given = {"external_id": f"u-{secrets.token_hex(6)}", "name": kind.title(), "kind": kind}
    (made,) = (await world.call("users.upsert", {"users": [given]}, token=server))["users"]
    service = {"username": f"svc-{secrets.token_hex(5)}", "scopes": ["sessions:issue"]}
    issuer = (await world.call("services.register", service, token=operator))["token"]
    return Person(world, await world.call("sessions.issue", {"user": made["user"]["id"]}, token=issuer), via)


@pytest.fixture
async def guest(world: World, installed: Settings, operator: str, via: Via) -> Person:
    return await let_in(world, installed, operator, "guest", via)


@pytest.fixture
async def shadow(world: World, installed: Settings, operator: str, via: Via) -> Person:
    """Who is anonymous."""
    return await let_in(world, installed, operator, "anonymous", via)


async def test_a_guest_takes_part(guest: Person, ada: Person, bob: Person) -> None:
    room = await ada.group()
    await guest.do("members.add", room=room, user="me")
    said = await guest.say(room, "hello")
    await guest.do("messages.edit", room=room, message=said["id"], content={"text": "hello all"})
    await guest.do("members.read", room=room, seq=1)
    await guest.do("users.change", name="Visitor")
    await guest.do("relationships.set", user=bob.id, type="block")
    await guest.do("relationships.remove", user=bob.id)
    for name, fields in refused(room, bob):
        assert await guest.refused(name, **fields) == "forbidden", name
    await guest.do("members.remove", room=room, user="me")


async def test_who_is_anonymous_looks_on(shadow: Person, ada: Person, bob: Person) -> None:
    room = await ada.group()
    await ada.say(room, "news")
    await shadow.do("members.add", room=room, user="me")
    found = (await shadow.do("messages.read", room=room))["messages"]
    assert {"text": "news"} in [one["content"] for one in found]
    await shadow.do("members.read", room=room, seq=1)
    said = {"room": room, "client_id": "1", "content": {"text": "x"}}
    for name, fields in [*refused(room, bob), ("messages.send", said), ("users.change", {"name": "X"})]:
        assert await shadow.refused(name, **fields) == "forbidden", name
    await shadow.do("members.remove", room=room, user="me")


def refused(room: str, other: Person) -> list[tuple[str, dict[str, Any]]]:
    """What neither may."""
    return [
        ("rooms.create", {"type": "private", "name": "Den"}),
        ("rooms.create", {"type": "direct", "members": [other.id]}),
        ("members.add", {"room": room, "user": other.id}), ("relationships.set", {"user": other.id, "type": "friend"}),
        ("users.change_password", {"password": "correct horse"}), ("channels.create", {"name": "Raid", "limit": 5}),
        ("rooms.change", {"room": room, "name": "Mine"}),
    ]  # fmt: skip


async def test_a_renewed_token_says_the_same(guest: Person, installed: Settings) -> None:
    assert tokens.verify(installed, guest.token).kind == "guest"
    renewed = (await guest.do("sessions.renew"))["token"]
    assert tokens.verify(installed, renewed).kind == "guest"


async def test_a_token_of_before_there_were_kinds_is_a_regular_one(ada: Person, installed: Settings) -> None:
    assert tokens.verify(installed, ada.token).kind == "regular"
    assert "kind" not in jwt.decode(ada.token, options={"verify_signature": False})


async def test_a_server_opens_no_connection(world: World, installed: Settings) -> None:
    async with world.http.ws_connect(f"{world.url}/v1/connection") as ws:
        await ws.send_json({"id": 1, "connect": {"token": minted(installed, role="server", user="server")}})
        message = await ws.receive(timeout=20)
        assert (message.data, message.extra) == (3500, "invalid token")
