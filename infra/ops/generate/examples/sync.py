"""Examples of what clients keep up with: the snapshot, deltas, presence, signals, and a room's history."""

from __future__ import annotations

import json

from infra.ops.generate.examples.story import (
    EPOCH,
    FRIENDSHIP,
    GRACE,
    LINUS,
    ROOM,
    TEXT,
    Example,
    at,
    custom,
    linus,
    member_linus,
    room,
)

_CHANGE = {
    "id": f"{TEXT}.0",
    "type": "message.posted",
    "stream": ROOM,
    "time": at(15, 30.123),
    "actor": GRACE,
    "data": {
        "message": TEXT, "seq": 2, "token": "c1f7a2e0", "type": "text", "content": {"text": "Good morning, what joy"},
        "data": {},
    },
    "position": "rooms/3/1229",
}  # fmt: skip
#: What the stream (``GET /v1/stream``) gives after a cursor: where it stands, then deltas.
STREAM_SINCE = f"{EPOCH}:16383"
STREAM = (
    f'retry: 1000\nevent: position\nid: {STREAM_SINCE}\ndata: {{"epoch":"{EPOCH}","offset":16383,"recovered":true}}\n\n'
    f"id: {EPOCH}:20479\ndata: {json.dumps(_CHANGE, separators=(',', ':'))}\n\n"
)
_OWN = {
    **linus(), "data": {"last_login": at(1, 30.0)}, "email": None, "seen": at(1, 30.0), "updated": at(1, 30.0),
    "added_by": None, "external": None,
}  # fmt: skip

EXAMPLES: dict[str, tuple[Example, ...]] = {
    "sync.get": (
        Example(
            "linus",
            {},
            {
                "cursor": 20479,
                "epoch": EPOCH,
                "me": _OWN,
                "vector": {"users/0": 13, "rooms/3": 1235, "handles/2": 5},
                "rooms": [
                    {
                        "room": room(),
                        "member": member_linus(read=4, read_at=at(23), version=1239, notifications=False),
                        "unread": 2,
                        "message": custom(),
                        "peer": None,
                    }
                ],
                "invitations": [],
                "relationships": [],
                "friend_of": [FRIENDSHIP],
                "users": [],
                "next": None,
            },
        ),
    ),
    "changes.pull": (
        Example(
            "linus",
            {"since": STREAM_SINCE, "limit": 1},
            {
                "changes": [_CHANGE],
                "cursor": f"{EPOCH}:20479",
                "reset": False,
            },
        ),
    ),
    "rooms.history": (
        Example("linus", {"room": ROOM, "before": 1230, "limit": 1}, {"changes": [_CHANGE], "before": 1229}),
    ),
    "presence.set": (Example("linus", {"room": ROOM, "status": "online"}, None),),
    "presence.get": (
        Example(
            "grace",
            {"users": LINUS},
            {"presence": [{"user": LINUS, "status": "online", "active": at(23, 1.5), "room": ROOM}]},
        ),
    ),
    "presence.room": (
        Example(
            "grace",
            {"room": ROOM},
            {"online": [LINUS], "count": 1, "watching": [LINUS], "watchers": 1},
        ),
    ),
    "signals.type": (Example("linus", {"room": ROOM, "typing": True}, None),),
}  # fmt: skip
