"""Who shows how far long work has come."""

from __future__ import annotations

from typing import Protocol


class Meter(Protocol):
    """Who shows how far the import has come."""

    def stage(self, name: str, total: int, unit: str) -> None:
        """A new part of the work begins."""
        ...

    def advance(self, count: int) -> None:
        """So much more of it is done."""
        ...
