"""What deltas hold of messages and rooms that have been deleted since: named, and left out. No I/O.

The delta stays, with its place and whom and what it is about; what was said goes. One from which something was left out
says ``"deleted": true``. Which types hold what stands here; a type that is in no table is given out as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from events.rooms import SETTERS, UNSAID
from push.protocol.items import FeedDelta


class Deleted(NamedTuple):
    """What is deleted now."""

    #: Messages, by id: when.
    messages: Mapping[str, str]
    #: Rooms.
    rooms: Collection[str]


class _Rule(NamedTuple):
    """What becomes of a payload: the fields that stay as they are, and others with what they hold from now on."""

    kept: tuple[str, ...] = ()
    emptied: tuple[tuple[str, Any], ...] = ()


#: Payloads that hold what a message holds.
_OF_MESSAGES = {
    "message.posted": _Rule(("message", "seq", "token", "type"), (("content", {}), ("data", {}))),
    "message.edited": _Rule(("message",), (("content", {}), ("data", {}))),
    "message.emotion_detected": _Rule(("message",), (("emotion", None), ("shown", False))),
}
#: Payloads that hold what a room holds.
_OF_ROOMS = {
    "room.created": _Rule(("type", "visibility"), tuple(UNSAID.items())),
    **{row.name: _Rule((), tuple((field, UNSAID[field]) for field in row.sets)) for row in SETTERS},
    "member.custom_changed": _Rule(("user",), (("custom", {}),)),
}
#: Members of ``include`` that are messages, and what is left of a view of each kind.
_MESSAGES = ("message", "restored")
_NO_MESSAGE: Mapping[str, Any] = {"content": {}, "data": {}}
#: An invitation says what the room was called then.
_NO_INVITATION: Mapping[str, Any] = {"name": ""}
#: Of another member; what is the user's own (``member``) stays.
_NO_MEMBER: Mapping[str, Any] = {"custom": {}}


class _View(msgspec.Struct):
    id: str = ""


class _IncludedViews(msgspec.Struct):
    message: _View | None = None
    restored: _View | None = None


class _Data(msgspec.Struct):
    message: str | None = None


class _Subject(msgspec.Struct):
    """What a delta is about."""

    stream: str = ""
    data: _Data | None = None
    include: _IncludedViews | None = None


_subject = msgspec.json.Decoder(_Subject)


def named(items: Iterable[FeedDelta]) -> tuple[set[str], set[str]]:
    """The messages and the rooms of which some deltas hold something."""
    messages, rooms = set[str](), set[str]()
    for item in items:
        if item.holds:
            subject = _subject.decode(item.delta)
            rooms.add(subject.stream)
            messages.update(_messages(subject))
    return messages, rooms


def _messages(subject: _Subject) -> Iterable[str]:
    if subject.data is not None and subject.data.message is not None:
        yield subject.data.message
    if subject.include is not None:
        yield from (view.id for view in (subject.include.message, subject.include.restored) if view is not None)


def without(items: Iterable[FeedDelta], deleted: Deleted) -> list[FeedDelta]:
    """The items, those that hold something of what is deleted with that left out."""
    if not deleted.messages and not deleted.rooms:
        return list(items)
    return [_without(item, deleted) if item.holds else item for item in items]


def _without(item: FeedDelta, deleted: Deleted) -> FeedDelta:
    subject = _subject.decode(item.delta)
    if subject.stream not in deleted.rooms and deleted.messages.keys().isdisjoint(_messages(subject)):
        return item
    delta: dict[str, Any] = msgspec.json.decode(item.delta)
    less = _less(delta, deleted)
    return item if less == delta else FeedDelta(item.cursor, msgspec.json.encode(less), item.at, item.news, item.holds)


def _less(delta: Mapping[str, Any], deleted: Deleted) -> dict[str, Any]:
    """The delta with less; equal to it where it holds nothing of what is deleted."""
    found, shut = dict(delta), delta["stream"] in deleted.rooms
    data = delta["data"]
    rule = _OF_ROOMS.get(delta["type"]) if shut else None
    if shut or data.get("message") in deleted.messages:
        rule = _OF_MESSAGES.get(delta["type"], rule)
    if rule is not None:
        kept = {name: data[name] for name in rule.kept if name in data}
        found["data"] = {**kept, **{name: empty for name, empty in rule.emptied if name in data}}
    if include := delta.get("include"):
        found["include"] = {name: _view(name, view, shut, deleted) for name, view in include.items()}
    return found if found == delta else {**found, "deleted": True}


def _view(name: str, view: Any, shut: bool, deleted: Deleted) -> Any:
    if view is None:
        return view
    if name in _MESSAGES and (shut or view["id"] in deleted.messages):
        when = deleted.messages.get(view["id"], view["deleted"])
        return {**view, **_NO_MESSAGE, "deleted": view["deleted"] or when}
    if name == "invitation" and shut:
        return {**view, **_NO_INVITATION}
    if name == "joined" and shut:
        return {**view, **_NO_MEMBER}
    return {**view, **UNSAID} if name == "room" and shut else view
