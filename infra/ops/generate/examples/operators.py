"""Examples of what operators ask for: the console, and an import."""

from __future__ import annotations

from typing import Any

from infra.ops.generate.examples.story import (
    GRACE,
    INSTALLATION,
    LINUS,
    PROCESS,
    PROMOTED,
    ROOM,
    SETTINGS,
    TOKEN,
    Example,
    at,
    joined,
    member_grace,
    room,
)

_ERROR = 'CheckViolationError: new row for relation "rooms" violates check constraint "bad"'
_PARKED = {
    "consumer": "read_models", "position": "rooms/3/1236", "type": "room.renamed", "error": _ERROR,
}  # fmt: skip
_ROOM = room(
    topic_line="Today: loops.", settings={**SETTINGS, "posting": "admins"}, data={"icon": "gear", "color": "teal"},
    custom={"course": {"term": 4}, "tags": ["languages"]}, seq=7, last=PROMOTED, version=1242,
)  # fmt: skip
_RENAMED: dict[str, Any] = {
    "specversion": "1.0", "datacontenttype": "application/json", "id": "01a1fd3d-90f0-7a41-8f43-0c7b1a5e2d96.0",
    "source": "klatsch/klatsch", "type": "room.renamed", "subject": ROOM, "time": at(34, 2.352),
    "dataschema": "urn:klatsch:event:room.renamed:1", "app": "default", "actor": GRACE,
    "command": "ChangeRoom:3f1c2a7e",
    "data": {"name": "Interpreters"},
}  # fmt: skip
_SAMPLE = {"at": 1795250100326, "values": {"commands": 1.6, "deliveries": 4.2}}
_FIGURES: dict[str, Any] = {
    "at": at(35, 0.326),
    "installation": INSTALLATION,
    "shards": [
        {
            "topic": "rooms", "partition": 3, "owner": PROCESS, "end": 1236, "applied": 1236, "term": 41,
            "feed_lag": 0,
        }
    ],
    "processes": [
        {
            "answering": True, "address": PROCESS, "roles": ["api", "feed", "project", "push"], "pid": 4711,
            "started": at(0), "cpu": 1.59, "memory": 91164672,
            "parts": {"postgres": {"ok": True}, "kafka": {"ok": True, "records": 50}},
            "counts": {
                "commands": 38.0, "refused": 1.0, "repeated": 0, "deliveries": 24.0, "applied": 80.0, "restarts": 0,
            },
            "requests": {"bounds": [0.001, 0.01, 0.1, 1.0], "counts": [2.0, 42.0, 55.0, 55.0, 55.0]},
            "connections": {"websocket": 2.0}, "lag": {"read_models": {"rooms/3": 0}, "feed": {"rooms/3": 0}},
        }
    ],
    "parked": [],
    "stores": {
        "bytes": 9197247, "sessions": 3, "archived_months": 0,
        "tables": [{"name": "messages", "rows": 6, "bytes": 278528}],
    },
    "rebuild": None,
    "sample": _SAMPLE,
    "disks": [],
    "tail": {"watchers": 0, "dropped": 0},
    "faults": {},
}  # fmt: skip

EXAMPLES: dict[str, tuple[Example, ...]] = {
    "import.orders": (
        Example(
            "operator",
            {
                "orders": [
                    {
                        "command": "PostMessage", "actor": GRACE, "time": "1999-12-31T23:59:00.000Z",
                        "key": "log-1999-12-31:1",
                        "fields": {"room": ROOM, "token": "log-1999-12-31:1", "content": {"text": "Happy new year"}},
                    }
                ]
            },
            {"results": [{"result": "done", "position": "rooms/3/1240"}]},
        ),
    ),
    "console.figures": (Example("operator", {}, _FIGURES),),
    "console.history": (
        Example(
            "operator",
            {},
            {"seconds": 900, "every": 5, "samples": [_SAMPLE]},
        ),
    ),
    "console.rooms": (Example("operator", {"name": "Compil"}, {"rooms": [_ROOM]}),),
    "console.room": (
        Example(
            "operator",
            {"room": ROOM, "number": 3},
            {
                "room": room(seq=1, last=joined()["id"], updated=at(5, 12.304), version=1228),
                "members": [member_grace(read=0, read_at=at(3, 0.018), version=1226)],
                "messages": [joined()],
                "names": {GRACE: "Grace Hopper", LINUS: "Linus"},
                "number": 3,
                "count": 11,
                "position": "rooms/3/1228",
                "event": {"type": "member.joined", "actor": LINUS, "time": at(5, 12.304)},
                "first": at(3, 0.018),
                "last": at(31),
            },
        ),
    ),
    "console.parked": (
        Example(
            "operator",
            {},
            {"streams": [{**_PARKED, "stream": ROOM, "waiting": 1, "since": at(34, 2.6)}], "all": 1},
        ),
    ),
    "console.parked_stream": (
        Example(
            "operator",
            {"stream": ROOM},
            {"events": [{**_PARKED, "parked_at": at(34, 2.6), "event": _RENAMED}]},
        ),
    ),
    "console.retry": (Example("operator", {"stream": ROOM}, {"applied": 1, "parked": 0}),),
    "console.renew": (
        Example("operator", {}, {"token": TOKEN, "expires": "2026-11-21T08:50:00.000Z", "seconds": 900}),
    ),
}  # fmt: skip
