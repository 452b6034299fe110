"""What a turn changes of that which processes keep in memory, and where the new messages are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from events.core.records import Changes, Entity, Key
from events.members import Member
from events.messages import Message
from events.rooms import Room
from infra.base.months import month_of
from infra.base.postgres import queries
from infra.base.progress import Invalidation
from infra.base.statements import Statement


class Invalidations:
    """Collected over a turn. It may hold more than is stored in the end: then somebody reads once more than needed."""

    def __init__(self) -> None:
        self._appended: set[str] = set()
        self._changed: set[str] = set()
        self._users: set[str] = set()
        self._apps: set[str] = set()
        self._plans: set[str] = set()

    def note(self, before: Mapping[Key, Entity | None], changes: Changes) -> None:
        """Takes note of what ``changes`` made of ``before``."""
        # By kind: asking an entity of another class whether it is a message takes a microsecond (msgspec 0.22).
        for key, entity in changes.items():
            old = before.get(key)
            match key[0]:
                case "message" if isinstance(entity, Message):
                    (self._appended if old is None else self._changed).add(entity.room)
                case "member" if isinstance(entity, Member):
                    if old is None or not isinstance(old, Member) or old.state != entity.state:
                        self._changed.add(entity.room)
                case "room" if isinstance(entity, Room):
                    if isinstance(old, Room) and old.state != entity.state:
                        self._changed.add(entity.id)
                case "user":
                    self._users.add(key[1])
                case "app":
                    self._apps.add(key[1])
                case "plan":
                    self._plans.add(key[1])
                case "relationship":
                    # To either of them the other is another one from here on.
                    if "block" in (getattr(old, "type", None), getattr(entity, "type", None)):
                        self._users.update(key[1:])
                case _:
                    pass

    def payloads(self, limit: int) -> list[str]:
        """As notifications of at most ``limit`` bytes each."""
        found = []
        for part in self._parts(limit // 2):
            text = msgspec.json.encode(part).decode()
            found.append(text if len(text.encode()) <= limit else '{"all":true}')
        return found

    def _parts(self, limit: int) -> Iterator[Invalidation]:
        """Parts whose ids have about ``limit`` bytes; an id that is longer is a part by itself."""
        part, size = _empty(), 0
        touched = {
            "appended": self._appended, "changed": self._changed, "users": self._users, "apps": self._apps,
            "plans": self._plans,
        }  # fmt: skip
        for name, ids in touched.items():
            for id in sorted(ids):
                length = len(id.encode()) + 3
                if size and size + length > limit:
                    yield part
                    part, size = _empty(), 0
                getattr(part, name).append(id)
                size += length
        if size:
            yield part


def _empty() -> Invalidation:
    return Invalidation(appended=[], changed=[], users=[], apps=[], plans=[])


def noting_spans(before: Mapping[Key, Entity | None], changes: Changes) -> Iterator[Statement]:
    """Stores in which months the new messages of each room are: one statement, or none."""
    new = (entity for key, entity in changes.items() if key[0] == "message" and before.get(key) is None)
    yield from spans(by_place(entity for entity in new if isinstance(entity, Message)))


def by_place(messages: Iterable[Message]) -> dict[tuple[str, str], list[Message]]:
    """Messages by room and month, as they are read together."""
    found: dict[tuple[str, str], list[Message]] = defaultdict(list)
    for message in messages:
        found[message.room, month_of(message.id)].append(message)
    return found


def spans(said: Mapping[tuple[str, str], Sequence[Message]]) -> Iterator[Statement]:
    """The same for new messages by room and month."""
    rows = []
    for place, messages in said.items():
        seqs, times = [message.seq for message in messages], [message.created for message in messages]
        ranks = [message.rank for message in messages if message.rank is not None]
        ends = (min(ranks), max(ranks)) if ranks else (None, None)
        rows.append((*place, min(seqs), max(seqs), min(times), max(times), *ends))
    if rows:
        yield Statement(queries("months")["note_spans"], [list(column) for column in zip(*rows, strict=True)])
