"""Whom and what operators mean: people and rooms by id or by name, in every command alike."""

from __future__ import annotations

import logging
from typing import Any

from infra import away
from infra.operate.errors import CannotDo
from infra.postgres import connected, queries
from infra.settings import Settings

log = logging.getLogger(__name__)

#: Rooms of one name that are named in an error.
_NAMED = 5


async def user_id(connection: Any, text: str) -> str | None:
    """The id of a user by id or username; None where there is no such user."""
    if "\x00" in text:
        return None
    found = await connection.fetchval(queries("past")["person"], text)
    return None if found is None else str(found)


async def room_id(connection: Any, text: str, option: str) -> str | None:
    """The id of a room by id or by its name, with or without ``#``; None where there is no such room.

    An id goes before a name. Raises CannotDo where several rooms have the name.
    """
    if "\x00" in text:
        return None
    rows = await connection.fetch(queries("operate")["rooms_called"], text, text.removeprefix("#"))
    found = [str(row["id"]) for row in rows]
    if text in found:
        return text
    if len(found) > 1:
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        named = ", ".join(found[:_NAMED])
        raise CannotDo(f"{option}: expected one room, {text!r} is the name of {named}{more}; use an id")
    return found[0] if found else None


async def stream_id(connection: Any, text: str, option: str) -> str:
    """Of a room or a user, by id or name; else the text: the log may know what the read models do not.

    Raises CannotDo where a room and a user are called so.
    """
    room, user = await room_id(connection, text, option), await user_id(connection, text)
    if room is not None and user is not None and text not in (room, user):
        raise CannotDo(f"{option}: expected one stream, {text!r} is the name of the room {room} and of the user {user}")
    return room or user or text


async def ids(settings: Settings, *, actor: str, stream: str) -> tuple[str, str]:
    """Of an actor and of a stream by id or name, for what reads the log alone: without Postgres they must be ids."""
    if not (actor or stream):
        return actor, stream
    try:
        async with connected(settings) as connection:
            if actor:
                actor = await user_id(connection, actor) or actor
            if stream:
                stream = await stream_id(connection, stream, "--stream")
    except away.POSTGRES as error:
        log.warning("expected Postgres to answer, to look up names; %r is taken for an id (%r)", actor or stream, error)
    return actor, stream
