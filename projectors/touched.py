"""What a turn changes of that which pages of history show, and where the new messages are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from events.members import Member
from events.messages import Message
from events.records import Changes, Entity, Key
from events.rooms import Room
from infra.months import month_of
from infra.postgres import queries
from infra.progress import Touched


class Noted:
    """Collected over a turn. It may hold more than is stored in the end: then somebody reads once more than needed."""

    def __init__(self) -> None:
        self._appended: set[str] = set()
        self._changed: set[str] = set()
        self._users: set[str] = set()

    def note(self, before: Mapping[Key, Entity | None], changes: Changes) -> None:
        """Takes note of what ``changes`` made of ``before``."""
        for key, entity in changes.items():
            old = before.get(key)
            match entity:
                case Message():
                    (self._appended if old is None else self._changed).add(entity.room)
                case Member() if not isinstance(old, Member) or old.state != entity.state:
                    self._changed.add(entity.room)
                case Room() if isinstance(old, Room) and old.state != entity.state:
                    self._changed.add(entity.id)
                case _ if key[0] == "user":
                    self._users.add(key[1])
                case _:
                    pass

    def payloads(self, limit: int) -> list[str]:
        """As notifications of at most ``limit`` bytes each."""
        found = []
        for part in self._parts(limit // 2):
            text = msgspec.json.encode(part).decode()
            found.append(text if len(text.encode()) <= limit else '{"all":true}')
        return found

    def _parts(self, limit: int) -> Iterator[Touched]:
        """Parts whose ids have about ``limit`` bytes; an id that is longer is a part by itself."""
        part, size = Touched(appended=[], changed=[], users=[]), 0
        for name, ids in (("appended", self._appended), ("changed", self._changed), ("users", self._users)):
            for id in sorted(ids):
                length = len(id.encode()) + 3
                if size and size + length > limit:
                    yield part
                    part, size = Touched(appended=[], changed=[], users=[]), 0
                getattr(part, name).append(id)
                size += length
        if size:
            yield part


async def note_spans(connection: Any, before: Mapping[Key, Entity | None], changes: Changes) -> None:
    """Stores in which months the new messages of each room are."""
    spans: dict[tuple[str, str], tuple[int, int, str, str]] = {}
    for key, entity in changes.items():
        if isinstance(entity, Message) and before.get(key) is None:
            place = (entity.room, month_of(entity.id))
            first, last, since, until = spans.get(place, (entity.seq, entity.seq, entity.created, entity.created))
            spans[place] = (
                min(first, entity.seq), max(last, entity.seq), min(since, entity.created), max(until, entity.created)
            )  # fmt: skip
    if spans:
        columns = zip(*((*place, *span) for place, span in spans.items()), strict=True)
        await connection.execute(queries("months")["note_spans"], *map(list, columns))
