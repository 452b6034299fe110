"""What a connection is pushed, once it has come."""

from __future__ import annotations

from typing import Any

from tests.client import Person, Socket
from tests.running import until


async def delta(socket: Socket, type: str, **data: Any) -> dict[str, Any]:
    """The first delta of the type whose data has these fields."""

    async def there() -> dict[str, Any]:
        found = (one for one in socket.pushed if one["type"] == type and data.items() <= one["data"].items())
        return next(found, {})

    found: dict[str, Any] = await until(there, f"{type} with {data} is pushed")
    return found


async def types(socket: Socket, room: str, author: Person) -> list[str]:
    """All deltas of the room so far: ``author`` says something there, which comes after what was done before."""
    last = await author.say(room, "the last")
    await delta(socket, "message.posted", message=last["id"])
    return [one["type"] for one in socket.pushed if one["stream"] == room][:-1]
