"""What service accounts may: what users may, and what their scopes name. No answer holds what they may not read.
Tests ``api/core/auth.py`` and ``api/registry.py``."""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple

import jwt
import msgspec
import pytest

from api.core import tokens
from api.core.operation import permit
from api.registry import all_operations
from api.support.problems import Problem
from api.users import _welcome
from events.core.clock import after, now
from events.registry import REGISTRY
from events.sessions import SessionOpened
from events.users import UserRegistered, user_key
from infra.base.settings import Settings
from producers.commands import Outcome
from producers.users import Scope
from tests.api.conftest import minted
from tests.api.test_permissions import TABLE, filled
from tests.client import OPERATIONS, Person, Refusal, Via, World

SERVICES = [name for name, operation in OPERATIONS.items() if operation.permission == "service"]


class Scene(NamedTuple):
    """A private group, and what the walk's words stand for."""

    owner: Person
    words: dict[str, str]
    #: Stands in all that only members may read.
    secret: str


@pytest.fixture(scope="module")
async def scene(world: World) -> Scene:
    owner, secret = await world.person("owner"), f"secret{secrets.token_hex(8)}"
    room = await owner.group(name=secret, type="private", description=secret, data={"a": secret})
    sent = await owner.do(
        "messages.send", room=room, token="t", content={"text": f"{secret} hello"}, data={"more": secret}
    )
    visual = (await owner.do("visuals.create", model_data={}))["visual"]["id"]
    channel = str((await owner.do("channels.create", name="Raid", limit=5))["channel"]["id"])
    words = {"CHANNEL": channel, "GROUP": room, "OWNER": owner.id, "VISUAL": visual, "MESSAGE": sent["message"]["id"]}
    return Scene(owner, words, secret)


async def account(world: World, operator: str, via: Via, **fields: Any) -> Person:
    fields = {"username": f"svc-{secrets.token_hex(5)}", **fields}
    return Person(world, await world.call("services.register", fields, token=operator), via)


def test_what_only_services_do_has_a_scope() -> None:
    for operation in all_operations():
        assert (operation.permission == "service") == (operation.scope is not None), operation.name
    known = set(getattr(Scope, "__args__", ()))
    assert {operation.scope for operation in all_operations()} == {None, *known}


@pytest.mark.parametrize("name", SERVICES)
async def test_without_its_scope_nothing_is_done(
    world: World, installed: Settings, operator: str, scene: Scene, via: Via, name: str
) -> None:
    fields = filled(TABLE[name].fields, scene.words)
    bare = await account(world, operator, via)
    person = {"user": bare.id, "session": bare.id, "role": "service"}
    others = [minted(installed, **person, scopes=scopes) for scopes in ([], ["emotions:read"], ["emotions"])]
    for token in (bare.token, *others):
        caller = Person(world, {"user": {"id": bare.id, "username": ""}, "token": token}, via)
        with pytest.raises(Refusal) as refused:
            await caller.do(name, **fields)
        assert refused.value.code == "forbidden", refused.value.problem
        assert f"expected a token with the scope {OPERATIONS[name].scope}" in refused.value.problem["detail"]
    scoped = await account(world, operator, via, scopes=[OPERATIONS[name].scope])
    await scoped.do(name, **fields)


def test_a_row_for_services_without_a_scope_is_for_nobody() -> None:
    row = OPERATIONS["messages.set_emotions"]._replace(scope=None)
    identity = tokens.Identity("bot", "s", "service", 2e9, frozenset({"emotions:write"}))
    with pytest.raises(Problem, match="expected a token with the scope None"):
        permit(row, identity)


@pytest.mark.parametrize("name", TABLE)
async def test_no_answer_to_who_is_not_in_a_room_holds_what_is_there(
    world: World, scene: Scene, service: Person, name: str
) -> None:
    stranger = await world.person("stranger", via=service.via)
    for caller in (service, stranger):
        try:
            answer = await caller.do(name, **filled(TABLE[name].fields, scene.words))
        except Refusal as refusal:
            answer = refusal.said
        assert scene.secret not in msgspec.json.encode(answer).decode(), caller.username
    # The owner does read it.
    assert scene.secret in str(await scene.owner.do("rooms.get", room=scene.words["GROUP"]))


async def test_tokens_say_the_scopes_and_keep_them(world: World, operator: str, via: Via, installed: Settings) -> None:
    for scopes, claim in ((["emotions:write"] * 2, "emotions:write"), ([], "")):
        service = await account(world, operator, via, scopes=scopes)
        renewed = (await service.do("sessions.renew"))["token"]
        for token in (service.token, renewed):
            assert jwt.decode(token, options={"verify_signature": False})["scope"] == claim
            assert tokens.verify(installed, token).scopes == set(scopes)
    ada = await world.person("ada", via=via)
    assert "scope" not in jwt.decode(ada.token, options={"verify_signature": False})


@pytest.mark.parametrize("scopes", [["emotions"], ["emotions:write", "x"], "emotions:write", [1], None])
async def test_only_known_scopes(world: World, operator: str, scopes: object) -> None:
    fields = {"username": f"svc-{secrets.token_hex(5)}", "scopes": scopes}
    with pytest.raises(Refusal) as refused:
        await world.call("services.register", fields, token=operator)
    assert refused.value.code == "invalid"


async def test_a_person_has_none(world: World, operator: str) -> None:
    user = secrets.token_hex(16)
    fields = {"user": user, "username": f"u-{user[:8]}", "name": "U", "role": "person", "scopes": ["emotions:write"]}
    order = {"command": "RegisterUser", "fields": fields, "actor": user, "time": now(), "key": "k"}
    answer = await world.call("import.orders", {"orders": [order]}, token=operator)
    assert answer["results"][0]["result"] == "refused" and "scopes" in answer["results"][0]["detail"]


async def test_accounts_and_tokens_of_before_set_emotions(
    world: World, installed: Settings, scene: Scene, service: Person
) -> None:
    """Made when there were no scopes: a token without the claim, and an account whose registration is repeated."""
    claims = jwt.decode(service.token, options={"verify_signature": False})
    del claims["scope"]
    old = jwt.encode(claims, bytes.fromhex(installed.secret), "HS256")
    caller = Person(world, {"user": {"id": service.id, "username": ""}, "token": old}, service.via)
    fields = filled(TABLE["messages.set_emotion"].fields, scene.words)
    assert (await caller.do("messages.set_emotion", **fields))["message"] == scene.words["MESSAGE"]
    renewed = (await caller.do("sessions.renew"))["token"]
    assert tokens.verify(installed, renewed).scopes == {"emotions:write"}


def test_a_registration_of_before_gives_the_same_token_again(installed: Settings) -> None:
    """Its event has no scopes, as those of version 2."""
    event = UserRegistered(username="emotions", name="Emotions", role="service", credential=None, data={})
    opened = SessionOpened(session="s", expires=after(now(), 600))
    records = [
        REGISTRY.decode(
            REGISTRY.encode(data, id=f"c.{n}", source="klatsch/x", stream="u", time=now(), actor="u", command="c"),
            "users", 0, n,
        )
        for n, data in enumerate((event, opened))
    ]  # fmt: skip
    state: dict[Any, Any] = {user_key("u"): None}
    for record in records:
        state.update(REGISTRY.fold(record, {user_key("u"): None, ("session", "u", "s"): None, **state}))

    class Here:
        settings = installed
        stream_token = None
        app = "default"

    outcome = Outcome(tuple(records), state)
    token = _welcome(Here(), outcome, "u", "service")["token"]  # type: ignore[arg-type]
    assert tokens.verify(installed, token).scopes == {"emotions:write"}
