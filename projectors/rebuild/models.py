"""What can be rebuilt by itself: groups of tables that no event outside their topics changes."""

from __future__ import annotations

from typing import NamedTuple

from infra.base import kafka
from infra.base.rows import TABLES
from projectors.rebuild.fresh import RebuildError


class Model(NamedTuple):
    """Tables, and the topics whose events they are folded from."""

    name: str
    topics: tuple[str, ...]
    tables: tuple[str, ...]


#: A single table of a group cannot be rebuilt: the fold of one event changes several, which would not fit together.
MODELS = {
    model.name: model
    for model in (
        Model("all", kafka.EVENT_TOPICS, (*TABLES.values(), "spans", "changes", "erased_events")),
        Model("users", ("users",), ("users", "sessions", "relationships", "visuals", "listenings")),
        Model("handles", ("handles",), ("handles",)),
        Model("apps", ("apps",), ("apps", "plans", "teams")),
        Model(
            "rooms", ("rooms",), ("rooms", "members", "stays", "invitations", "messages", "spans", "revisions", "pins")
        ),
        Model("channels", ("rooms",), ("channels", "channel_users", "channel_counters")),
        Model("changes", kafka.EVENT_TOPICS, ("changes", "erased_events")),
    )
}


def model(name: str) -> Model:
    """The model of that name. Raises RebuildError."""
    if name not in MODELS:
        raise RebuildError(f"expected a model of {', '.join(MODELS)}, got {name!r}")
    return MODELS[name]
