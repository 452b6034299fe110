"""Applications, as operators see them: without what names a secret."""

from __future__ import annotations

from events.apps import App, keys_of
from projectors.views.core import Component, View


def app_view(app: App) -> View:
    """An application with its API keys; their secrets, and what the vault calls them, are not shown."""
    return {
        "id": app.id,
        "name": app.name,
        "state": app.state,
        "reason": app.reason,
        "keys": [{"key": key, "since": one.since, "until": one.until} for key, one in keys_of(app).items()],
        "tokens_before": app.tokens_before,
        "settings": app.settings,
        "plan": app.plan,
        "cleared": app.cleared,
        "teams": app.teams,
        "created": app.created,
        "updated": app.updated,
        "version": app.version,
    }


VIEWS = {"App": Component(app_view, App)}
