"""Examples of messages: sent in each type, read, searched, edited, deleted, and their emotions."""

from __future__ import annotations

from typing import Any

from infra.ops.generate.examples.story import (
    ACTION,
    FILE,
    IMAGE,
    ROOM,
    TEXT,
    Example,
    at,
    custom,
    edited,
    grace,
    joined,
    linus,
    message,
    pin,
)


def _sent(name: str, id: str, seq: int, token: str, content: dict[str, Any], moment: str, about: str) -> Example:
    """A message of one type as it is sent, and as it is answered."""
    made = message(
        id, seq=seq, token=token, type=name, content=content, created=moment, updated=moment, version=1227 + seq
    )
    members = {"room": ROOM, "type": name, "content": content, "client_id": token}
    return Example("grace", members, {"message": made}, name, about)


_PICTURE = {"url": "https://example.org/mark-1.jpg", "alt": "The first bug", "width": 1024, "height": 768}
_PAPER = {"url": "https://example.org/a-0.pdf", "name": "a-0.pdf", "size": 48213}

EXAMPLES: dict[str, tuple[Example, ...]] = {
    "messages.send": (
        _sent("text", TEXT, 2, "c1f7a2e0", {"text": "Good morning, what joy"}, at(15, 30.123), "A text"),
        _sent("action", ACTION, 3, "c1f7a2e1", {"text": "pours coffee"}, at(16, 2.441), "What its author does"),
        _sent("image", IMAGE, 4, "c1f7a2e2", _PICTURE, at(17, 45.908), "A picture that is kept elsewhere"),
        _sent("file", FILE, 5, "c1f7a2e3", _PAPER, at(19, 3.377), "A file that is kept elsewhere"),
        Example(
            "grace",
            {"room": ROOM, "type": "custom", "content": custom()["content"], "client_id": "c1f7a2e4"},
            {"message": custom()},
            "custom",
            "Any JSON object, for those who know it",
        ),
    ),
    "messages.get": (Example("linus", {"room": ROOM, "message": TEXT}, {"message": message()}),),
    "messages.read": (
        Example(
            "linus",
            {"room": ROOM, "before": 3, "limit": 2},
            {
                "messages": [joined(), message()],
                "more": False,
                "older": None,
                "newer": "WyIwMWExZmQyYyJd",
                "archived": False,
                "users": [grace(), linus()],
            },
        ),
    ),
    "messages.set_emotion": (
        Example("scribe", {"room": ROOM, "message": TEXT, "emotion": "joy"}, {"message": TEXT, "shown": True}),
    ),
    "messages.set_emotions": (
        Example(
            "scribe",
            {"emotions": [{"room": ROOM, "message": ACTION, "emotion": "joy", "key": "joy-1"}]},
            {"results": [{"message": ACTION, "result": "set", "shown": True}]},
        ),
    ),
    "messages.edit": (
        Example(
            "grace",
            {"room": ROOM, "message": TEXT, "content": {"text": "Good morning, what a joy"}},
            {"message": edited()},
        ),
    ),
    "messages.edits": (
        Example(
            "linus",
            {"room": ROOM, "message": TEXT},
            {
                "message": edited(),
                "revisions": [
                    {
                        "number": 0, "content": {"text": "Good morning, what joy"}, "data": {"emotion": "joy"},
                        "created": at(15, 30.123),
                    }
                ],
            },
        ),
    ),
    "messages.search": (
        Example(
            "linus",
            {"text": "joy", "room": ROOM},
            {"found": [{"message": edited(), "highlights": [[21, 24]]}], "next": None, "users": [grace()]},
        ),
    ),
    "messages.pin": (Example("grace", {"room": ROOM, "message": TEXT}, {"pin": pin()}),),
    "messages.unpin": (Example("grace", {"room": ROOM, "message": TEXT}, None),),
    "messages.delete": (Example("grace", {"room": ROOM, "message": FILE}, None),),
}  # fmt: skip
