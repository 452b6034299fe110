"""The permission walk: every operation by everybody who is not meant, against a table that must name each operation.
Tests ``api/registry.py`` and ``producers/roles.py``."""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple

import msgspec
import pytest

from api.core.operation import HTTP_ONLY
from events.core.clock import after, now, uuid7
from infra.base.settings import Settings
from infra.ops.generate import openapi
from tests.api.conftest import minted
from tests.client import OPERATIONS, Person, Refusal, World
from tests.servers import url


class Row(NamedTuple):
    """Status of an operation's answer to each kind of caller; ``fields`` are valid for a member of the rooms."""

    fields: dict[str, Any]
    #: No token, or one that is no good: garbage, expired, revoked, of another installation.
    nobody: int
    #: A person who has nothing to do with the room, nor with its people.
    stranger: int
    #: A person whom the other (the room's owner, the user in the path) blocks.
    blocked: int
    #: A person who was in the room.
    former: int
    member: int
    service: int
    operator: int


ROOM = {"room": "GROUP"}
#: A channel that nobody has made.
NOWHERE = 4_000_000_000
REPORT = {"metric": {"addr": "127.0.0.1:8420", "name": "Chat"}, "channels": []}
TABLE: dict[str, Row] = {
    #                                                            nobody stranger blocked former member service operator
    "users.register": Row({"username": "NEW"},                      201, 201, 201, 201, 201, 201, 201),
    "users.find": Row({"name": "zzz"},                              401, 200, 200, 200, 200, 200, 403),
    "users.me": Row({},                                             401, 200, 200, 200, 200, 200, 403),
    "users.change": Row({"data": {"a": "b"}},                       401, 200, 200, 200, 200, 200, 403),
    "users.get": Row({"user": "OWNER"},                             401, 200, 404, 200, 200, 200, 403),
    "users.upsert": Row({"users": [{"external_id": "NEW", "name": "N"}]}, 401, 403, 403, 403, 403, 403, 403),
    "users.query": Row({"external_ids": "u-17"},                    401, 403, 403, 403, 403, 403, 403),
    "services.register": Row({"username": "NEW"},                   401, 403, 403, 403, 403, 403, 201),
    "sessions.open": Row({"username": "nobody-at-all", "password": "x" * 8}, 401, 401, 401, 401, 401, 401, 401),
    "sessions.issue": Row({"user": "OWNER"},                        401, 403, 403, 403, 403, 403, 403),
    "sessions.list": Row({},                                        401, 200, 200, 200, 200, 200, 403),
    "sessions.renew": Row({},                                       401, 200, 200, 200, 200, 200, 403),
    "sessions.close": Row({"session": "current"},                   401, 204, 204, 204, 204, 204, 403),
    "users.change_password": Row({"password": "x" * 8, "current": "y"}, 401, 422, 422, 422, 422, 403, 403),
    "users.reset_password": Row({"username": "nobody-at-all", "password": "x" * 8}, 401, 403, 403, 403, 403, 403, 404),
    "apps.create": Row({"name": "Harbour"},                         401, 403, 403, 403, 403, 403, 201),
    "apps.about": Row({},                                           200, 200, 200, 200, 200, 200, 200),
    "apps.list": Row({},                                            401, 403, 403, 403, 403, 403, 200),
    "apps.get": Row({"app": "default"},                             401, 403, 403, 403, 403, 403, 200),
    "apps.change": Row({"app": "nothing"},                          401, 403, 403, 403, 403, 403, 404),
    "apps.roll_key": Row({"app": "nothing"},                        401, 403, 403, 403, 403, 403, 404),
    "apps.suspend": Row({"app": "default"},                         401, 403, 403, 403, 403, 403, 403),
    "apps.resume": Row({"app": "default"},                          401, 403, 403, 403, 403, 403, 200),
    "apps.revoke_tokens": Row({"app": "nothing"},                   401, 403, 403, 403, 403, 403, 404),
    "apps.erase": Row({"app": "default", "confirm": "default"},     401, 403, 403, 403, 403, 403, 403),
    "apps.receipt": Row({"app": "default"},                         401, 403, 403, 403, 403, 403, 404),
    "usage.query": Row({"app": "nothing"},                          401, 403, 403, 403, 403, 403, 404),
    "usage.list": Row({},                                           401, 403, 403, 403, 403, 403, 200),
    "apps.choose_plan": Row({"app": "nothing", "plan": None},       401, 403, 403, 403, 403, 403, 404),
    "apps.limits": Row({"app": "default"},                          401, 403, 403, 403, 403, 403, 200),
    "plans.define": Row({"name": "Pro", "tier": "pro"},             401, 403, 403, 403, 403, 403, 200),
    "plans.list": Row({},                                           401, 403, 403, 403, 403, 403, 200),
    "plans.get": Row({"plan": "nothing"},                           401, 403, 403, 403, 403, 403, 404),
    "plans.withdraw": Row({"plan": "nothing"},                      401, 403, 403, 403, 403, 403, 404),
    "teams.create": Row({"external_id": "NEW", "name": "Crew"},     401, 403, 403, 403, 403, 403, 201),
    "teams.list": Row({},                                           401, 403, 403, 403, 403, 403, 200),
    "teams.get": Row({"team": "nothing"},                           401, 403, 403, 403, 403, 403, 404),
    "teams.change": Row({"team": "nothing"},                        401, 403, 403, 403, 403, 403, 404),
    "teams.remove": Row({"team": "nothing"},                        401, 403, 403, 403, 403, 403, 404),
    "users.set_team": Row({"user": "nobody-at-all", "team": None},  401, 403, 403, 403, 403, 403, 404),
    "users.deactivate": Row({"user": "nobody-at-all"},              401, 403, 403, 403, 403, 403, 404),
    "users.reactivate": Row({"user": "nobody-at-all"},              401, 403, 403, 403, 403, 403, 404),
    "users.revoke_tokens": Row({"user": "nobody-at-all"},           401, 403, 403, 403, 403, 403, 404),
    "users.erase": Row({"user": "nobody-at-all", "messages": "keep"}, 401, 403, 403, 403, 403, 403, 404),
    "users.erasure": Row({"user": "nobody-at-all"},                 401, 403, 403, 403, 403, 403, 404),
    "relationships.list": Row({},                                   401, 200, 200, 200, 200, 200, 403),
    "relationships.set": Row({"user": "OWNER", "type": "friend"},   401, 200, 404, 200, 200, 200, 403),
    "relationships.remove": Row({"user": "OWNER"},                  401, 200, 200, 200, 200, 200, 403),
    "visuals.create": Row({"model_data": {}},                       401, 201, 201, 201, 201, 201, 403),
    "visuals.list": Row({},                                         401, 200, 200, 200, 200, 200, 403),
    "visuals.get": Row({"visual": "VISUAL"},                        401, 200, 200, 200, 200, 200, 403),
    "visuals.change": Row({"visual": "VISUAL", "model_data": {}},   401, 404, 404, 404, 404, 404, 403),
    "visuals.choose": Row({"visual_id": "VISUAL"},                  401, 200, 200, 200, 200, 200, 403),
    "rooms.create": Row({"type": "direct", "members": ["OWNER"]},   401, 201, 404, 201, 201, 201, 403),
    "rooms.find": Row({},                                           401, 200, 200, 200, 200, 200, 403),
    "rooms.get": Row(ROOM,                                          401, 404, 404, 404, 200, 404, 403),
    "rooms.change": Row({**ROOM, "name": "taken over"},             401, 404, 404, 404, 403, 404, 403),
    "rooms.archive": Row(ROOM,                                      401, 404, 404, 404, 403, 404, 403),
    "rooms.unarchive": Row(ROOM,                                    401, 404, 404, 404, 403, 404, 403),
    "rooms.delete": Row(ROOM,                                       401, 404, 404, 404, 403, 404, 403),
    "rooms.restore": Row(ROOM,                                      401, 403, 403, 403, 403, 403, 200),
    "rooms.history": Row(ROOM,                                      401, 404, 404, 404, 200, 404, 403),
    "members.list": Row(ROOM,                                       401, 404, 404, 404, 200, 404, 403),
    "members.add": Row({**ROOM, "user": "me"},                      401, 404, 404, 404, 200, 404, 403),
    "members.remove": Row({**ROOM, "user": "OWNER"},                401, 404, 404, 404, 403, 404, 403),
    "members.set_role": Row({**ROOM, "user": "OWNER", "role": "admin"}, 401, 404, 404, 404, 403, 404, 403),
    "members.change": Row({**ROOM, "user": "OWNER", "custom": {"a": 1}}, 401, 404, 404, 404, 403, 404, 403),
    "members.set_notifications": Row({**ROOM, "notifications": True}, 401, 404, 404, 404, 200, 404, 403),
    "members.read": Row({**ROOM, "seq": 1},                         401, 404, 404, 404, 200, 404, 403),
    "invitations.list": Row({},                                     401, 200, 200, 200, 200, 200, 403),
    "invitations.decline": Row(ROOM,                                401, 404, 404, 404, 404, 404, 403),
    "messages.send": Row({**ROOM, "token": "NEW", "content": {"text": "x"}}, 401, 404, 404, 404, 201, 404, 403),
    "messages.read": Row(ROOM,                                      401, 404, 404, 404, 200, 404, 403),
    "messages.search": Row({"text": "hello"},                       401, 200, 200, 200, 200, 200, 403),
    "messages.get": Row({**ROOM, "message": "MESSAGE"},             401, 404, 404, 404, 200, 404, 403),
    "messages.edit": Row({**ROOM, "message": "MESSAGE", "content": {"text": "x"}}, 401, 404, 404, 404, 403, 404, 403),
    "messages.delete": Row({**ROOM, "message": "MESSAGE"},          401, 404, 404, 404, 403, 404, 403),
    "messages.edits": Row({**ROOM, "message": "MESSAGE"},           401, 404, 404, 404, 200, 404, 403),
    "messages.pin": Row({**ROOM, "message": "MESSAGE"},             401, 404, 404, 404, 403, 404, 403),
    "messages.unpin": Row({**ROOM, "message": "MESSAGE"},           401, 404, 404, 404, 403, 404, 403),
    "rooms.pins": Row(ROOM,                                         401, 404, 404, 404, 200, 404, 403),
    "messages.set_emotion": Row({**ROOM, "message": "MESSAGE", "emotion": "joy"}, 401, 403, 403, 403, 403, 403, 403),
    "messages.set_emotions": Row({"emotions": []},                  401, 403, 403, 403, 403, 403, 403),
    "channels.create": Row({"name": "Raid", "limit": 5},            401, 201, 201, 201, 201, 201, 403),
    "channels.list": Row({},                                        401, 200, 200, 200, 200, 200, 403),
    "channels.get": Row({"channel": "CHANNEL"},                     401, 200, 200, 200, 200, 200, 403),
    # Of one that is not there: tests/api/test_channels.py has who may delete one.
    "channels.delete": Row({"channel": NOWHERE},                    401, 404, 404, 404, 404, 404, 404),
    "channels.listen": Row({"channel": NOWHERE},                    401, 404, 404, 404, 404, 404, 403),
    "channels.report": Row(REPORT,                                  401, 403, 403, 403, 403, 403, 403),
    "sync.get": Row({},                                             401, 200, 200, 200, 200, 200, 403),
    "changes.pull": Row({},                                         401, 200, 200, 200, 200, 200, 403),
    "presence.get": Row({"users": "OWNER"},                         401, 200, 200, 200, 200, 200, 403),
    "presence.room": Row(ROOM,                                      401, 404, 404, 404, 200, 404, 403),
    "signals.type": Row({**ROOM, "typing": False},                  401, 404, 404, 404, 204, 404, 403),
    "import.orders": Row({"orders": []},                            401, 403, 403, 403, 403, 403, 200),
    "console.figures": Row({},                                      401, 403, 403, 403, 403, 403, 200),
    "console.history": Row({},                                      401, 403, 403, 403, 403, 403, 200),
    "console.parked": Row({},                                       401, 403, 403, 403, 403, 403, 200),
    "console.parked_stream": Row({"stream": "GROUP"},               401, 403, 403, 403, 403, 403, 404),
    "console.retry": Row({"stream": "GROUP"},                       401, 403, 403, 403, 403, 403, 404),
    "console.rooms": Row({},                                        401, 403, 403, 403, 403, 403, 200),
    "console.room": Row(ROOM,                                       401, 403, 403, 403, 403, 403, 200),
    "console.renew": Row({},                                        401, 403, 403, 403, 403, 403, 200),
}  # fmt: skip


class Scene(NamedTuple):
    """A private group with a message in it, and what the table's words stand for."""

    owner: Person
    member: Person
    words: dict[str, str]


@pytest.fixture(scope="module")
async def scene(world: World) -> Scene:
    owner, member = await world.person("owner"), await world.person("member")
    room = await owner.group(member, type="private")
    visual = (await owner.do("visuals.create", model_data={}))["visual"]["id"]
    channel = (await owner.do("channels.create", name="Raid", limit=5))["channel"]["id"]
    words = {
        "GROUP": room, "OWNER": owner.id, "VISUAL": visual, "MESSAGE": (await owner.say(room))["id"],
        "CHANNEL": str(channel),
    }  # fmt: skip
    return Scene(owner, member, words)


def filled(value: Any, words: dict[str, str]) -> Any:
    """The fields with the scene's ids in place of its words; NEW is something that nobody has used."""
    if isinstance(value, dict):
        return {name: filled(item, words) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, words) for item in value]
    return f"new-{secrets.token_hex(6)}" if value == "NEW" else words.get(value, value)


async def status(world: World, name: str, row: Row, scene: Scene, token: str | None) -> int:
    try:
        await world.call(name, filled(row.fields, scene.words), token=token)
    except Refusal as refusal:
        return refusal.status
    return OPERATIONS[name].status


def test_the_table_names_every_operation() -> None:
    assert TABLE.keys() == {name for name, operation in OPERATIONS.items() if not operation.only_rpc}


def test_the_contract_says_every_status_of_the_table() -> None:
    paths = openapi.document([*OPERATIONS.values()])["paths"]
    for name, row in TABLE.items():
        said = paths[OPERATIONS[name].path][OPERATIONS[name].method.lower()]["responses"].keys()
        assert {str(status) for status in row[1:]} <= said, name


@pytest.mark.parametrize("name", [name for name, row in OPERATIONS.items() if row.only_rpc])
async def test_what_is_there_over_rpc_only_is_not_there_over_http(world: World, scene: Scene, name: str) -> None:
    for token in (None, scene.member.token):
        assert await status(world, name, Row({"room": None}, *[405] * 7), scene, token) == 405


@pytest.mark.parametrize("name", TABLE)
async def test_without_a_token(world: World, scene: Scene, name: str) -> None:
    assert await status(world, name, TABLE[name], scene, None) == TABLE[name].nobody


@pytest.mark.parametrize("name", TABLE)
async def test_with_a_token_that_is_no_good(world: World, installed: Settings, scene: Scene, name: str) -> None:
    me, session = scene.member.id, uuid7()
    person = {"user": me, "session": session, "role": "person"}
    foreign = msgspec.structs.replace(installed, prefix="another")
    bad = {
        "garbage": "garbage", "empty": "", "a word more": f"{scene.member.token} x",
        "cut": scene.member.token[:-2], "without signature": scene.member.token.rpartition(".")[0] + ".",
        "another secret": minted(msgspec.structs.replace(installed, secret="00" * 32), **person),
        "another installation": minted(foreign, **person), 
        "no role of ours": minted(installed, **{**person, "role": "x"}),
        "expired": minted(installed, **person, issued=after(now(), -60), expires=after(now(), -1)),
    }  # fmt: skip
    for what, token in bad.items():
        assert await status(world, name, TABLE[name], scene, token) == 401, what


@pytest.mark.parametrize("name", TABLE)
async def test_with_a_revoked_token(world: World, installed: Settings, scene: Scene, name: str) -> None:
    assert url(installed) == world.url
    person = await world.person("gone")
    await person.do("sessions.close", session="current")
    # The world's reads wait for its writes, so that the session is known to be closed.
    await scene.member.do("users.me")
    assert await status(world, name, TABLE[name], scene, person.token) == 401


@pytest.mark.parametrize("name", TABLE)
async def test_by_strangers_blocked_and_former_members(world: World, scene: Scene, name: str) -> None:
    row = TABLE[name]
    stranger, blocked, former = [await world.person(kind) for kind in ("stranger", "blocked", "former")]
    await scene.owner.do("relationships.set", user=blocked.id, type="block")
    await scene.owner.do("members.add", room=scene.words["GROUP"], user=former.id)
    await former.do("members.remove", room=scene.words["GROUP"], user="me")
    assert await status(world, name, row, scene, stranger.token) == row.stranger
    assert await status(world, name, row, scene, blocked.token) == row.blocked
    assert await status(world, name, row, scene, former.token) == row.former


@pytest.mark.parametrize("name", TABLE)
async def test_by_members_services_and_operators(
    world: World, installed: Settings, operator: str, scene: Scene, name: str
) -> None:
    row = TABLE[name]
    member = await world.person("member")
    await scene.owner.do("members.add", room=scene.words["GROUP"], user=member.id)
    service = (await world.call("services.register", {"username": f"svc-{secrets.token_hex(5)}"}, token=operator))[
        "token"
    ]
    assert await status(world, name, row, scene, member.token) == row.member
    assert await status(world, name, row, scene, service) == row.service
    assert await status(world, name, row, scene, operator) == row.operator


@pytest.mark.parametrize("name", [name for name, row in OPERATIONS.items() if row.permission in HTTP_ONLY])
async def test_what_needs_an_operator_cannot_be_reached_over_rpc(world: World, scene: Scene, name: str) -> None:
    caller = Person(world, {"user": {"id": scene.member.id, "username": ""}, "token": scene.member.token}, "rpc")
    assert await caller.refused(name, **filled(TABLE[name].fields, scene.words)) == "forbidden"


async def test_permission_is_decided_before_the_request_is_read(world: World, scene: Scene) -> None:
    """Nobody learns from an error what is expected of others."""
    for token, expected in ((None, 401), (scene.member.token, 403)):
        answer = await world.request("POST", "/v1/import", token=token, body=b"{")
        assert answer.refusal().status == expected
