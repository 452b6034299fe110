"""Facts, and what they make true: pure. The registry is assembled here, by import, never by scanning."""

from events import handles, invitations, keys, log, members, messages, relationships, rooms, sessions, users, visuals
from events.records import Registry

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
    ),
)

__all__ = ["REGISTRY"]
