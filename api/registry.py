"""All operations, assembled by import."""

from __future__ import annotations

from api import (
    app_erasure,
    app_users,
    apps,
    as_of,
    changes,
    channels,
    console,
    credentials,
    deactivation,
    emotions,
    history,
    imports,
    invitations,
    members,
    messages,
    pins,
    plans,
    presence,
    relationships,
    rooms,
    search,
    sessions,
    sync,
    teams,
    usage,
    user_erasure,
    users,
    visuals,
)
from api.console.overview import Console
from api.core.operation import Operation
from push.delivery.hub import Hub
from push.presence.presence_hub import PresenceHub


def all_operations(
    hub: Hub | None = None, presence_hub: PresenceHub | None = None, looking: Console | None = None
) -> list[Operation]:
    """The whole surface. Adding a domain is adding its ``OPERATIONS`` here.

    Raises ValueError for a repeated name, and for a past of what is no read, or has said that it has none.
    """
    rows = [
        *users.OPERATIONS,
        *app_users.OPERATIONS,
        *sessions.OPERATIONS,
        *credentials.OPERATIONS,
        *deactivation.OPERATIONS,
        *user_erasure.OPERATIONS,
        *relationships.OPERATIONS,
        *visuals.OPERATIONS,
        *rooms.OPERATIONS,
        *members.OPERATIONS,
        *invitations.OPERATIONS,
        *messages.OPERATIONS,
        *pins.OPERATIONS,
        *channels.OPERATIONS,
        *apps.OPERATIONS,
        *app_erasure.OPERATIONS,
        *usage.OPERATIONS,
        *plans.OPERATIONS,
        *teams.OPERATIONS,
        *emotions.OPERATIONS,
        *history.OPERATIONS,
        *search.OPERATIONS,
        *sync.OPERATIONS,
        *changes.operations(hub),
        *presence.operations(presence_hub),
        *imports.OPERATIONS,
        *console.operations(looking),
    ]
    if len({row.name for row in rows}) < len(rows) or len({(row.method, row.path) for row in rows}) < len(rows):
        raise ValueError("an operation stands twice on the surface")
    past = {row.name for row in rows if row.method == "GET" and row.as_of is None}
    if not as_of.AS_OF.keys() <= past:
        raise ValueError(f"expected reads without a past of their own, got {sorted(as_of.AS_OF.keys() - past)}")
    return [row._replace(as_of=as_of.AS_OF.get(row.name, row.as_of)) for row in rows]
