"""What people mean by a text: users, rooms and applications by id or by name, for commands and the console alike."""

from __future__ import annotations

from events.core.derived_ids import DEFAULT_APP
from events.core.errors import KlatschError
from infra.base.postgres import Connection, queries

#: Actors of the log that are no users.
NO_USERS = frozenset({"system", "operator"})
#: Rooms or users of one name that are named in an error.
_NAMED = 5


class Ambiguous(KlatschError, ValueError):
    """Several are called so; the text says expected, actual and what to do."""


async def user_id(connection: Connection, text: str) -> str | None:
    """The id of a user by id or username; None where there is no such user.

    An id goes before every name. Raises Ambiguous where several applications have one of that name.
    """
    if not text or "\x00" in text:
        return None
    rows = await connection.fetch(queries("past")["person"], text)
    if len(rows) > 1 and rows[0]["id"] != text:
        more = " and others" if len(rows) > _NAMED else ""
        named = ", ".join(f"{row['id']} (application {row['app']})" for row in rows[:_NAMED])
        raise Ambiguous(f"expected one user, {text!r} may be {named}{more}; use an id")
    return str(rows[0]["id"]) if rows else None


async def room_id(connection: Connection, text: str) -> str | None:
    """The id of a room by id or by its name; None where there is no such room.

    An id goes before every name. A ``#`` before it may be the sign with which rooms are shown or belong to the name:
    rooms of either name are meant alike. A direct room has no name. Raises Ambiguous where several rooms are meant.
    """
    if not text or "\x00" in text:
        return None
    rows = await connection.fetch(queries("operate")["rooms_called"], text, text.removeprefix("#"))
    if any(row["id"] == text for row in rows):
        return text
    if len(rows) > 1:
        more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
        named = ", ".join(f"{row['id']} ({row['name']!r})" for row in rows[:_NAMED])
        raise Ambiguous(f"expected one room, {text!r} may be {named}{more}; use an id")
    return str(rows[0]["id"]) if rows else None


async def app_id(connection: Connection, text: str) -> str | None:
    """The id of an application by id or by its name; None where there is none. Raises Ambiguous.

    The default one is there without a row.
    """
    if not text or "\x00" in text:
        return None
    if text == DEFAULT_APP:
        return DEFAULT_APP
    found = [row["id"] for row in await connection.fetch(queries("apps")["called"], text)]
    if len(found) > 1 and text not in found:
        raise Ambiguous(f"expected one application, {text!r} may be {', '.join(found)}; use an id")
    return str(found[0]) if found else None


async def stream_id(connection: Connection, text: str) -> str | None:
    """Of a room, a user or an application; None where there is none. Raises Ambiguous where several are called so.

    The names of rooms and users come before those of applications, which only operators see.
    """
    room, user = await room_id(connection, text), await user_id(connection, text)
    if room is not None and user is not None and text not in (room, user):
        raise Ambiguous(f"expected one stream, {text!r} is the name of the room {room} and of the user {user}")
    return room or user or await app_id(connection, text)
