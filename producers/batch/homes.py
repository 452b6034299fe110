"""Of which application a stream is, and of which team a room: that of its first event, for ever. What is of another
does not exist. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from events.core.derived_ids import DEFAULT_APP
from events.core.records import Entity, Key, State
from events.handles import handle_parts
from events.rooms import Room, room_key
from events.users import User, user_key
from producers.commands import ANY_APP, ANY_TEAM, CommandEnvelope, Refused
from producers.rooms import CreateRoom, taken

#: The entity that a topic's streams are about, by the stream's id.
_ROOTS = {"users": user_key, "rooms": room_key}


def home(topic: str, stream: str, state: Mapping[Key, Entity | None]) -> str | None:
    """The application of a stream; None where it does not exist yet."""
    if topic == "handles":
        return handle_parts(stream).app
    if topic == "apps":
        return stream
    root_key = _ROOTS.get(topic)
    root = None if root_key is None else state.get(root_key(stream))
    return root.app if isinstance(root, User | Room) else None


def made_in(envelope: CommandEnvelope) -> str:
    """The application of a stream that the command begins."""
    return DEFAULT_APP if envelope.app == ANY_APP else envelope.app


def reaches(envelope: CommandEnvelope, app: str | None) -> bool:
    """Whether the command may know of a stream of an application."""
    return app is None or envelope.app in (app, ANY_APP)


def meets(envelope: CommandEnvelope, topic: str, stream: str, state: Mapping[Key, Entity | None]) -> bool:
    """Whether whoever gives the command is of the team of its room, or sees those of all: operators, the system and the
    application's own server do."""
    if topic != "rooms" or envelope.app == ANY_APP or envelope.via == "app" or envelope.team == ANY_TEAM:
        return True
    room = state.get(room_key(stream))
    return not isinstance(room, Room) or room.team == envelope.team


def unmade(stream: str, app: str | None, envelope: CommandEnvelope) -> Refused:
    """Whatever a decision makes of what it must not know: nothing of it stands in another's stream."""
    if reaches(envelope, app):
        # Names of rooms are one's in the whole application.
        command = envelope.command
        return taken((command.slug if isinstance(command, CreateRoom) else None) or stream)
    return Refused("not_found", f"expected an id of your application, got {stream}")


def hiding(state: Mapping[Key, Entity | None]) -> State:
    """The state as it is to whoever must not know of the stream: a command names entities of its stream only, and none
    of them exists."""
    return dict.fromkeys(state)
