"""Ids in a query: several in one parameter, with commas between them."""

from __future__ import annotations

from typing import Annotated

import msgspec

from api.support.problems import Problem
from events.core.faults import wrong

#: Different ids that one request may name.
IDS = 100
#: So many UUIDs with their commas, and some that are named twice.
CHARS = 4000
Ids = Annotated[str, msgspec.Meta(max_length=CHARS)]


def ids_of(name: str, text: str) -> list[str]:
    """The ids that the parameter ``name`` holds, each once, in their order. Raises Problem ``invalid`` for too many."""
    ids = list(dict.fromkeys(part for part in text.split(",") if part))
    if len(ids) > IDS:
        raise Problem("invalid", errors=[wrong(f"/{name}", f"at most {IDS} different ids", f"{len(ids)}")])
    return ids
