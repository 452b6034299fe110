"""Sessions: each user sees their own."""

from __future__ import annotations

from events.sessions import Session
from projectors.views.core import Component, View


def session_view(session: Session) -> View:
    """A log-in as its user sees it."""
    return {
        "id": session.id,
        "opened": session.opened,
        "expires": session.expires,
        "device": session.device,
        "used": session.used,
        "version": session.version,
    }


VIEWS = {"Session": Component(session_view, Session)}
