"""Handles: nobody is shown them."""

from __future__ import annotations

from events.core.records import Entity
from events.handles import Handle

#: No view shows these; and why.
HIDDEN: dict[type[Entity], str] = {Handle: "the profile of its user says the name"}
