"""Events of erased applications, which a fold passes over: which they are, and how many there were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import msgspec

from events.apps import outlives
from events.core.derived_ids import DEFAULT_APP
from infra.base.postgres import Connection, queries
from projectors.core.source import Entry

#: Events by application and topic.
Passed = Mapping[tuple[str, str], int]


class _Envelope(msgspec.Struct, frozen=True):
    app: str = DEFAULT_APP
    type: str = ""


_decode = msgspec.json.Decoder(_Envelope).decode


def passed_over(entry: Entry, erased: Collection[str]) -> str | None:
    """The application of an event that is passed over as that is erased; None: it is folded.

    Also of an event that cannot be read, but for what every event says: or it would wait for a fix for ever.
    """
    app, type_ = DEFAULT_APP, ""
    if entry.record is not None:
        app, type_ = entry.record.app, entry.record.type
    elif not entry.unknown:
        try:
            envelope = _decode(entry.value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        app, type_ = envelope.app, envelope.type
    return app if app in erased and not outlives(entry.shard.topic, type_) else None


def sift(entries: Iterable[Entry], erased: Collection[str]) -> tuple[list[Entry], Counter[tuple[str, str]]]:
    """What is folded, and how many of which are passed over."""
    kept: list[Entry] = []
    passed: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        app = passed_over(entry, erased)
        if app is None:
            kept.append(entry)
        else:
            passed[app, entry.shard.topic] += 1
    return kept, passed


async def erased_among(connection: Connection, entries: Iterable[Entry]) -> set[str]:
    """Those applications of the entries that are erased, as the rows say it now."""
    apps = {entry.record.app for entry in entries if entry.record is not None}
    unread = any(entry.record is None and not entry.unknown for entry in entries)
    if not unread and not apps - {DEFAULT_APP}:
        return set()
    query = queries("app_erasure")["all" if unread else "among"]
    return {row["id"] for row in await connection.fetch(query, *([] if unread else [list(apps)]))}


async def note(connection: Connection, passed: Passed) -> None:
    """Adds to what was passed over: in the transaction that moves the positions, so that each is counted once."""
    if passed:
        columns = [list(column) for column in zip(*((*key, count) for key, count in passed.items()), strict=True)]
        await connection.execute(queries("app_erasure")["note_events"], *columns)
