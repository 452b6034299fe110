"""Names and texts over the surface: what shows nothing is refused with nothing left behind, and some names are kept."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import uuid4

import pytest

from events.clock import now
from events.handles import username_handle
from tests.client import Person, Refusal, World

#: One of each kind; tests/producers/test_names.py has them all.
INVISIBLE = ["\u2800", "\u200b", "\u3164", "\u202e", "\ufeff", "\u00ad", "\u0301", "   ", "\u2028"]
HIDING = ["a\u202eb", "ad\u200bmin", "a\u2066b", "e" + "\u0301" * 99]


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
