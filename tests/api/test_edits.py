"""Editing and deleting messages: what they held before, who may, and that a deleted one is one everywhere.
Tests ``api/messages.py`` and ``api/history.py``."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
import pytest

from tests.api.deltas import delta
from tests.client import Person


async def said(person: Person, room: str, text: str = "first", **data: Any) -> str:
    """The id of a new message."""
    fields: dict[str, Any] = {"token": secrets.token_hex(8), "type": "text", "content": {"text": text}, "data": data}
    return str((await person.do("messages.send", room=room, **fields))["message"]["id"])


async def test_an_edit_is_seen_by_all_with_what_was_there_before(ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    message = await said(ada, room, mood={"deep": [1, None]})
    socket = await bob.world.socket(bob.token)
    place = {"room": room, "message": message}
    first = (await bob.do("messages.get", **place))["message"]
    assert (first["edited"], first["revision"], first["data"]) == (None, 0, {"mood": {"deep": [1, None]}})
    edited = (await ada.do("messages.edit", **place, content={"text": "second"}))["message"]
    assert (edited["content"], edited["data"], edited["revision"]) == ({"text": "second"}, first["data"], 1)
    assert edited["edited"] == edited["updated"] and edited["created"] == first["created"] and edited["seq"] == 1
    heard = await delta(socket, "message.edited", message=message)
    assert heard["data"]["content"] == {"text": "second"} and heard["data"]["data"] == first["data"]
    assert (await bob.do("messages.get", **place))["message"] == edited
    assert (await bob.do("messages.read", room=room))["messages"] == [edited]
    entry = await bob.do("rooms.get", room=room)
    assert entry["message"] == edited and entry["unread"] == 1, "an edit is nothing new to read"
    again = (await ada.do("messages.edit", **place, content={"text": "third"}, data={}))["message"]
    assert (again["revision"], again["data"]) == (2, {})
    history = await bob.do("messages.edits", **place)
    assert history["message"] == again
    assert [(one["number"], one["content"], one["data"], one["created"]) for one in history["revisions"]] == [
        (0, {"text": "first"}, first["data"], first["created"]),
        (1, {"text": "second"}, first["data"], edited["edited"]),
    ]


async def test_an_edit_to_the_same_is_none(ada: Person, bob: Person) -> None:
    room = await ada.direct(bob)
    place = {"room": room, "message": await said(ada, room, a=1)}
    for more in (dict[str, Any](), {"data": {"a": 1}}):
        same = (await ada.do("messages.edit", **place, content={"text": "first"}, **more))["message"]
        assert (same["edited"], same["revision"]) == (None, 0)
    assert (await bob.do("messages.edits", **place))["revisions"] == []


async def test_who_may_not_post_does_not_say_something_new_by_an_old_message(ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    place = {"room": room, "message": await said(bob, room)}
    await ada.do("rooms.change", room=room, settings={"posting": "admins"})
    assert await bob.refused("messages.send", room=room, token="t", content={"text": "x"}) == "forbidden"
    for more in (dict[str, Any](), {"data": {"a": 1}}):
        assert await bob.refused("messages.edit", **place, content={"text": "second"}, **more) == "forbidden"
    assert (await ada.do("messages.get", **place))["message"]["content"] == {"text": "first"}
    # What is said can be taken back, and whoever may post may edit.
    own = {"room": room, "message": await said(ada, room)}
    assert (await ada.do("messages.edit", **own, content={"text": "second"}))["message"]["revision"] == 1
    await bob.do("messages.delete", **place)
    assert (await ada.do("messages.get", **place))["message"]["deleted"] is not None


async def test_only_the_author_edits(ada: Person, bob: Person, eve: Person) -> None:
    room = await ada.group(bob, eve)
    await ada.do("members.set_role", room=room, user=eve.id, role="admin")
    place = {"room": room, "message": await said(bob, room)}
    for person in (ada, eve):
        assert await person.refused("messages.edit", **place, content={"text": "x"}) == "forbidden"
    assert await ada.refused("messages.edit", room=room, message="nothing", content={"text": "x"}) == "not_found"
    other = await ada.group(bob)
    assert await bob.refused("messages.edit", room=other, message=place["message"], content={}) == "not_found"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"content": {"text": ""}}, "invalid"), ({"content": {"text": "x" * 2001}}, "invalid"),
        ({"content": {"text": "\t "}}, "invalid"), ({"content": {"url": "https://x"}}, "invalid"), ({}, "invalid"),
        ({"content": {"text": "x"}, "data": {"emotion": "joy"}}, "invalid"),
        ({"content": {"text": "x"}, "data": {"a": "y" * 8 * 1024}}, "too_large"),
        ({"content": {"text": "x"}, "type": "image"}, "invalid"), ({"content": {"text": "x"}, "data": 1}, "invalid"),
    ],
)  # fmt: skip
async def test_edits_that_do_not_fit(ada: Person, bob: Person, fields: dict[str, Any], code: str) -> None:
    room = await ada.direct(bob)
    place = {"room": room, "message": await said(ada, room)}
    before = (await ada.do("messages.get", **place))["message"]
    assert await ada.refused("messages.edit", **place, **fields) == code
    assert (await ada.do("messages.get", **place))["message"] == before


async def test_an_edit_keeps_the_emotion_that_was_found(ada: Person, bob: Person, service: Person) -> None:
    room = await ada.direct(bob)
    place = {"room": room, "message": await said(ada, room, a=1)}
    await ada.do("visuals.choose", model_data={}, emotion_data={"joy": True})
    await service.do("messages.set_emotion", **place, emotion="joy")
    edited = (await ada.do("messages.edit", **place, content={"text": "x"}, data={"b": 2}))["message"]
    assert edited["data"] == {"b": 2, "emotion": "joy"}


async def test_a_deleted_message_is_a_tombstone_everywhere(ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    message = await said(ada, room, "secret-one", note="secret-two")
    place = {"room": room, "message": message}
    await ada.do("messages.edit", **place, content={"text": "secret-three"})
    socket = await bob.world.socket(bob.token)
    await ada.do("messages.delete", **place)
    heard = await delta(socket, "message.deleted", message=message)
    assert heard["data"] == {"message": message} and "include" not in heard
    tomb = (await bob.do("messages.get", **place))["message"]
    assert (tomb["content"], tomb["data"], tomb["seq"], tomb["author"]) == ({}, {}, 1, ada.id)
    assert tomb["deleted"] == heard["time"] == tomb["updated"]
    assert (await bob.do("messages.edits", **place)) == {"message": tomb, "revisions": []}
    assert (await bob.do("messages.read", room=room))["messages"] == [tomb]
    assert (await bob.do("rooms.get", room=room))["message"] == tomb
    assert (await bob.do("rooms.find"))["rooms"][0]["message"] == tomb
    entries = [one for one in (await bob.do("sync.get"))["rooms"] if one["room"]["id"] == room]
    assert entries[0]["message"] == tomb
    for person in (ada, bob):
        for name in ("rooms.history", "rooms.get", "messages.read", "rooms.find", "sync.get"):
            fields = {} if name in ("rooms.find", "sync.get") else {"room": room}
            assert "secret" not in msgspec.json.encode(await person.do(name, **fields)).decode(), name
    types = [one["type"] for one in (await bob.do("rooms.history", room=room))["changes"]]
    assert types[:3] == ["message.deleted", "message.edited", "message.posted"]
    # Its number is not given again.
    assert (await bob.say(room))["seq"] == 2


async def test_what_is_deleted_stays_deleted(ada: Person, bob: Person, service: Person) -> None:
    room = await ada.group(bob)
    place = {"room": room, "message": await said(bob, room)}
    await bob.do("messages.delete", **place)
    before = (await ada.do("messages.get", **place))["message"]
    await bob.do("messages.delete", **place)
    await ada.do("messages.delete", **place)
    assert (await ada.do("messages.get", **place))["message"] == before, "no event"
    assert await bob.refused("messages.edit", **place, content={"text": "back"}) == "not_found"
    assert await service.refused("messages.set_emotion", **place, emotion="joy") == "not_found"
    assert await bob.refused("messages.delete", room=room, message="nothing") == "not_found"


async def test_admins_delete_what_others_said(ada: Person, bob: Person, eve: Person) -> None:
    room = await ada.group(bob, eve)
    of_ada, of_bob, of_eve = [await said(one, room, one.username) for one in (ada, bob, eve)]
    assert await bob.refused("messages.delete", room=room, message=of_eve) == "forbidden"
    await ada.do("members.set_role", room=room, user=bob.id, role="admin")
    for person, message in ((bob, of_eve), (bob, of_ada), (ada, of_bob)):
        await person.do("messages.delete", room=room, message=message)
    found = (await eve.do("messages.read", room=room))["messages"]
    assert [one["deleted"] is not None for one in found] == [True, True, True, False], "the last is the notice"


async def test_in_a_direct_room_each_deletes_their_own(ada: Person, bob: Person) -> None:
    room = await ada.direct(bob)
    message = await said(ada, room)
    assert await bob.refused("messages.delete", room=room, message=message) == "forbidden"
    await ada.do("messages.delete", room=room, message=message)
    assert (await bob.do("messages.get", room=room, message=message))["message"]["content"] == {}


async def test_strangers_learn_nothing_of_messages(ada: Person, bob: Person, eve: Person) -> None:
    for room in (await ada.group(bob), await ada.group(bob, type="private"), await ada.direct(bob)):
        for message in (await said(ada, room), "nothing"):
            place = {"room": room, "message": message}
            assert await eve.refused("messages.edit", **place, content={"text": "x"}) == "not_found"
            assert await eve.refused("messages.delete", **place) == "not_found"
            assert await eve.refused("messages.edits", **place) == "not_found"
