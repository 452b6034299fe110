"""The error of an operator's command."""

from __future__ import annotations

from events.core.errors import KlatschError


class CannotDo(KlatschError):
    """What was asked for cannot be done, and nothing was changed; the text says expected, actual and what to do."""
