"""The log's own events."""

from __future__ import annotations

from projectors.audience.core import NOBODY

AUDIENCES = {"log.opened": NOBODY}
