"""Names and texts over the operations: what shows nothing is refused with nothing left behind, and some names are kept.
Tests ``producers/names.py`` and ``events/core/visible_text.py``."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import uuid4

import pytest

from events.core.clock import now
from events.handles import username_handle
from tests.client import Person, Refusal, World

#: One of each kind; tests/producers/test_names.py has them all.
INVISIBLE = ["\u2800", "\u200b", "\u3164", "\u202e", "\ufeff", "\u00ad", "\u0301", "   ", "\u2028"]
HIDING = ["a\u202eb", "ad\u200bmin", "ad\ufffcmin", "a\U0001d159", "a\u2066b", "e" + "\u0301" * 99]


def _some(name: str = "who") -> str:
    return f"{name}-{secrets.token_hex(4)}"


async def test_nobody_is_called_by_what_shows_nothing(world: World, ada: Person, operator: str) -> None:
    for name in INVISIBLE + HIDING:
        username = _some()
        with pytest.raises(Refusal, match="expected one line that people see") as refusal:
            await ada.do("users.register", username=username, name=name)
        assert (refusal.value.code, refusal.value.status) == ("invalid", 422)
        # The username was not claimed for somebody who never came to be.
        await ada.do(
            "users.register", username=username, name="\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 ❤\ufe0f"
        )
        with pytest.raises(Refusal, match="invalid"):
            await ada.do("users.change", name=name)
        with pytest.raises(Refusal, match="invalid"):
            await world.call("services.register", {"username": _some(), "name": name}, token=operator)
        with pytest.raises(Refusal, match="invalid"):
            await ada.do("rooms.create", type="public", name=name)


#: Names of rooms that are text: signs, brackets, emoji, two directions, what looks like markup, a path or an option.
ROOM_NAMES = [
    "Tea, scones (and more): now!", "🍵", "👨\u200d👩\u200d👧 family", "#general", "c++/c#", "--json", "<b>&amp;</b>",
    "../etc", "50% _off_", "'; drop table rooms; --", "שלום (tea)!", "?a=b&c=d",
]  # fmt: skip


async def test_a_rooms_name_is_text_and_is_found(ada: Person) -> None:
    mark = secrets.token_hex(4)
    for name in ROOM_NAMES:
        made = (await ada.do("rooms.create", type="public", name=f"{name} {mark}"))["room"]
        assert made["name"] == f"{name} {mark}" and made["id"].isascii(), "the address is made without the name"
        assert (await ada.do("rooms.get", room=made["id"]))["room"]["name"] == f"{name} {mark}"
        for text in (name, f"{name} {mark}"):
            found: list[Any] = (await ada.do("rooms.find", name=text))["rooms"]
            assert f"{name} {mark}" in [one["room"]["name"] for one in found], text
        past = await ada.do("rooms.get", room=made["id"], as_of=now())
        assert past["room"]["name"] == f"{name} {mark}"
        renamed = (await ada.do("rooms.change", room=made["id"], name=name))["room"]
        assert renamed["name"] == name
    # Equal names are of different rooms; only ids are unique.
    ids = {(await ada.do("rooms.create", type="public", name="🍵"))["room"]["id"] for _ in range(2)}
    assert len(ids) == 2


async def test_a_rooms_name_is_found_however_it_was_composed(ada: Person) -> None:
    mark = secrets.token_hex(4)
    made = (await ada.do("rooms.create", type="public", name=f"Cafe\u0301 {mark}"))["room"]
    assert made["name"] == f"Café {mark}"
    for text in (f"Café {mark}", f"Cafe\u0301 {mark}", f"cafe {mark}"):
        (found,) = (await ada.do("rooms.find", name=text))["rooms"]
        assert found["room"]["id"] == made["id"]


async def test_the_bound_of_a_rooms_name_holds_for_it_composed(ada: Person) -> None:
    mark = secrets.token_hex(4)
    # The longest there is: a letter and three marks each, which are one character.
    for letter, kept in (("e\u0301", "\u00e9"), ("\u03b1\u0313\u0300\u0345", "\u1f82")):
        made = (await ada.do("rooms.create", type="public", name=mark + letter * 92))["room"]
        assert made["name"] == mark + kept * 92
        (found,) = (await ada.do("rooms.find", name=mark + letter * 92))["rooms"]
        assert found["room"]["id"] == made["id"]
        renamed = (await ada.do("rooms.change", room=made["id"], name=letter * 100))["room"]
        assert renamed["name"] == kept * 100
        for operation, fields in (
            ("rooms.create", {"type": "public"}), ("rooms.change", {"room": made["id"]}), ("rooms.find", {}),
        ):  # fmt: skip
            with pytest.raises(Refusal) as refusal:
                await ada.do(operation, name=letter * 101, **fields)
            (error,) = refusal.value.problem["errors"]
            got = f"a string of {101 if len(letter) == 2 else 404} characters"
            assert (refusal.value.code, error["actual"]) == ("invalid", got), operation
            assert error["expected"] == "a string of 1 to 100 characters, composed (NFC)"
            assert "name" in (error.get("pointer", "")[1:], error.get("parameter"))


async def test_no_message_shows_nothing(ada: Person) -> None:
    room = (await ada.do("rooms.create", type="public", name="Tea"))["room"]["id"]
    said = (await ada.do("messages.send", room=room, token="1", content={"text": "\u2067\u05d0\u2069 and a\ufeffb"}))[
        "message"
    ]
    assert said["seq"] == 1, "direction and other hidden characters are part of texts"
    for text in [
        "\u2800",
        "\u200b",
        "\u3164",
        "\u202e",
        "\ufeff",
        "\u00ad",
        "\ufe0f",
        "\u0301",
        "\u0007",
        "\u00a0",
        " \u200d",
    ]:
        for type_ in ("text", "action"):
            with pytest.raises(Refusal, match="shows something"):
                await ada.do("messages.send", room=room, token=_some(), type=type_, content={"text": text})
        with pytest.raises(Refusal, match="shows something"):
            await ada.do("messages.edit", room=room, message=said["id"], content={"text": text})
        with pytest.raises(Refusal, match="invalid"):
            await ada.do("rooms.change", room=room, description=text)
    for name in ("invoice.\u202egpj.exe", "a\u200b", "\u200f"):
        content = {"url": "https://example.org/a", "name": name}
        with pytest.raises(Refusal, match=r"content\.name"):
            await ada.do("messages.send", room=room, token=_some(), type="file", content=content)


async def test_usernames_that_are_nobodys_to_take(world: World, ada: Person, operator: str) -> None:
    for username in ("system", "Operator", "everyone", "here", "ADMIN", "---"):
        with pytest.raises(Refusal, match=r"expected (one that is not reserved|a letter)") as refusal:
            await ada.do("users.register", username=username)
        assert refusal.value.status == 422
        with pytest.raises(Refusal, match="invalid"):
            await world.call("services.register", {"username": username}, token=operator)
    for username in ("emotions", f"irc-{_some()}", f"IRC-{_some()}"):
        with pytest.raises(Refusal, match="reserved"):
            await ada.do("users.register", username=username)
    own = f"irc-{_some()}"
    made = await world.call("services.register", {"username": own}, token=operator)
    assert made["user"]["username"] == own


async def test_what_an_import_calls_its_own_is_not_taken_before(world: World, ada: Person, operator: str) -> None:
    """Else every later import of a channel would end with "is taken"."""
    own, user = f"irc-{_some('tea')}", str(uuid4())
    with pytest.raises(Refusal, match="imports do"):
        await ada.do("rooms.create", type="public", name="Tea", id=own)

    def order(command: str, **fields: Any) -> dict[str, Any]:
        return {"command": command, "fields": fields, "actor": user, "time": now(), "key": "irc"}

    orders = [
        order("ClaimHandle", handle=username_handle(own), user=user),
        order("RegisterUser", user=user, username=own, name="#tea (IRC)", role="service"),
        order("CreateRoom", room=own, type="public", name="#tea", data={}, members=[user]),
        order("ClaimHandle", handle="username:system", user=user),
    ]
    results = (await world.call("import.orders", {"orders": orders}, token=operator))["results"]
    assert [one["result"] for one in results] == ["done", "done", "done", "refused"]
    assert results[3]["code"] == "invalid"


async def test_an_import_counts_what_shows_nothing(world: World, ada: Person, operator: str) -> None:
    """One line of old does not keep the others out."""
    room = (await ada.do("rooms.create", type="public", name="Tea"))["room"]["id"]
    orders = [
        {"command": "PostMessage", "fields": {"room": room, "token": key, "content": {"text": text}}, "actor": ada.id,
         "time": now(), "key": key}
        for key, text in (("a", "x"), ("b", "\u200b"), ("c", "y"))
    ]  # fmt: skip
    results = (await world.call("import.orders", {"orders": orders}, token=operator))["results"]
    assert [one["result"] for one in results] == ["done", "refused", "done"]
