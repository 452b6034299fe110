"""Messages: sending once, sequence numbers, content by type, reading, unread counts, emotions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.client import Person


async def seqs(person: Person, room: str, **place: Any) -> tuple[list[int], bool]:
    answer = await person.do("messages.read", room=room, **place)
    return [message["seq"] for message in answer["messages"]], answer["more"]


async def test_send_and_read(ada: Person, bob: Person) -> None:
    room = await ada.direct(bob)
    sent = (await ada.do("messages.send", room=room, token="t1", type="text", content={"text": "Grüße 👋"},
                         data={"mood": "fine"}))["message"]  # fmt: skip
    assert (sent["seq"], sent["author"], sent["token"], sent["room"]) == (1, ada.id, "t1", room)
    read = (await bob.do("messages.read", room=room))["messages"]
    assert read == [sent]
    assert (await bob.do("messages.get", room=room, message=sent["id"]))["message"] == sent
    assert await bob.refused("messages.get", room=room, message="nothing") == "not_found"


async def test_the_same_token_gives_the_first_message(ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    first = await ada.say(room, "once", token="same")
    again = await asyncio.gather(*(ada.say(room, "once", token="same") for _ in range(8)))
    assert all(message == first for message in again)
    # With another text it is another message, which needs a token of its own.
    assert await ada.refused("messages.send", room=room, token="same", content={"text": "other"}) == "key_reused"
    # Another's token of the same text is another message.
    assert (await bob.say(room, "mine", token="same"))["seq"] == 2
    assert await seqs(ada, room) == ([1, 2], False)


async def test_a_message_has_one_key_by_whichever_name(ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    content = {"text": "once"}
    first = await ada.do("messages.send", room=room, client_id="same", content=content)
    assert first["message"]["token"] == "same" and not ada.world.repeated
    for members, key in (
        ({"token": "same"}, None), ({"client_id": "same"}, None), ({}, "same"), ({"client_id": "same"}, "another"),
        ({"token": "same", "client_id": "same"}, None),
    ):  # fmt: skip
        assert await ada.do("messages.send", key=key, room=room, content=content, **members) == first, (members, key)
        assert ada.world.repeated, (members, key)
    other: dict[str, Any] = {"room": room, "content": {"text": "other"}}
    assert await ada.refused("messages.send", key="same", **other) == "key_reused"
    assert await ada.refused("messages.send", client_id="same", **other) == "key_reused"
    assert await ada.refused("messages.send", **other) == "invalid"
    assert await ada.refused("messages.send", token="a", client_id="b", **other) == "invalid"
    assert await seqs(ada, room) == ([1], False)


async def test_the_token_holds_after_the_author_has_left_the_room(ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    first = await bob.say(room, "bye", token="same")
    await bob.do("members.remove", room=room, user="me")
    assert await bob.say(room, "bye", token="same") == first
    assert await bob.refused("messages.send", room=room, token="other", content={"text": "x"}) == "not_found"


async def test_concurrent_messages_have_gapless_numbers(ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    sent = await asyncio.gather(*((ada, bob)[n % 2].say(room, str(n), token=f"n{n // 2}") for n in range(60)))
    assert sorted(message["seq"] for message in sent) == list(range(1, 61))
    read = (await ada.do("messages.read", room=room, after=0, limit=200))["messages"]
    assert [message["seq"] for message in read] == list(range(1, 61))
    assert {message["id"] for message in read} == {message["id"] for message in sent}


@pytest.mark.parametrize(
    ("type_", "content"),
    [
        ("text", {"text": "x"}), ("text", {"text": "x" * 2000}), ("action", {"text": "waves"}),
        ("image", {"url": "https://example.org/a.png", "alt": "a", "width": 1, "height": 100_000}),
        ("file", {"url": "http://example.org/a", "name": "a.txt", "size": 0}),
        ("custom", {}), ("custom", {"any": [1, 2.5, None, {"deep": True}], "ü": "x"}),
        ("custom", {"x": "y" * (16 * 1024 - 8)}), ("custom", {"big": 10**30, "small": -(2**63)}),
    ],
)  # fmt: skip
async def test_content_that_fits_its_type_comes_back_as_it_was(
    ada: Person, bob: Person, type_: str, content: dict[str, Any]
) -> None:
    room = await ada.direct(bob)
    sent = (await ada.do("messages.send", room=room, token="t", type=type_, content=content))["message"]
    assert (sent["type"], sent["content"]) == (type_, content)
    assert (await bob.do("messages.read", room=room))["messages"] == [sent]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"content": {"text": ""}}, "invalid"), ({"content": {"text": "x" * 2001}}, "invalid"),
        ({"content": {"text": "x", "more": 1}}, "invalid"), ({"content": {}}, "invalid"), ({"content": "x"}, "invalid"),
        ({"content": {"text": 1}}, "invalid"), ({"content": {"text": "\x00"}}, "invalid"), ({}, "invalid"),
        ({"type": "image", "content": {"url": "javascript:alert(1)"}}, "invalid"),
        ({"type": "image", "content": {"url": "https://x\n"}}, "invalid"),
        ({"type": "image", "content": {"url": "https://x", "width": 0}}, "invalid"),
        ({"type": "file", "content": {"url": "https://x"}}, "invalid"),
        ({"type": "file", "content": {"url": "https://x", "name": "a", "size": -1}}, "invalid"),
        ({"type": "video", "content": {}}, "invalid"),
        ({"type": "custom", "content": {"x": "y" * 16 * 1024}}, "too_large"),
        ({"type": "custom", "content": {"\x00": 1}}, "invalid"),
        ({"content": {"text": "x"}, "data": {"emotion": "joy"}}, "invalid"),
        ({"content": {"text": "x"}, "data": [1]}, "invalid"), ({"content": {"text": "x"}, "data": None}, "invalid"),
        ({"content": {"text": "x"}, "data": {"a": "y" * 8 * 1024}}, "too_large"),
        ({"content": {"text": "x"}, "data": {"a": "\x00"}}, "invalid"), ({"content": {"text": " \n"}}, "invalid"),
        ({"content": {"text": "x"}, "token": ""}, "invalid"), ({"content": {"text": "x"}, "token": "a b"}, "invalid"),
        ({"content": {"text": "x"}, "token": "x" * 129}, "invalid"),
        ({"content": {"text": "x"}, "token": "t\n"}, "invalid"),
        ({"content": {"text": "x"}, "token": None}, "invalid"), ({"content": {"text": "x"}, "seq": 7}, "invalid"),
    ],
)  # fmt: skip
async def test_content_that_does_not_fit_is_refused_and_nothing_is_sent(
    ada: Person, bob: Person, fields: dict[str, Any], code: str
) -> None:
    room = await ada.direct(bob)
    assert await ada.refused("messages.send", room=room, **{"token": "t", **fields}) == code
    assert await seqs(ada, room) == ([], False)
    # A refusal is not remembered under the token.
    assert (await ada.say(room, "fine", token="t"))["seq"] == 1


async def test_pages_before_and_after_a_message(ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    for n in range(7):
        await ada.say(room, str(n))
    assert await seqs(bob, room, limit=3) == ([5, 6, 7], True)
    assert await seqs(bob, room, limit=3, before=5) == ([2, 3, 4], True)
    assert await seqs(bob, room, limit=3, before=2) == ([1], False)
    assert await seqs(bob, room, limit=3, before=1) == ([], False)
    assert await seqs(bob, room, limit=3, after=0) == ([1, 2, 3], True)
    assert await seqs(bob, room, limit=4, after=3) == ([4, 5, 6, 7], False)
    assert await seqs(bob, room, after=7) == ([], False)
    for wrong in ({"before": 1, "after": 1}, {"limit": 0}, {"limit": 201}, {"before": -1}, {"after": "x"},
                  {"before": 2**60}):  # fmt: skip
        assert await bob.refused("messages.read", room=room, **wrong) == "invalid", wrong


async def test_unread_counts(ada: Person, bob: Person) -> None:
    room = await ada.group(bob)
    for _ in range(3):
        await ada.say(room)

    async def unread() -> int:
        return int((await bob.do("rooms.get", room=room))["unread"])

    assert await unread() == 3
    assert (await bob.do("members.read", room=room, seq=2))["unread"] == 1 and await unread() == 1
    assert (await bob.do("members.read", room=room, seq=2))["unread"] == 1
    assert (await bob.do("members.read", room=room, seq=1))["unread"] == 2, "marked as unread again"
    assert await bob.refused("members.read", room=room, seq=4) == "invalid"
    assert await bob.refused("members.read", room=room, seq=-1) == "invalid"
    await bob.say(room)
    assert await unread() == 0, "who answers has read"
    assert (await ada.do("rooms.get", room=room))["unread"] == 1


async def test_who_joins_later_has_nothing_unread_but_may_read_back(ada: Person, bob: Person) -> None:
    room = await ada.group()
    await ada.say(room)
    await bob.do("members.add", room=room, user="me")
    # The second is the notice that he joined.
    assert (await bob.do("rooms.get", room=room))["unread"] == 0 and await seqs(bob, room) == ([1, 2], False)


async def test_an_emotion_is_set_by_a_service_and_shown_if_the_authors_visual_can(
    ada: Person, bob: Person, service: Person
) -> None:
    room = await ada.direct(bob)
    message = (await ada.say(room, "I am so happy"))["id"]
    place = {"room": room, "message": message}
    assert await bob.refused("messages.set_emotion", **place, emotion="joy") == "forbidden"
    hidden = await service.do("messages.set_emotion", **place, emotion="joy")
    assert hidden == {"message": message, "shown": False}, "she has no visual"
    await ada.do("visuals.choose", model_data={}, emotion_data={"joy": True, "anger": False, "fear": {"eyes": "wide"}})
    shown = {"joy": "joy", "anger": None, "fear": "fear", "trust": None}
    for emotion, expected in shown.items():
        answer = await service.do("messages.set_emotion", **place, emotion=emotion)
        assert answer == {"message": message, "shown": expected is not None}
        assert (await bob.do("messages.get", **place))["message"]["data"].get("emotion") == expected
    # What cannot be shown is in nobody's history either.
    changes = (await bob.do("rooms.history", room=room))["changes"]
    seen = [one["data"]["emotion"] for one in changes if one["type"] == "message.emotion_detected"]
    assert seen == [None, "fear", None, "joy", None]
    # Nor is that of a message that was deleted.
    await ada.do("messages.delete", **place)
    changes = (await bob.do("rooms.history", room=room))["changes"]
    found = [one["data"] for one in changes if one["type"] == "message.emotion_detected"]
    assert [(one["emotion"], one["shown"]) for one in found] == [(None, False)] * 5


@pytest.mark.parametrize("emotion", ["", "Joy", "joy\n", "x" * 33, "a b", 1, None])
async def test_what_is_no_emotion(ada: Person, service: Person, emotion: object) -> None:
    room = await ada.group()
    place = {"room": room, "message": (await ada.say(room))["id"]}
    assert await service.refused("messages.set_emotion", **place, emotion=emotion) == "invalid"


async def test_emotions_of_messages_that_are_not_there(ada: Person, service: Person) -> None:
    room, other = await ada.group(), await ada.group()
    message = (await ada.say(room))["id"]
    assert await service.refused("messages.set_emotion", room=other, message=message, emotion="joy") == "not_found"
    assert await service.refused("messages.set_emotion", room=room, message="nothing", emotion="joy") == "not_found"


async def test_emotions_of_some_messages_are_set_each_by_itself(ada: Person, bob: Person, service: Person) -> None:
    await ada.do("visuals.choose", model_data={}, emotion_data={"joy": True})
    room, other = await ada.direct(bob), await ada.group()
    hers, his = (await ada.say(room, "What joy"))["id"], (await bob.say(room, "What joy"))["id"]
    wanted = [
        {"room": room, "message": hers, "emotion": "joy", "key": "1"},
        {"room": other, "message": hers, "emotion": "joy", "key": "2"},
        {"room": room, "message": his, "emotion": "joy", "key": "3"},
    ]
    answers = [await service.do("messages.set_emotions", emotions=wanted) for _ in range(2)]
    assert answers[0] == answers[1]
    assert [one["message"] for one in answers[0]["results"]] == [hers, hers, his]
    assert [(one["result"], one.get("shown"), one.get("code")) for one in answers[0]["results"]] == [
        ("set", True, None), ("refused", None, "not_found"), ("set", False, None),
    ]  # fmt: skip
    changes = (await bob.do("rooms.history", room=room))["changes"]
    assert [one["data"]["emotion"] for one in changes if one["type"] == "message.emotion_detected"] == [None, "joy"]


@pytest.mark.parametrize("change", [{"emotion": "Joy"}, {"key": ""}, {"room": 1}, {"more": 1}])
async def test_emotions_with_a_mistake_in_one_change_nothing(
    ada: Person, service: Person, change: dict[str, object]
) -> None:
    room = await ada.group()
    good = {"room": room, "message": (await ada.say(room))["id"], "emotion": "joy", "key": "1"}
    assert await service.refused("messages.set_emotions", emotions=[good, {**good, **change}]) == "invalid"
    assert await service.refused("messages.set_emotions", emotions=[good] * 101) == "invalid"
    changes = (await ada.do("rooms.history", room=room))["changes"]
    assert "message.emotion_detected" not in {one["type"] for one in changes}
