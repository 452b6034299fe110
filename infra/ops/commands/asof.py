"""``klatsch as-of``: a room, a user, a message or an application as it was.

Operators see everything, also what was deleted since.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from events.apps import App, app_key
from events.core.records import Entity
from events.members import Member
from events.messages import Message, message_key
from events.rooms import Room, room_key
from events.users import User, user_key
from infra.base import rows
from infra.base.postgres import Connection, connected
from infra.base.settings import Settings
from infra.ops.commands import moments
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.event_format import clean, short
from infra.ops.commands.names import Names
from infra.ops.commands.people import app_id, room_id, user_id
from projectors.as_of import folding
from projectors.as_of.folding import Past
from projectors.as_of.moments import Moment
from projectors.views import app_view

Say = Callable[[str], None]

#: Messages of a room that are shown, the latest.
MESSAGES = 20


async def run(settings: Settings, text: str, kind: str, id: str, *, json: bool, say: Say) -> None:
    """Says what it was. Raises CannotDo."""
    ends = await moments.level(settings)
    moment = moments.parse(text, "MOMENT", ends)
    async with connected(settings) as connection, Names(settings) as names:
        stream, wanted = await _wanted(connection, kind, id)
        shard = await moments.place(connection, stream, kind)
        cut = await moment.cut(connection, stream)
        state = await folding.state_as_of(connection, shard, stream, cut - 1)
        found = await _chosen(connection, state, kind, wanted, stream, moment)
        later = await moments.learned(settings, connection, stream, shard, moment, cut)
        if json:
            plain: dict[str, Any] = {name: [_plain(one) for one in group] for name, group in found.items()}
            say(msgspec.json.encode(plain | ({"appended_later": later} if later.events else {})).decode())
            return
        await names.learn(_people(state))
        for line in _lines(found, names):
            say(clean(line))
        if later.events:
            say(f"\n{later}")


async def _wanted(connection: Connection, kind: str, id: str) -> tuple[str, str]:
    """The stream, and the id of what is asked for."""
    if kind == "user":
        id = await user_id(connection, id) or id
        return id, id
    if kind == "message":
        message = (await rows.load(connection, [message_key(id)]))[message_key(id)]
        if not isinstance(message, Message):
            raise CannotDo(f"expected the id of a message, got {id!r}, which is unknown, or whose month is archived")
        return message.room, id
    if kind == "room":
        id = await room_id(connection, id, "ID") or id
    if kind == "app":
        id = await app_id(connection, id) or id
    return id, id


async def _chosen(
    connection: Connection, state: Past, kind: str, id: str, stream: str, moment: Moment
) -> dict[str, list[Entity]]:
    keys = {"room": room_key, "user": user_key, "message": message_key, "app": app_key}
    entity = state.get(keys[kind](id))
    if entity is None:
        if kind == "message" and state:
            raise CannotDo(f"expected a message that existed as of {moment}, got {id!r}, which came later")
        raise await moments.began(connection, stream, moment)
    found: dict[str, list[Entity]] = {kind: [entity]}
    if kind == "room":
        members = [one for one in state.values() if isinstance(one, Member) and one.state == "joined"]
        messages = sorted((one for one in state.values() if isinstance(one, Message)), key=lambda one: one.seq)
        found["members"] = [*sorted(members, key=lambda one: one.since)]
        found["messages"] = [*messages[-MESSAGES:]]
    if kind == "user":
        found["relationships"] = [one for key, one in state.items() if key[0] == "relationship"]
        found["visuals"] = [one for key, one in state.items() if key[0] == "visual"]
    return found


def _plain(entity: Entity) -> dict[str, Any]:
    """Without what names a password's hash, or the secret of an application."""
    if isinstance(entity, App):
        return app_view(entity)
    fields: dict[str, Any] = msgspec.to_builtins(entity)
    fields.pop("credential", None)
    return fields


def _people(state: Past) -> set[str]:
    found = {one.user for one in state.values() if isinstance(one, Member)}
    return found | {one.author for one in state.values() if isinstance(one, Message)}


def _lines(found: dict[str, list[Entity]], names: Names) -> list[str]:
    lines: list[str] = []
    for title, group in found.items():
        if title in ("room", "user", "message", "app"):
            lines += [f"{name}: {_text(value)}" for name, value in _plain(group[0]).items()]
            continue
        lines.append(f"{title}: {len(group)}" + (" (the latest)" if len(group) == MESSAGES else ""))
        lines += [f"  {_line(one, names)}" for one in group]
    return lines


def _line(entity: Entity, names: Names) -> str:
    match entity:
        case Member():
            return f"{names.of(entity.user)}: {entity.role} since {entity.joined}, has read up to {entity.read}"
        case Message():
            said = "(deleted) " if entity.deleted else ""
            return f"{entity.seq} {entity.created} {names.of(entity.author)}: {said}{short(_text(entity.content))}"
        case Room() | User() | _:
            return _text(_plain(entity))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
