"""``given(records).when(event).then(changes)`` for folds, without any I/O: the log is a list, its fold a dict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import asdict

from events.core.records import Changes, Entity, Event, EventT, Key, Record
from events.registry import REGISTRY

#: The time of an event: its offset in seconds.
TIME = "2026-11-21T08:00:{:02d}.000Z"


def record(
    event: EventT, offset: int = 0, *, stream: str = "s", actor: str = "ada", command: str | None = None
) -> Record[EventT]:
    """An event as it stands in the log."""
    row = REGISTRY.of(event)
    return Record(
        topic=row.topics[-1], partition=0, offset=offset, id=f"e{offset}.0", type=row.name, stream=stream,
        time=TIME.format(offset % 60), actor=actor, command=command or f"c:{offset}", app="default", data=event,
    )  # fmt: skip


class Given:
    """The entities that some events made. A key that nothing has made is None, as where it is loaded."""

    def __init__(self, *events: Event, stream: str = "s", actor: str = "ada") -> None:
        self.stream = stream
        self.state: dict[Key, Entity | None] = {}
        self.offset = 0
        self.changes: Changes = {}
        for event in events:
            self.when(event, actor=actor)

    def when(self, event: Event, *, actor: str = "ada") -> Given:
        """Folds the event, as ``actor``, at the next offset."""
        found = record(event, self.offset, stream=self.stream, actor=actor)
        for key in REGISTRY.keys(found):
            self.state.setdefault(key, None)
        before = dict(self.state)
        self.changes = REGISTRY.fold(found, self.state)
        assert self.state == before, "a fold changes nothing in place"
        self.state.update(self.changes)
        self.offset += 1
        return self

    def then(self, expected: Mapping[Key, Mapping[str, Any] | None]) -> Given:
        """The last event changed exactly these entities; of each these fields, and its version."""
        assert self.changes.keys() == expected.keys()
        for key, fields in expected.items():
            entity = self.changes[key]
            if fields is None:
                assert entity is None
            else:
                assert entity is not None and entity.key == key
                found = asdict(entity)
                assert {name: found[name] for name in fields} == dict(fields)
                assert found["version"] == self.offset - 1, "the offset of its latest event"
        return self
