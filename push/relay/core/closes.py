"""How a WebSocket is closed for each ending: a code, and a reason for programs and people. Pure.

The code is 4000 and the number of gRPC's status; 1000 where that is OK. So one table says both.
"""

from __future__ import annotations

import json

from push.relay.core.endings import Ending

#: By gRPC's name of the status.
CODES = {
    "OK": 1000,
    "INVALID_ARGUMENT": 4003,
    "NOT_FOUND": 4005,
    "PERMISSION_DENIED": 4007,
    "RESOURCE_EXHAUSTED": 4008,
    "FAILED_PRECONDITION": 4009,
    "ABORTED": 4010,
    "INTERNAL": 4013,
    "UNAVAILABLE": 4014,
    "UNAUTHENTICATED": 4016,
}
#: Bytes of a close frame's reason at most (RFC 6455 5.5).
REASON_BYTES = 123


def reason(ending: Ending, dropped: int) -> str:
    """JSON with ``type`` and, where there is one, ``detail`` of the ending, cut to what there is room for; ``dropped``:
    frames that the receiver has lost."""
    told: dict[str, object] = {"type": ending.type, "dropped": dropped}
    for length in range(len(ending.detail), 0, -1):
        text = _json({**told, "detail": ending.detail[:length]})
        if len(text) <= REASON_BYTES:
            return text
    return _json(told)


def _json(told: dict[str, object]) -> str:
    # In ASCII: as many bytes as characters.
    return json.dumps(told, separators=(",", ":"))
