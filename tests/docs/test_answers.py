"""What the server answers is what its OpenAPI document says, member by member. Tests ``schemas/openapi.json``."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jsonschema
import pytest

from api.core.tokens import mint
from api.registry import all_operations
from events.core.clock import after, now
from infra.base.settings import Settings
from tests.docs.conftest import ROOT

DOCUMENT = json.loads((ROOT / "schemas" / "openapi.json").read_text())
OPERATIONS = {operation.name: operation for operation in all_operations()}


def closed(value: Any) -> Any:
    """The schema without room for members that it does not name."""
    if isinstance(value, list):
        return [closed(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: closed(item) for key, item in value.items()}
    if "properties" in value and value.get("type") in ("object", ["object", "null"]):
        found.setdefault("additionalProperties", False)
    return found


STRICT = closed(DOCUMENT)


class Caller:
    """Calls operations by name and checks each answer; ``called`` has their names."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self.position = ""
        self.called: set[str] = set()

    async def __call__(self, name: str, token: str, values: dict[str, Any] | None = None, status: int = 0) -> Any:
        operation, values = OPERATIONS[name], dict(values or {})
        path = operation.path.format(**{key: values.pop(key) for key in operation.path_parameters})
        headers = {"Klatsch-Position": self.position}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        reading = operation.method in ("GET", "DELETE")
        sent: dict[str, Any] = {"params": values} if reading else {"json": values}
        async with self._http.request(operation.method, path, headers=headers, **sent) as response:
            body = await response.read()
            assert response.status == (status or operation.status), body
            self.position = response.headers.get("Klatsch-Position", self.position)
            answer = json.loads(body) if body else None
        check(operation.method, operation.path, response.status, answer)
        self.called.add(name)
        return answer


def check(method: str, path: str, status: int, answer: Any) -> None:
    """Validates an answer against the strict document."""
    found = STRICT["paths"][path][method.lower()]["responses"][str(status)]
    if "$ref" in found:
        found = STRICT["components"]["responses"][found["$ref"].rpartition("/")[2]]
    if answer is None:
        assert "content" not in found
        return
    ((_, content),) = found["content"].items()
    schema = {**content["schema"], "components": STRICT["components"]}
    jsonschema.validate(answer, schema, jsonschema.Draft202012Validator)


@pytest.fixture
async def call(installed: Settings) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession(f"http://{installed.address}") as http:
        yield Caller(http)


async def test_every_operation_answers_as_documented(call: Caller, installed: Settings) -> None:
    expires = after(now(), 600)
    operator = mint(installed, user="operator", session="s", role="operator", issued=now(), expires=expires)
    ann = await call("users.register", "", {"username": "doc-ann", "password": "annotation", "data": {"a": "b"},
                                              "email": "ann@example.org", "added_by": "contacts"})  # fmt: skip
    bob = await call("users.register", "", {"username": "doc-bob", "name": "Bob"})
    scopes = ["emotions:write", "sessions:issue", "channels:serve"]
    bot = await call("services.register", operator, {"username": "doc-bot", "scopes": scopes})
    token, other = ann["token"], bob["user"]["id"]
    await _people(call, token, other)
    await call("users.change", token, {"added_by": "nobody"})
    room = await _conversation(call, token, bob["token"], bot["token"], other, ann["user"]["id"])
    await _states(call, token, operator, room)
    await _channels(call, token, bot["token"])
    await _console(call, operator, room)
    await _apps(call, operator)
    item = {
        "command": "PostMessage", "actor": other, "time": now(), "key": "line-1",
        "fields": {"room": "none", "token": "line-1", "content": {"text": "old"}},
    }  # fmt: skip
    await call("import.orders", operator, {"orders": [item]})
    await call("sessions.open", "", {"username": "doc-ann", "password": "annotation"})
    await call("users.change_password", token, {"current": "annotation", "password": "annotation 2"})
    await call("users.reset_password", operator, {"username": "doc-bob", "password": "notation 2"})
    server = mint(installed, user="server", session="s", role="server", issued=now(), expires=expires)
    users = [{"external_id": "doc-1", "name": "Ida"}, {"external_id": "doc-2", "name": "Ivo", "username": "doc-ann"}]
    made = await call("users.upsert", server, {"users": users})
    assert [one["problem"] is None for one in made["users"]] == [True, False]
    await call("users.query", server, {"external_ids": "doc-1"})
    await call("users.set_team", server, {"user": made["users"][0]["user"]["id"], "team": None})
    await call("users.deactivate", server, {"user": made["users"][0]["user"]["id"], "reason": "Left"})
    await call("users.reactivate", operator, {"user": made["users"][0]["user"]["id"]})
    await call("users.erase", server, {"user": made["users"][0]["user"]["id"], "messages": "hide"})
    await call("users.erasure", operator, {"user": made["users"][0]["user"]["id"]})
    await call("users.revoke_tokens", operator, {"user": made["users"][0]["user"]["id"]})
    await call("sessions.issue", bot["token"], {"user": other})
    await call("sessions.list", token)
    await call("sessions.renew", token)
    await call("sessions.close", token, {"session": "current"})
    assert call.called == {name for name, operation in OPERATIONS.items() if not operation.only_rpc}


async def _people(call: Caller, token: str, other: str) -> None:
    await call("users.find", token, {"name": "doc-"})
    await call("users.me", token)
    await call("users.change", token, {"name": "Ann", "data": {"a": None, "c": "d"}})
    await call("users.get", token, {"user": other})
    await call("relationships.set", token, {"user": other, "type": "friend"})
    await call("relationships.list", token)
    await call("relationships.remove", token, {"user": other})
    made = await call("visuals.create", token, {"model_data": {"shape": "fox"}, "emotion_data": {"joy": True}})
    visual = made["visual"]["id"]
    await call("visuals.get", token, {"visual": visual})
    await call("visuals.list", token)
    await call("visuals.change", token, {"visual": visual, "emotion_data": {"joy": {"eyes": "wide"}}})
    await call("visuals.choose", token, {"visual_id": visual})


async def _conversation(call: Caller, token: str, others_token: str, bot: str, other: str, me: str) -> str:
    """The room in which it happened."""
    room = (await call("rooms.create", token, {"type": "public", "name": "Doc room"}))["room"]["id"]
    await call("rooms.get", token, {"room": room})
    await call("rooms.change", token, {"room": room, "name": "Doc group", "data": {"icon": "x"}})
    await call("rooms.find", others_token, {"name": "doc gr"})
    await call("members.add", token, {"room": room, "user": other})
    await call("invitations.list", others_token)
    await call("sync.get", others_token)
    await call("members.add", others_token, {"room": room, "user": "me"})
    asked = (await call("rooms.create", others_token, {"type": "private", "name": "Doc den", "members": [me]}))["room"]
    await call("invitations.decline", token, {"room": asked["id"]})
    sent = {"room": room, "token": "doc-1", "content": {"text": "What joy"}}
    message = (await call("messages.send", token, sent))["message"]["id"]
    await call("messages.read", token, {"room": room})
    await call("messages.search", token, {"text": "joy"})
    await call("messages.get", token, {"room": room, "message": message})
    joy = {"room": room, "message": message, "emotion": "joy"}
    await call("messages.set_emotion", bot, joy)
    await call("messages.set_emotions", bot, {"emotions": [{**joy, "key": "joy-1"}, {**joy, "room": "no", "key": "2"}]})
    await _changed_messages(call, token, room, message)
    await call("presence.get", token, {"users": other})
    await call("presence.room", token, {"room": room})
    await call("signals.type", token, {"room": room, "typing": True})
    await call("members.list", token, {"room": room})
    await call("members.read", others_token, {"room": room, "seq": 1})
    await call("rooms.find", token)
    await call("rooms.history", token, {"room": room})
    cursor = (await call("changes.pull", others_token))["cursor"]
    await call("changes.pull", others_token, {"since": cursor})
    await call("changes.pull", others_token, {"since": "gone:4095"})
    await call("sync.get", token)
    await call("members.set_notifications", others_token, {"room": room, "notifications": False})
    await call("members.change", token, {"room": room, "user": other, "custom": {"a": {"b": 1}}})
    await call("members.set_role", token, {"room": room, "user": other, "role": "admin"})
    await call("members.remove", others_token, {"room": room, "user": "me"})
    return str(room)


async def _changed_messages(call: Caller, token: str, room: str, message: str) -> None:
    place = {"room": room, "message": message}
    await call("messages.edit", token, {**place, "content": {"text": "What a joy"}, "data": {"tone": 1}})
    await call("messages.edits", token, place)
    await call("messages.pin", token, place)
    await call("rooms.pins", token, {"room": room})
    await call("messages.unpin", token, place)
    await call("messages.delete", token, place)
    await call("messages.edits", token, place)


async def _channels(call: Caller, token: str, bot: str) -> None:
    channel = (await call("channels.create", token, {"name": "Doc raid", "limit": 2}))["channel"]["id"]
    served = {"id": channel, "users": [{"id": "doc-bob", "version": 1}]}
    await call("channels.report", bot, {"metric": {"addr": "127.0.0.1:8420", "name": "Doc"}, "channels": [served]})
    await call("channels.listen", token, {"channel": channel})
    await call("channels.list", token)
    await call("channels.get", token, {"channel": channel})
    await call("channels.delete", token, {"channel": channel})


async def _apps(call: Caller, operator: str) -> None:
    app = (await call("apps.create", operator, {"name": "Harbour"}))["app"]["id"]
    await call("apps.change", operator, {"app": app, "name": "Quay", "settings": {"registration": True}})
    await call("apps.roll_key", operator, {"app": app})
    await call("apps.suspend", operator, {"app": app, "reason": "Unpaid."})
    await call("apps.resume", operator, {"app": app})
    await call("apps.revoke_tokens", operator, {"app": app})
    await call("apps.about", operator)
    await call("apps.get", operator, {"app": app})
    await call("apps.list", operator)
    given = {"external_id": "crew", "name": "Crew", "custom": {"pier": 4}, "app": app}
    team = (await call("teams.create", operator, given))["team"]["id"]
    await call("teams.get", operator, {"team": team})
    await call("teams.list", operator, {"app": app})
    await call("teams.change", operator, {"team": team, "name": "Hands"})
    await call("teams.remove", operator, {"team": team})
    plan = (await call("plans.define", operator, {"name": "Pro", "tier": "pro", "limits": {"users": 10}}))["plan"]["id"]
    await call("plans.get", operator, {"plan": plan})
    await call("plans.list", operator)
    await call("apps.choose_plan", operator, {"app": app, "plan": plan})
    await call("apps.limits", operator, {"app": app})
    await call("plans.withdraw", operator, {"plan": plan})
    await call("usage.query", operator, {"app": app})
    await call("usage.list", operator)
    await call("apps.erase", operator, {"app": app, "confirm": "Quay"})
    await call("apps.receipt", operator, {"app": app})


async def _states(call: Caller, token: str, operator: str, room: str) -> None:
    await call("rooms.archive", token, {"room": room})
    await call("rooms.unarchive", token, {"room": room})
    await call("rooms.delete", token, {"room": room})
    await call("rooms.restore", operator, {"room": room})
    await call("rooms.find", token, {"scope": "public"})


async def _console(call: Caller, operator: str, room: str) -> None:
    await call("console.figures", operator)
    await call("console.history", operator)
    await call("console.rooms", operator)
    await call("console.room", operator, {"room": room})
    await call("console.parked", operator)
    await call("console.parked_stream", operator, {"stream": room}, status=404)
    await call("console.retry", operator, {"stream": room}, status=404)
    await call("console.renew", operator)


async def test_refusals_are_documented(call: Caller) -> None:
    await call("users.me", "", status=401)
    await call("users.register", "", {"username": "x"}, status=422)
    await call("sessions.open", "", {"username": "nobody", "password": "wrong"}, status=401)
    ann = await call("users.register", "", {"username": "doc-cara"})
    await call("rooms.get", ann["token"], {"room": "nowhere"}, status=404)
    await call("import.orders", ann["token"], {"orders": []}, status=403)
    await call("users.register", "", {"username": "doc-cara"}, status=409)
