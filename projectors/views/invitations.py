"""Invitations: who is invited sees them, and who invites."""

from __future__ import annotations

from events.invitations import Invitation
from projectors.views.core import Component, View


def invitation_view(invitation: Invitation) -> View:
    """An invitation as who is invited sees it, and who invites: nothing of the room but what stands here."""
    return {
        "room": invitation.room,
        "user": invitation.user,
        "by": invitation.by,
        "type": invitation.type,
        "name": invitation.name,
        "created": invitation.created,
        "version": invitation.version,
    }


VIEWS = {"Invitation": Component(invitation_view, Invitation)}
