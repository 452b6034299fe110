"""All event types and entities, assembled by import, never by scanning."""

from events import (
    apps,
    channels,
    handles,
    invitations,
    keys,
    members,
    messages,
    pins,
    relationships,
    rooms,
    sessions,
    teams,
    users,
    visuals,
)
from events.core import log
from events.core.records import Registry

#: All event types and entities. Adding a domain is adding its ``ROWS`` and its entities here.
REGISTRY = Registry(
    rows=(
        *log.ROWS,
        *keys.ROWS,
        *users.ROWS,
        *sessions.ROWS,
        *relationships.ROWS,
        *visuals.ROWS,
        *handles.ROWS,
        *rooms.ROWS,
        *members.ROWS,
        *invitations.ROWS,
        *messages.ROWS,
        *pins.ROWS,
        *channels.ROWS,
        *apps.ROWS,
        *teams.ROWS,
    ),
    entities=(
        users.User,
        sessions.Session,
        relationships.Relationship,
        visuals.Visual,
        handles.Handle,
        rooms.Room,
        members.Member,
        members.Stay,
        invitations.Invitation,
        messages.Message,
        messages.Revision,
        pins.Pin,
        channels.Channel,
        channels.ChannelUser,
        channels.ChannelCounter,
        channels.Listening,
        apps.App,
        teams.Team,
    ),
)
