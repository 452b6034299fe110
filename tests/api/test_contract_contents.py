"""What the server takes and gives as content and settings is what the contract says, in each type of message.
Tests ``schemas/openapi.json`` and ``producers/messages.py``."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import re2

from infra.ops.generate.files import ROOT
from tests.client import Person, Refusal, World

DOCUMENT = json.loads((ROOT / "schemas" / "openapi.json").read_text())

_URL = "https://example.org/a"
#: Contents, of whichever type: each is sent as each type.
CONTENTS: list[Any] = [
    {"text": "hello"}, {"txt": 1}, {"text": 1}, {"text": ""}, {"text": None}, {"text": "x" * 2000},
    {"text": "x" * 2001}, {"text": "\U0001f98a" * 2000}, {"text": "hello", "more": 1}, {}, {"url": _URL},
    {"url": "ftp://example.org"}, {"url": f"{_URL}\n"}, {"url": f"{_URL} b"}, {"url": _URL, "alt": "A fox"},
    {"url": _URL, "alt": "x" * 501}, {"url": _URL, "alt": None}, {"url": _URL, "width": 1, "height": 100_000},
    {"url": _URL, "width": 0}, {"url": _URL, "width": None}, {"url": _URL, "width": "1"}, {"url": _URL, "width": 1.5},
    {"url": _URL, "height": 100_001}, {"url": _URL, "name": "a.pdf"}, {"url": _URL, "name": ""},
    {"url": _URL, "name": "x" * 256}, {"url": _URL, "name": "a.pdf", "size": 0},
    {"url": _URL, "name": "a.pdf", "size": -1}, {"url": _URL, "name": "a.pdf", "size": 2**53},
    {"url": _URL, "name": "a.pdf", "size": None}, {"url": _URL, "name": "a.pdf", "alt": "x"}, {"anything": [1, None]},
    [], "hello", None, 7,
]  # fmt: skip
SETTINGS: list[Any] = [
    {}, {"posting": "admins"}, {"posting": "owner"}, {"inviting": "members", "announcements": False},
    {"notifications": None}, {"notifications": 1}, {"colour": "red"}, [],
]  # fmt: skip
#: What a visual says of an emotion, and of emotions together.
EMOTIONS: list[Any] = [
    {}, {"joy": True, "anger": False, "fear": {"eyes": ["wide"]}}, {"joy": {}}, {"joy": "yes"}, {"joy": None},
    {"joy": 1}, {"joy": 0.5}, {"joy": [True]}, {"joy": True, "anger": ""}, [], "joy",
]  # fmt: skip


def _pattern(validator: Any, pattern: str, value: Any, schema: Any) -> Iterator[jsonschema.ValidationError]:
    """As ECMA-262 and RE2 have it: Python's ``$`` also matches before a last line feed."""
    if isinstance(value, str) and not re2.search(pattern, value):
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern!r}")


_Validator = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator, {"pattern": _pattern}
)


def fits(schema: dict[str, Any], value: Any) -> bool:
    """Whether the contract admits a value."""
    whole = {**schema, "components": DOCUMENT["components"]}
    return bool(_Validator(whole).is_valid(value))


def body_of(path: str, method: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
    return found


@pytest.fixture(scope="module")
async def place(world: World) -> tuple[Person, str]:
    grace = await world.person("grace")
    return grace, await grace.group()


async def taken(who: Person, name: str, **members: Any) -> Any:
    """The answer; None where the server says that the request does not fit."""
    try:
        return await who.do(name, **members)
    except Refusal as refusal:
        if refusal.code != "invalid":
            raise
        return None


@pytest.mark.parametrize("type_", ["text", "action", "image", "file", "custom", "join", "poll", None])
async def test_a_message_is_taken_where_the_contract_admits_it(place: tuple[Person, str], type_: str | None) -> None:
    grace, room = place
    schema, outcomes = body_of("/v1/rooms/{room}/messages", "post"), set()
    for content in CONTENTS:
        body = {"client_id": secrets.token_hex(8), "content": content} | ({} if type_ is None else {"type": type_})
        answer = await taken(grace, "messages.send", room=room, **body)
        assert (answer is not None) == fits(schema, body), (body, answer)
        outcomes.add(answer is not None)
        if answer is not None:
            message = answer["message"]
            assert message["type"] == (type_ or "text") and message["content"] == content
            assert fits({"$ref": "#/components/schemas/Message"}, message), message
            assert fits({"$ref": f"#/components/schemas/{message['type'].capitalize()}Message"}, message)
    assert outcomes == ({False} if type_ in ("join", "poll") else {True, False})


async def test_a_deleted_message_has_no_members_in_its_content(place: tuple[Person, str]) -> None:
    grace, room = place
    message = await grace.say(room)
    await grace.do("messages.delete", room=room, message=message["id"])
    shown = (await grace.do("messages.get", room=room, message=message["id"]))["message"]
    assert shown["content"] == {} and fits({"$ref": "#/components/schemas/TextMessage"}, shown)


async def test_settings_are_taken_where_the_contract_admits_them(place: tuple[Person, str]) -> None:
    grace, room = place
    schema, outcomes = body_of("/v1/rooms/{room}", "patch"), set()
    for settings in SETTINGS:
        answer = await taken(grace, "rooms.change", room=room, settings=settings)
        assert (answer is not None) == fits(schema, {"settings": settings}), (settings, answer)
        outcomes.add(answer is not None)
        if answer is not None:
            assert fits({"$ref": "#/components/schemas/RoomSettings"}, answer["room"]["settings"])
    assert outcomes == {True, False}


async def test_emotions_are_taken_where_the_contract_admits_them(place: tuple[Person, str]) -> None:
    grace, _ = place
    visual = (await grace.do("visuals.create", model_data={}))["visual"]["id"]
    ways: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("visuals.create", body_of("/v1/visuals", "post"), {"model_data": {}}),
        ("visuals.change", body_of("/v1/visuals/{visual}", "patch"), {}),
        ("visuals.choose", body_of("/v1/users/me/visual", "put"), {"model_data": {}}),
    ]
    for name, schema, more in ways:
        outcomes = set()
        for emotions in EMOTIONS:
            body = {**more, "emotion_data": emotions}
            answer = await taken(grace, name, **body, **({"visual": visual} if name == "visuals.change" else {}))
            assert (answer is not None) == fits(schema, body), (name, emotions, answer)
            outcomes.add(answer is not None)
            if answer is not None and "visual" in answer:
                assert fits({"$ref": "#/components/schemas/Visual"}, answer["visual"])
        assert outcomes == {True, False}
    shown = (await grace.do("visuals.get", visual=visual))["visual"]
    assert not fits({"$ref": "#/components/schemas/Visual"}, {**shown, "emotion_data": {"joy": "yes"}})
