"""Sessions are their user's own."""

from __future__ import annotations

from projectors.audience.core import SELF, Audience

AUDIENCES: dict[str, Audience] = {
    "session.opened": SELF,
    "session.renewed": SELF,
    "session.used": SELF,
    "session.closed": SELF,
}
