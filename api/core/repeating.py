"""Commands that are repeated with their key: whether it is the same request, and what its first result shows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from hashlib import blake2b
from typing import Any, Protocol, cast

import msgspec
from msgspec.structs import replace

from events.core.positions import Vector
from events.core.records import Entity, EntityT, Key
from events.messages import Message
from events.rooms import Room, room_key
from events.user_erasure import without_person
from events.users import User
from producers.commands import SECRET_CHARS, Outcome
from projectors.as_of.entities import entities
from projectors.as_of.rooms import Kept


class ReadModels(Protocol):
    """What it takes to fold entities as they were: a call has it."""

    @property
    def kept(self) -> Kept:
        """Rooms as they were, of earlier folds."""
        ...

    async def catch_up(self, vector: Vector) -> None:
        """Waits until the read models have reached ``vector``. Raises Problem ``lagging``."""
        ...

    def reading(self) -> AbstractAsyncContextManager[Any]:
        """A connection to Postgres for the length of the block."""
        ...


class Digests:
    """What stands in the log of the request behind a key: equal for equal requests, and nothing else can be told.

    Keyed with the installation's secret, as requests hold passwords and what people say. Its first characters name the
    secret: an installation that has another one, or was given another, does not compare.
    """

    def __init__(self, secret: str) -> None:
        key = blake2b(b"digests of requests", key=bytes.fromhex(secret), digest_size=32).digest()
        self._name = blake2b(b"name", key=key, digest_size=SECRET_CHARS // 2).hexdigest()
        # Copied each time: to take the key in is half of the work.
        self._keyed = blake2b(key=key, digest_size=8)
        # The members of an object have no order. Requests leave defaults out: a member that is added changes none.
        self._encode = msgspec.json.Encoder(order="deterministic").encode

    def of(self, operation: str, request: Any) -> str:
        """20 hexadecimal digits. ``request`` without its key, or with it: it is the same in a repetition."""
        keyed = self._keyed.copy()
        keyed.update(self._encode((operation, request)))
        return self._name + keyed.hexdigest()


async def as_it_was(models: ReadModels, outcome: Outcome, shows: Collection[Key] | None) -> Outcome:
    """A repeated outcome with the entities that the answer shows as the first one left them, and nothing newer.

    But what is deleted now is shown to nobody: see ``hidden``. ``now`` of the outcome are the entities as they are.
    Raises Problem ``lagging`` where the read models do not have what is to be folded.
    """
    last, now = outcome.records[-1], outcome.state
    wanted = list(now) if shows is None else shows
    found = {key: now[key] for key in wanted if (one := now[key]) is None or one.version <= last.offset}
    if len(found) < len(wanted):
        await models.catch_up({last.position.shard: last.offset + 1})
        async with (
            models.reading() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            changed = [key for key in wanted if key not in found]
            found.update(await entities(connection, last.stream, changed, last.position, models.kept))
    state = {key: None if (one := found[key]) is None else hidden(one, now) for key in wanted}
    return outcome._replace(state=state, now=now)


def hidden(entity: EntityT, now: Mapping[Key, Entity | None]) -> EntityT:
    """An entity as it was, unless it is deleted ``now``, as a read of it would show: a message also with its room."""
    if isinstance(entity, User):
        present = now.get(entity.key)
        if isinstance(present, User) and present.erased is not None:
            blank = replace(without_person(entity), deactivated=present.deactivated, erased=present.erased)
            return cast(EntityT, blank)
    if isinstance(entity, Room) and _deleted(entity, now):
        return replace(entity, state="deleted", name="", description=None, data={})
    if isinstance(entity, Message) and not entity.deleted:
        present = now.get(entity.key)
        if isinstance(present, Message) and present.deleted:
            return replace(entity, deleted=present.deleted)
        room = now.get(room_key(entity.room))
        if isinstance(room, Room) and room.state == "deleted":
            return replace(entity, deleted=room.updated)
    return entity


def _deleted(room: Room, now: Mapping[Key, Entity | None]) -> bool:
    present = now.get(room.key)
    return isinstance(present, Room) and present.state == "deleted"
