"""All operations, assembled by import."""

from __future__ import annotations

from api import (
    changes,
    console,
    credentials,
    emotions,
    history,
    imports,
    invitations,
    members,
    messages,
    presence,
    relationships,
    rooms,
    search,
    sessions,
    sync,
    users,
    visuals,
)
from api.console.whole import Console
from api.surface import Operation
from push.gathering import Gathering
from push.hub import Hub


def all_operations(
    hub: Hub | None = None, gathering: Gathering | None = None, looking: Console | None = None
) -> list[Operation]:
    """The whole surface. Adding a domain is adding its ``OPERATIONS`` here. Raises ValueError for a repeated name."""
    rows = [
        *users.OPERATIONS,
        *sessions.OPERATIONS,
        *credentials.OPERATIONS,
        *relationships.OPERATIONS,
        *visuals.OPERATIONS,
        *rooms.OPERATIONS,
        *members.OPERATIONS,
        *invitations.OPERATIONS,
        *messages.OPERATIONS,
        *emotions.OPERATIONS,
        *history.OPERATIONS,
        *search.OPERATIONS,
        *sync.OPERATIONS,
        *changes.operations(hub),
        *presence.operations(gathering),
        *imports.OPERATIONS,
        *console.operations(looking),
    ]
    if len({row.name for row in rows}) < len(rows) or len({(row.method, row.path) for row in rows}) < len(rows):
        raise ValueError("an operation stands twice on the surface")
    return rows
