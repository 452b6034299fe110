"""Every operation that names a person or a room, by everybody to whom that one is not there: the answer is that about
an unknown id, in the same words. Tests ``api/blocks.py`` and ``api/registry.py``."""

from __future__ import annotations

import re
import secrets
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from events.core.clock import uuid7
from events.core.positions import encode_vector
from tests.client import OPERATIONS, Person, Refusal, World

Fields = dict[str, Any]

ROOM = {"room": "ROOM"}
MESSAGE = {"room": "ROOM", "message": "MESSAGE"}
TEXT = {"content": {"text": "x"}}
#: What each operation names. USER is the owner of ROOM, VISUAL theirs; OWN is a room of the caller's own.
NAMED: dict[str, list[Fields]] = {
    "users.find": [{"ids": "USER"}],
    "users.get": [{"user": "USER"}],
    "relationships.set": [{"user": "USER", "type": None}, {"user": "USER", "type": "friend"},
                          {"user": "USER", "type": "block"}],
    "relationships.remove": [{"user": "USER"}],
    "visuals.get": [{"visual": "VISUAL"}],
    "visuals.change": [{"visual": "VISUAL", "model_data": {}}],
    "visuals.choose": [{"visual_id": "VISUAL"}],
    "rooms.create": [{"type": "direct", "members": ["USER"]},
                     *({"type": type, "name": "G", "members": ["USER"]} for type in ("public", "private"))],
    "rooms.get": [ROOM],
    "rooms.change": [ROOM | {"name": "x"}, ROOM | {"data": {"note": "x"}}],
    "rooms.archive": [ROOM],
    "rooms.unarchive": [ROOM],
    "rooms.delete": [ROOM],
    "rooms.history": [ROOM],
    "members.list": [ROOM],
    "members.add": [{"room": "OWN", "user": "USER"}, ROOM | {"user": "USER"}, ROOM | {"user": "me"}],
    "members.remove": [ROOM | {"user": "USER"}, ROOM | {"user": "me"}],
    "members.set_role": [ROOM | {"user": "USER", "role": "admin"}],
    "members.change": [ROOM | {"user": user, "custom": {"note": "x"}} for user in ("USER", "me")],
    "members.set_notifications": [ROOM | {"notifications": False}],
    "members.read": [ROOM | {"seq": 0}],
    "invitations.decline": [ROOM],
    "messages.send": [ROOM | TEXT | {"token": "NEW"}],
    "messages.read": [ROOM],
    "messages.search": [ROOM | {"text": "hello"}],
    "messages.get": [MESSAGE],
    "messages.edit": [MESSAGE | TEXT, MESSAGE | TEXT | {"data": {"a": 1}}],
    "messages.delete": [MESSAGE],
    "messages.edits": [MESSAGE],
    "messages.pin": [MESSAGE],
    "messages.unpin": [MESSAGE],
    "rooms.pins": [ROOM],
    "presence.get": [{"users": "USER"}],
    "presence.room": [ROOM],
    "presence.set": [ROOM],
    "signals.type": [ROOM | {"typing": True}],
}  # fmt: skip

#: Operations that name neither, or are not for persons.
OTHERS = {
    "apps.about", "users.register", "users.me", "users.change", "sessions.open", "sessions.list", "sessions.renew",
    "sessions.close", "relationships.list", "visuals.create", "visuals.list", "rooms.find", "sync.get", "changes.pull",
    "users.change_password", "invitations.list",
    # A channel is nobody's, and for all; who is in it is tests/api/test_channels.py's.
    "channels.create", "channels.list", "channels.get", "channels.delete", "channels.listen",
    "channels.watch",
} | {name for name, row in OPERATIONS.items() if row.permission not in ("anyone", "user", "account")}  # fmt: skip

#: What each problem says of itself, also within an answer.
_OWN_ID = re.compile(r", 'request_id': '\w+'")

#: The caller's relation to the room's owner and to the room.
RELATIONS = ("stranger", "blocked", "blocker", "former", "former and blocked", "inside and blocked")
KINDS = ("direct", "private", "public")
#: Reads of a room that stay with who is in it.
_READS = {
    "rooms.get", "rooms.history", "members.list", "members.read", "members.set_notifications", "messages.read",
    "messages.search", "messages.get", "messages.edits", "presence.room", "presence.set", "signals.type",
    "rooms.pins",
}  # fmt: skip


class Scene(NamedTuple):
    """The caller, and the ids for the words: those that are there, and those of nobody."""

    caller: Person
    there: dict[str, str]
    unknown: dict[str, str]


async def scene(world: World, via: Any, relation: str, kind: str) -> Scene:
    owner, caller, third = [
        await world.person(name, via=via, password="correct horse") for name in ("owner", "caller", "third")
    ]
    inside = relation.startswith(("former", "inside"))
    if kind == "direct":
        room = await owner.direct(caller if inside else third)
    else:
        room = await owner.group(third, *([caller] if inside else []), type=kind)
    # Who was or is in the room names a message of their own.
    message = await (caller if inside else owner).say(room)
    visual = (await owner.do("visuals.choose", model_data={}))["user"]["visual"]
    own = await caller.group()
    if relation.startswith("former"):
        await caller.do("members.remove", room=room, user="me")
    if relation.endswith("blocked"):
        await owner.do("relationships.set", user=caller.id, type="block")
    if relation == "blocker":
        await caller.do("relationships.set", user=owner.id, type="block")
    there = {"USER": owner.id, "ROOM": room, "MESSAGE": message["id"], "VISUAL": visual, "OWN": own}
    unknown = {"USER": str(uuid4()), "ROOM": uuid7(), "MESSAGE": uuid7(), "VISUAL": uuid7(), "OWN": own}
    return Scene(caller, there, unknown)


def differs(relation: str, kind: str, name: str, fields: Fields) -> set[int]:
    """The statuses of what is there for the caller; none: it is answered as an unknown id is."""
    person = "ROOM" not in fields.values()
    blocked = relation.endswith("blocked")
    if name in ("visuals.get", "visuals.choose"):
        # As it was before the block, where they have one; to who blocks it is not there.
        return set() if relation == "blocker" else {200}
    if name in ("visuals.change", "invitations.decline"):
        return set()
    if person and relation in ("stranger", "former"):
        return {200, 201}
    if person and relation == "blocker":
        # Whom one blocks one sees, without a word of theirs; they are neither met nor received.
        return set() if name == "presence.get" else {403} if name in ("rooms.create", "members.add") else {200}
    if person and relation == "inside and blocked":
        # They are in a room together: seen as before, and may be blocked, too.
        seen = name in ("users.find", "users.get") or (name == "relationships.set" and fields["type"] == "block")
        return {200} if seen else set()
    if relation == "inside and blocked" and name == "members.add" and fields["user"] == "USER":
        # All goes on in a group that both are in, but nobody is let in whom there is not.
        return set()
    if relation == "inside and blocked" and kind == "direct":
        return {403, 200, 204} if name in _READS | {"members.remove", "messages.delete"} or _never(name) else set()
    if relation == "inside and blocked":
        return {200, 201, 204, 403}
    if name == "members.remove" and fields["user"] == "me" and relation.startswith("former"):
        return {204}
    if name == "members.add" and kind == "public" and not blocked and relation != "blocker":
        return {200} if fields["user"] == "me" else set()
    if name == "members.add" and fields["user"] == "USER" and relation == "blocker":
        return {403}
    return set()


def _never(name: str) -> bool:
    """What nobody does in a direct room, whoever blocks whom."""
    return name in ("rooms.archive", "rooms.unarchive", "rooms.delete", "members.add", "members.set_role")


async def answer(
    caller: Person, name: str, fields: Fields, words: dict[str, str], key: str | None = None
) -> tuple[int, Any]:
    """Status, and what is said, the ids replaced by their words."""

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(item) for name, item in value.items()}
        if isinstance(value, list):
            return [filled(item) for item in value]
        return secrets.token_hex(8) if value == "NEW" else words.get(value, value) if isinstance(value, str) else value

    try:
        said = await caller.do(name, key=key, **{field: filled(value) for field, value in fields.items()})
        status = OPERATIONS[name].status
    except Refusal as refusal:
        status, said = refusal.status, refusal.said
    text = repr(said)
    for word, id in words.items():
        text = text.replace(id, word)
    return status, _OWN_ID.sub("", text)


def cases(relation: str, kind: str, place: str) -> list[tuple[str, Fields]]:
    """What is asked, also as of ``place``; what may succeed last, and what makes an end of it very last."""
    found = [(name, fields) for name, listed in NAMED.items() for fields in listed]
    past = [(name, {**fields, "as_of": place}) for name, fields in found if OPERATIONS[name].has_past]
    last = ("messages.delete", "members.add", "relationships.set", "relationships.remove", "members.remove")
    return sorted(
        found + past,
        key=lambda case: (
            (last.index(case[0]) + 1 if case[0] in last else 0) if differs(relation, kind, *case) else -1,
            case[1].get("type") == "block",
        ),
    )


def test_the_walk_names_every_operation() -> None:
    assert not NAMED.keys() & OTHERS and NAMED.keys() | OTHERS == OPERATIONS.keys()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("relation", RELATIONS)
async def test_what_is_not_there_is_answered_alike(world: World, via: Any, relation: str, kind: str) -> None:
    caller, there, unknown = await scene(world, via, relation, kind)
    user = {"USER": there["USER"]}
    wrong: list[Any] = []
    for name, fields in cases(relation, kind, encode_vector(world.position)):
        expected = differs(relation, kind, name, fields)
        found = await answer(caller, name, fields, there)
        if expected:
            if found[0] not in expected and not (name == "presence.set" and via == "http" and found[0] == 405):
                wrong.append((name, fields, found, expected))
            continue
        # A person who is there for the caller is so in a room that is not.
        names = unknown if relation.endswith("blocked") or "ROOM" not in fields.values() else unknown | user
        if found != (twin := await answer(caller, name, fields, names)):
            wrong.append((name, fields, found, twin))
    assert not wrong, "\n".join(map(str, wrong))
