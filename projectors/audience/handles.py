"""Unique names: claims are between the shards."""

from __future__ import annotations

from projectors.audience.core import NOBODY, Audience

AUDIENCES: dict[str, Audience] = {
    "handle.claimed": NOBODY,
    "handle.confirmed": NOBODY,
    "handle.released": NOBODY,
}
