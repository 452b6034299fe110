"""``as_of``: what reads answer of a past moment, who may see it, and what is refused."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from events.core.clock import after, now, to_datetime
from events.core.positions import encode_vector
from tests.client import OPERATIONS, Person, World
from tests.deadline import until


def test_every_read_has_a_past_or_says_why_not() -> None:
    said = {name for name, operation in OPERATIONS.items() if operation.as_of is not None}
    assert said == {name for name, operation in OPERATIONS.items() if operation.method == "GET"}


def place(world: World) -> str:
    """Where the log stands after all that was done."""
    return encode_vector(world.position)


async def test_a_room_is_as_it_was(world: World, ada: Person, bob: Person) -> None:
    room = await ada.group(bob, name="First", description="Before", topic_line="Once")
    first = await ada.say(room, "one")
    early = place(world)
    await ada.do("rooms.change", room=room, name="Second", description=None, topic_line=None)
    await bob.do("members.read", room=room, seq=first["seq"])
    last = await bob.say(room, "two")
    found = await bob.do("rooms.get", room=room, as_of=early)
    assert (found["room"]["name"], found["room"]["description"], found["room"]["seq"]) == ("First", "Before", 1)
    assert found["room"]["topic_line"] == "Once"
    assert found["unread"] == 1 and found["member"]["read"] == 0 and found["message"]["id"] == first["id"]
    present = await bob.do("rooms.get", room=room)
    assert present["unread"] == 0 and present["message"]["id"] == last["id"]
    assert await bob.do("rooms.get", room=room, as_of=place(world)) == present


async def test_messages_hold_what_they_held(world: World, ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    one = await ada.say(room, "first")
    before = place(world)
    await ada.do("messages.edit", room=room, message=one["id"], content={"text": "second"})
    between = place(world)
    await ada.do("messages.edit", room=room, message=one["id"], content={"text": "third"})
    await ada.say(room, "another")
    texts = []
    for moment in (before, between, place(world)):
        page = await bob.do("messages.read", room=room, as_of=moment)
        texts.append([message["content"].get("text") for message in page["messages"]])
        alone = await bob.do("messages.get", room=room, message=one["id"], as_of=moment)
        assert alone["message"] == page["messages"][0]
    assert texts == [["first"], ["second"], ["third", "another"]]
    edits = await bob.do("messages.edits", room=room, message=one["id"], as_of=between)
    assert [revision["content"] for revision in edits["revisions"]] == [{"text": "first"}]


async def test_what_was_deleted_since_is_not_shown(world: World, ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    one = await ada.say(room, "a secret")
    before = place(world)
    await ada.do("messages.delete", room=room, message=one["id"])
    page = await bob.do("messages.read", room=room, as_of=before)
    assert [message["content"] for message in page["messages"]] == [{}] and page["messages"][0]["deleted"]
    found = await bob.do("rooms.get", room=room, as_of=before)
    assert found["message"]["content"] == {} and found["room"]["seq"] == 1
    edits = await bob.do("messages.edits", room=room, message=one["id"], as_of=before)
    assert edits["message"]["content"] == {} and edits["revisions"] == []
    history = await bob.do("rooms.history", room=room, as_of=before)
    assert "a secret" not in str(history)


async def test_only_who_was_inside_then_and_is_now(world: World, ada: Person, bob: Person, eve: Person) -> None:
    room = await ada.group(bob)
    await ada.say(room)
    before = place(world)
    await eve.do("members.add", room=room, user="me")
    both = place(world)
    await bob.do("members.remove", room=room, user="me")
    for name in ("rooms.get", "members.list", "messages.read", "rooms.history"):
        assert await eve.refused(name, room=room, as_of=before) == "not_found"
        assert await bob.refused(name, room=room, as_of=before) == "not_found", "who has left sees nothing"
        assert await eve.do(name, room=room, as_of=both)
    listed = await eve.do("members.list", room=room, as_of=both)
    assert [one["user"]["id"] for one in listed["members"]] == [ada.id, bob.id, eve.id], "also who has left since"
    assert room not in str(await eve.do("rooms.find", as_of=before))
    assert room in str(await eve.do("rooms.find", as_of=both))
    await ada.do("rooms.delete", room=room)
    assert await eve.refused("rooms.get", room=room, as_of=both) == "not_found", "nobody is shown a deleted room"


async def test_profiles_and_relationships(world: World, ada: Person, bob: Person) -> None:
    await ada.do("relationships.set", user=bob.id, type="friend")
    before = place(world)
    await ada.do("users.change", name="Countess", data={"city": "Ockham"})
    await ada.do("relationships.remove", user=bob.id)
    assert (await bob.do("users.get", user=ada.id, as_of=before))["user"]["name"] == "Ada Lovelace"
    assert (await ada.do("users.me", as_of=before))["user"]["data"].get("city") is None
    (found,) = (await bob.do("users.find", ids=ada.id, as_of=before))["users"]
    assert found["name"] == "Ada Lovelace"
    for person, direction in ((ada, "out"), (bob, "in")):
        (one,) = (await person.do("relationships.list", direction=direction, as_of=before))["relationships"]
        assert (one["user"], one["other"], one["type"]) == (ada.id, bob.id, "friend")
        assert not (await person.do("relationships.list", direction=direction))["relationships"]
    await ada.do("relationships.set", user=bob.id, type="block")
    assert await bob.refused("users.get", user=ada.id, as_of=before) == "not_found", "a block of now counts"
    blocked = place(world)
    await ada.do("relationships.remove", user=bob.id)
    assert await bob.refused("users.get", user=ada.id, as_of=blocked) == "not_found", "and one of then"
    assert await bob.do("users.get", user=ada.id, as_of=before)


async def test_visuals(world: World, ada: Person) -> None:
    visual = (await ada.do("visuals.create", model_data={"n": 1}))["visual"]["id"]
    before = place(world)
    await ada.do("visuals.change", visual=visual, model_data={"n": 2})
    assert (await ada.do("visuals.get", visual=visual, as_of=before))["visual"]["model_data"] == {"n": 1}
    assert [one["model_data"] for one in (await ada.do("visuals.list", as_of=before))["visuals"]] == [{"n": 1}]


async def test_as_of_a_time(world: World, ada: Person) -> None:
    room = await ada.group(name="First")
    made = (await ada.do("rooms.get", room=room))["room"]["created"]
    until(lambda: now() > after(made, 0.002))
    await ada.do("rooms.change", room=room, name="Second")
    assert (await ada.do("rooms.get", room=room, as_of=made))["room"]["name"] == "First"
    zoned = to_datetime(made).isoformat(timespec="milliseconds")
    assert (await ada.do("rooms.get", room=room, as_of=zoned))["room"]["name"] == "First"
    assert (await ada.do("rooms.get", room=room, as_of=now()))["room"]["name"] == "Second"
    assert await ada.refused("rooms.get", room=room, as_of=after(made, -1)) == "not_found"


BAD = {
    "no moment": "yesterday",
    "a time without a zone": "2026-11-21T08:15:30",
    "no date": "2026-02-30T08:15:30Z",
    "a time to come": "9999-01-01T00:00:00Z",
    "no position": "rooms/0",
    "beyond the end": "rooms/0/999999999999",
    "no shard of this installation": "rooms/99/1",
    "no topic of events": "feed/0/1",
    "much too long": "rooms/0/1," * 2000,
    "U+0000": "\x00",
    "empty": "",
}


@pytest.mark.parametrize("what", BAD)
async def test_what_is_no_moment_is_refused(ada: Person, what: str) -> None:
    assert await ada.refused("users.me", as_of=BAD[what]) == "invalid"


async def test_what_has_no_past_says_so(ada: Person) -> None:
    given: dict[str, dict[str, Any]] = {
        "messages.search": {"text": "x"}, "sync.get": {}, "sessions.list": {}, "presence.get": {"users": ada.id},
        "users.find": {"name": "ada"}, "rooms.find": {"scope": "public"},
    }  # fmt: skip
    for name, fields in given.items():
        assert await ada.refused(name, **fields, as_of="2026-01-01T00:00:00Z") == "invalid", name


async def test_only_reads_take_it(ada: Person) -> None:
    assert await ada.refused("users.change", name="Ada", as_of=now()) == "invalid"
    room = await ada.group()
    assert await ada.refused("rooms.archive", room=room, as_of=now()) == "invalid"


async def test_an_answer_of_the_past_can_be_kept_and_asked_about(world: World) -> None:
    ada = await world.person("ada")
    room = await ada.group(name=f"Room {secrets.token_hex(3)}")
    params = {"as_of": place(world)}
    answer = await world.request("GET", f"/v1/rooms/{room}", token=ada.token, params=params)
    assert answer.status == 200 and answer.headers["Cache-Control"] == "private, no-cache"
    await ada.do("rooms.change", room=room, name="Another")
    again = await world.request(
        "GET", f"/v1/rooms/{room}", token=ada.token, params=params,
        headers={"If-None-Match": answer.headers["ETag"], "Klatsch-Position": place(world)},
    )  # fmt: skip
    assert again.status == 304, (answer, again)
