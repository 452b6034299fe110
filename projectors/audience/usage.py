"""Usage: applications' servers and operators ask for it; nobody is told."""

from __future__ import annotations

from projectors.audience.core import NOBODY, Audience

AUDIENCES: dict[str, Audience] = {"usage.counted": NOBODY}
