"""Free JSON is given back as it was sent, in value: everywhere, and in no more bytes than were sent.
Tests ``events/core/free_json.py``."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
import pytest

from events.core.clock import after
from events.core.positions import encode_vector
from tests.api.deltas import delta
from tests.client import Person, World

#: As they are written in full: each is what a reader of doubles and whole numbers finds in it, and nothing longer.
NUMBERS = (
    b"[1e308,-1.7976931348623157e308,1e23,-0.0,0.0,5e-324,1e-300,123456789.12345679,1.2345678912345679e28,1.0,"
    b"9007199254740993,18446744073709551616,-9223372036854775809,100000000000000000000000000000]"
)
#: A member's order stays too, and names that Postgres' jsonb would sort.
VALUE = b'{"numbers":' + NUMBERS + b',"b":{"z":1,"a":[]},"aa":[true,1,null],"a":"\xc3\xa9"}'


async def raw(world: World, person: Person, path: str, **params: str) -> bytes:
    """The answer's bytes, which include what was written before."""
    headers = {"Klatsch-Position": encode_vector(world.position)} if world.position else {}
    answer = await world.request("GET", path, token=person.token, params=params, headers=headers)
    assert answer.status == 200, answer.body
    return answer.body


async def write(world: World, person: Person, method: str, path: str, body: bytes) -> tuple[Any, bytes]:
    """The answer, decoded and as bytes."""
    answer = await world.request(method, path, token=person.token, body=body)
    assert answer.status in (200, 201), answer.body
    world.seen(answer.headers.get("Klatsch-Position", ""))
    return answer.json(), answer.body


@pytest.fixture
async def room(ada: Person, bob: Person) -> str:
    return await ada.group(bob, settings={"announcements": False})


async def test_a_message_reads_everywhere_as_it_was_sent(ada: Person, bob: Person, room: str) -> None:
    world = ada.world
    socket = await world.socket(bob.token)
    body = b'{"token":"n","type":"custom","content":' + VALUE + b',"data":' + VALUE + b"}"
    made, answer = await write(world, ada, "POST", f"/v1/rooms/{room}/messages", body)
    assert answer.count(VALUE) == 2
    message, moment = made["message"]["id"], after(made["message"]["created"], 0.001)
    heard = await delta(socket, "message.posted", message=message)
    assert repr(heard["data"]["content"]) == repr(msgspec.json.decode(VALUE))
    place = f"/v1/rooms/{room}/messages/{message}"
    reads = {
        "page": await raw(world, bob, f"/v1/rooms/{room}/messages"),
        "one": await raw(world, bob, place),
        "changes of the room": await raw(world, bob, f"/v1/rooms/{room}/changes", limit="1"),
        "rooms": await raw(world, bob, "/v1/rooms"),
        "snapshot": await raw(world, bob, "/v1/sync"),
    }
    assert {name: found.count(VALUE) for name, found in reads.items()} == dict.fromkeys(reads, 2)
    # Answers of the past have their members in order, so that the same question has the same answer for ever.
    for path in (place, f"/v1/rooms/{room}/messages"):
        assert (await raw(world, bob, path, as_of=moment)).count(NUMBERS) == 2
    await write(world, ada, "PATCH", place, b'{"content":{"other":1}}')
    assert (await raw(world, bob, f"{place}/edits")).count(VALUE) == 3, "the edit keeps the data"


async def test_a_visual_reads_as_it_was_sent(ada: Person, bob: Person) -> None:
    body = b'{"model_data":' + VALUE + b',"emotion_data":{"joy":' + VALUE + b"}}"
    made, answer = await write(ada.world, ada, "POST", "/v1/visuals", body)
    assert answer.count(VALUE) == 2
    assert (await raw(ada.world, bob, f"/v1/visuals/{made['visual']['id']}")).count(VALUE) == 2


async def test_what_is_read_is_no_longer_than_what_was_sent(ada: Person, room: str) -> None:
    content = b'{"a":[' + b",".join([b"1e308"] * 2700) + b"]}"
    body = b'{"token":"n","type":"custom","content":' + content + b"}"
    made, _ = await write(ada.world, ada, "POST", f"/v1/rooms/{room}/messages", body)
    read = await raw(ada.world, ada, f"/v1/rooms/{room}/messages/{made['message']['id']}")
    assert content in read and len(read) < len(content) + 1500


@pytest.mark.parametrize(("first", "then"), [("1", "true"), ("0", "false"), ("0.0", "-0.0"), ("1", "1.0")])
async def test_an_edit_between_values_that_python_takes_for_equal_is_one(
    ada: Person, room: str, first: str, then: str
) -> None:
    content = {"v": msgspec.Raw(first.encode())}
    sent = await ada.do("messages.send", room=room, token=secrets.token_hex(8), type="custom", content=content)
    message, content = sent["message"], {"v": msgspec.Raw(then.encode())}
    edited = await ada.do("messages.edit", room=room, message=message["id"], content=content)
    assert edited["message"]["revision"] == 1
    read = await raw(ada.world, ada, f"/v1/rooms/{room}/messages/{message['id']}")
    assert b'"content":{"v":' + then.encode() + b"}" in read
    again = await ada.do("messages.edit", room=room, message=message["id"], content=content)
    assert again["message"]["revision"] == 1, "the same again changes nothing"


async def test_a_visual_likewise(ada: Person) -> None:
    made = (await ada.do("visuals.create", model_data={"on": 1}, emotion_data={"joy": {"loud": 0}}))["visual"]
    changed = (await ada.do("visuals.change", visual=made["id"], model_data={"on": True}))["visual"]
    assert changed["model_data"]["on"] is True and changed["version"] > made["version"]
