"""Teams, as operators and the application's own server see them."""

from __future__ import annotations

from events.teams import Team
from projectors.views.core import Component, View


def team_view(team: Team) -> View:
    """A team that is in use."""
    return {
        "id": team.id,
        "app": team.app,
        "external": team.external,
        "name": team.name,
        "custom": dict(team.custom),
        "created": team.created,
        "updated": team.updated,
        "version": team.version,
    }


VIEWS = {"Team": Component(team_view, Team)}
