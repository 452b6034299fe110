"""Limits that cannot hold together."""

from __future__ import annotations

from typing import Any

import pytest

from push.relay.core.limits import RelayLimits


@pytest.mark.parametrize(
    ("limits", "said"),
    [({"queue_bytes": 65_536}, "queue_bytes: expected 65558 or more, the largest frame, got 65536"),
     ({"bytes_second": 1}, "bytes_second: expected 65558 or more"),
     ({"queue_frames": 0}, "every number to be 1 or more")],
)  # fmt: skip
def test_they_are_refused(limits: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RelayLimits(**limits)
