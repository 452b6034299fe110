"""Live channels: nobody receives these. Who is in one is told by its server, and a list of channels is asked for."""

from __future__ import annotations

from projectors.audience.core import NOBODY, Audience

AUDIENCES: dict[str, Audience] = {
    "channel.created": NOBODY,
    "channel.deleted": NOBODY,
    "channel.user_numbered": NOBODY,
    "channel.listened": NOBODY,
}
