"""What a client may see of an entity: one function a kind, the same for the feed's includes and the API's answers.

A view is a new dict of plain JSON values. Fields are named one by one, so that a field that is added to an entity
stays hidden until somebody decides otherwise. ``version`` lets a client keep the newer of two views. One file a domain;
what they show is assembled here, by import.
"""

from events.core.records import Entity
from projectors.views import (
    apps,
    channels,
    handles,
    invitations,
    members,
    messages,
    pins,
    plans,
    relationships,
    rooms,
    sessions,
    teams,
    users,
    visuals,
)
from projectors.views.apps import app_view
from projectors.views.channels import channel_view
from projectors.views.core import Component, View
from projectors.views.invitations import invitation_view
from projectors.views.members import member_view, own_member_view
from projectors.views.messages import message_view, revision_view
from projectors.views.pins import pin_view
from projectors.views.plans import plan_view
from projectors.views.relationships import incoming_relationship_view, relationship_view
from projectors.views.rooms import room_view, whole_room_view
from projectors.views.sessions import session_view
from projectors.views.teams import team_view
from projectors.views.users import masked, public_data, self_view, user_view
from projectors.views.visuals import visual_view

#: What answers and deltas hold, by the component's name in the schemas.
VIEWS: dict[str, Component] = {
    **users.VIEWS,
    **sessions.VIEWS,
    **relationships.VIEWS,
    **visuals.VIEWS,
    **rooms.VIEWS,
    **members.VIEWS,
    **invitations.VIEWS,
    **messages.VIEWS,
    **pins.VIEWS,
    **channels.VIEWS,
    **apps.VIEWS,
    **plans.VIEWS,
    **teams.VIEWS,
}

#: Entities that nobody is shown, and why.
HIDDEN: dict[type[Entity], str] = {**handles.HIDDEN, **members.HIDDEN, **channels.HIDDEN}

__all__ = [
    "HIDDEN",
    "VIEWS",
    "Component",
    "View",
    "app_view",
    "channel_view",
    "incoming_relationship_view",
    "invitation_view",
    "masked",
    "member_view",
    "message_view",
    "own_member_view",
    "pin_view",
    "plan_view",
    "public_data",
    "relationship_view",
    "revision_view",
    "room_view",
    "self_view",
    "session_view",
    "team_view",
    "user_view",
    "visual_view",
    "whole_room_view",
]
