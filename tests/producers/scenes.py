"""Rooms that decisions begin with: the stream ``s``, in which ada owns what has an owner."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from events.core.records import Event
from events.members import MemberJoined, MemberLeft, MemberRoleChanged, Role
from events.messages import MessagePosted
from events.rooms import RoomCreated, RoomSettings
from tests.producers.given import Given

PUBLIC = RoomCreated(type="group", visibility="public", name="Room", data={"a": "b"})
PRIVATE = RoomCreated(type="group", visibility="private", name="Room", data={})
DIRECT = RoomCreated(type="direct", visibility="private", name="", data={})

#: What a notice is called in all that these scenes' orders bring about.
NOTICE = "id"


def with_settings(created: RoomCreated, **settings: Any) -> RoomCreated:
    """The same room with other settings."""
    return msgspec.structs.replace(created, settings=msgspec.to_builtins(RoomSettings(**settings)))


def quiet(created: RoomCreated) -> RoomCreated:
    """The same room without notices."""
    return with_settings(created, announcements=False)


def join(user: str, role: Role = "member", seq: int | None = None, notice: str = NOTICE) -> MemberJoined:
    """By their own will; not announced without ``seq``."""
    return MemberJoined(user=user, role=role, message=None if seq is None else notice, seq=seq)


def left(user: str, seq: int | None = None) -> MemberLeft:
    return MemberLeft(user=user, message=None if seq is None else NOTICE, seq=seq)


def became(user: str, role: Role, seq: int | None = None) -> MemberRoleChanged:
    return MemberRoleChanged(user=user, role=role, message=None if seq is None else NOTICE, seq=seq)


def posted(message: str, seq: int, token: str = "t", data: dict[str, Any] | None = None) -> MessagePosted:
    return MessagePosted(message=message, seq=seq, token=token, type="text", content={"text": "x"}, data=data or {})


def room(
    created: RoomCreated, *members: str, admins: Collection[str] = (), more: tuple[Event, ...] = (), actor: str = "ada"
) -> Given:
    """A room whose first member owns it, if it is not direct; then what ``actor`` did there."""
    given = Given(created, actor=members[0] if members else "ada")
    for n, user in enumerate(members):
        owns = created.type == "group" and n == 0
        given.log.append(join(user, "owner" if owns else "admin" if user in admins else "member"), stream="s")
    given.log.append(*more, stream="s", actor=actor)
    return given
