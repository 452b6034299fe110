"""Pins: who is in the room receives them."""

from __future__ import annotations

from projectors.audience.core import MEMBERS, Audience

AUDIENCES: dict[str, Audience] = {
    "message.pinned": MEMBERS,
    "message.unpinned": MEMBERS,
}
