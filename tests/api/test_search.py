"""Search in messages: in whose rooms, in any script, the newest first, with places."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from tests.client import Person


async def found(person: Person, text: str, **fields: Any) -> list[str]:
    answer = await person.do("messages.search", text=text, **fields)
    return [one["message"]["content"]["text"] for one in answer["found"]]


async def quiet(owner: Person, *others: Person) -> str:
    return await owner.group(*others, settings={"announcements": False})


@pytest.mark.parametrize(
    ("search", "text"),
    [
        ("cafe", "Das Café"), ("strasse", "Die Straße"), ("ПРИВЕТ", "Ну, привет"), ("οδος", "Η ΟΔΌΣ"),
        ("مرحبا", "مَرْحَبًا"), ("שלום", "שָׁלוֹם לך"), ("天気", "明日の天気は"), ("東", "関東"), ("カメラ", "ｶﾒﾗ"),
        ("すし", "おすしだ"), ("학교", "서울의 학교에서"), ("แม่", "คนไทยรักแม่มาก"),
        ("👍", "gut 👍🏽!"), ("iphone 手機", "新iPhone手機壞了"), ('"big world"', "a BIG world"),
        ("it's 100% o'clock \\ & | ! :*", "100 o clock | it s"), ("Zürich straßenb", "Straßenbahn in ZURICH"),
    ],
)  # fmt: skip
async def test_any_script_is_found_with_its_places(ada: Person, bob: Person, search: str, text: str) -> None:
    room = await quiet(ada, bob)
    await ada.say(room, "something else 別の話 другое")
    message = await ada.say(room, text)
    answer = await bob.do("messages.search", text=search, room=room)
    assert [one["message"] for one in answer["found"]] == [message] and answer["next"] is None
    places = answer["found"][0]["highlights"]
    assert places and all(0 <= start < end <= len(text) for start, end in places)
    assert [user["id"] for user in answer["users"]] == [ada.id]


async def test_only_rooms_one_is_in_and_what_is_still_there(ada: Person, bob: Person, eve: Person) -> None:
    word = secrets.token_hex(8)
    shared, own, direct = await quiet(ada, bob), await quiet(ada), await ada.direct(bob)
    for room, text in ((shared, "shared"), (own, "own"), (direct, "direct")):
        await ada.say(room, f"{word} {text}")
    assert await found(ada, word) == [f"{word} direct", f"{word} own", f"{word} shared"]
    assert await found(bob, word) == [f"{word} direct", f"{word} shared"] and await found(eve, word) == []
    assert await found(bob, word, room=shared) == [f"{word} shared"]
    assert await eve.refused("messages.search", text=word, room=shared) == "not_found"
    await bob.do("members.remove", room=shared, user="me")
    assert await found(bob, word) == [f"{word} direct"]
    await ada.do("rooms.delete", room=own)
    assert await found(ada, word) == [f"{word} direct", f"{word} shared"]


async def test_edited_and_deleted_messages(ada: Person, bob: Person) -> None:
    old, new = secrets.token_hex(8), secrets.token_hex(8)
    room = await quiet(ada, bob)
    message = await ada.say(room, old)
    place = {"room": room, "message": message["id"]}
    await ada.do("messages.edit", **place, content={"text": new})
    assert await found(bob, old) == [] and await found(bob, new) == [new]
    await ada.do("messages.delete", **place)
    assert await found(bob, new) == []


async def test_names_of_files_and_descriptions_of_images(ada: Person) -> None:
    word, room = secrets.token_hex(8), await quiet(ada)
    image = {"url": f"https://x.org/{word}", "alt": f"a red {word}"}
    await ada.do("messages.send", room=room, token="i", type="image", content=image)
    await ada.do(
        "messages.send", room=room, token="f", type="file", content={"url": "https://x.org/", "name": f"{word}.pdf"}
    )
    await ada.do("messages.send", room=room, token="c", type="custom", content={"text": word, "": word})
    answer = await ada.do("messages.search", text=word)
    assert [one["message"]["type"] for one in answer["found"]] == ["file", "image"]
    assert [one["highlights"] for one in answer["found"]] == [[[0, 16]], [[6, 22]]]


async def test_pages_and_filters(ada: Person, bob: Person) -> None:
    word, room = secrets.token_hex(8), await quiet(ada, bob)
    sent = [await (ada, bob)[n % 2].say(room, f"{word} {n}") for n in range(7)]
    texts = [message["content"]["text"] for message in reversed(sent)]
    page = await bob.do("messages.search", text=word, limit=3)
    pages = [page]
    while page["next"] is not None:
        page = await bob.do("messages.search", text=word, limit=3, cursor=page["next"])
        pages.append(page)
    assert [[one["message"]["content"]["text"] for one in page["found"]] for page in pages] == [
        texts[:3], texts[3:6], texts[6:],
    ]  # fmt: skip
    assert await found(bob, word, author="me") == texts[1::2] and await found(bob, word, type="image") == []
    assert (await found(bob, word, since=sent[3]["created"]))[:4] == texts[:4]
    assert await found(bob, word, until=sent[0]["created"]) == []
    for wrong in (
        {"text": ""}, {"text": "..."}, {"text": word, "cursor": "x"}, {"text": word, "limit": 0}, {"text": "x" * 201},
        {"text": word, "since": "2026-13-01T00:00:00.000Z"},
    ):  # fmt: skip
        assert await bob.refused("messages.search", **wrong) == "invalid", wrong
