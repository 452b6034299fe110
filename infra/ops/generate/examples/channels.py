"""Examples of live channels, and of what their servers report."""

from __future__ import annotations

from typing import Any

from infra.ops.generate.examples.story import GRACE, SCRIBE, TOKEN, Example, View, at

_CHANNEL = 1
_ADDRESS, _NAME, _URL = "chat.example.org:8420", "Chat", "wss://chat.example.org"


def _channel(**more: Any) -> View:
    """Her channel."""
    return {
        "id": _CHANNEL, "name": "Raid", "limit": 8, "owner": GRACE, "created": at(6, 2.5), "version": 1290, **more
    }  # fmt: skip


_NOW = _channel(users=[{"id": "grace", "name": "Grace Hopper", "number": 1}])

EXAMPLES: dict[str, tuple[Example, ...]] = {
    "channels.create": (Example("grace", {"name": "Raid", "limit": 8}, {"channel": _channel()}),),
    "channels.report": (
        Example(
            "scribe",
            {
                "metric": {"addr": _ADDRESS, "name": _NAME, "url": _URL, "load": "0.25"},
                "channels": [{"id": _CHANNEL, "users": [{"id": "grace", "version": 27}]}],
            },
            None,
        ),
    ),
    "channels.listen": (
        Example(
            "grace",
            {"channel": _CHANNEL},
            {
                "server": {"id": SCRIBE, "address": _ADDRESS, "name": _NAME},
                "token": TOKEN,
                "number": 1,
                "url": f"{_URL}/v1/channels/{_CHANNEL}/connect",
            },
        ),
    ),
    "channels.list": (Example("grace", {}, {"channels": [_NOW], "next": None}),),
    "channels.get": (Example("grace", {"channel": _CHANNEL}, {"channel": _NOW}),),
    "channels.watch": (Example("linus", {"channels": [_CHANNEL]}, None),),
    "channels.delete": (Example("grace", {"channel": _CHANNEL}, None),),
}
