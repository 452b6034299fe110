"""Limits that cannot hold together."""

from __future__ import annotations

from typing import Any

import pytest

from push.relay.core.limits import RelayLimits


@pytest.mark.parametrize(
    ("limits", "said"),
    [({"queue_bytes": 65_536}, "queue_bytes: expected 65558 or more, the largest frame, got 65536"),
     ({"bytes_second": 1}, "bytes_second: expected 65558 or more"),
     ({"queue_frames": 0}, "queue_frames: expected 1 or more, got 0"),
     ({"frame_bytes": 4_194_304}, "frame_bytes: expected at most 4194282, got 4194304"),
     ({"ticket_seconds": 0.0}, "ticket_seconds: expected more than 0, got 0.0"),
     ({"linger_seconds": -1.0}, "linger_seconds: expected more than 0, got -1.0")],
    ids=["queue_bytes", "bytes_second", "queue_frames", "frame_bytes", "ticket_seconds", "linger_seconds"],
)  # fmt: skip
def test_they_are_refused(limits: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RelayLimits(**limits)
