"""What a view is, and the row by which a domain says which of its entities people see, and as what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from events.core.records import Entity

View = dict[str, Any]


class Component(NamedTuple):
    """A view that answers and deltas have: its schema is that of the entity's fields that the view shows."""

    make: Callable[[Any], View]
    entity: type[Entity]
