"""Used keys of commands."""

from __future__ import annotations

from projectors.audience.core import NOBODY

AUDIENCES = {"key.used": NOBODY}
