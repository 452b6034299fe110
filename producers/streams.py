"""Commands by their stream: the aggregate that they are given to, whose id is the first field of each."""

from __future__ import annotations

from producers.commands import Command
from producers.limits import Id


class RoomCommand(Command, frozen=True, kw_only=True):
    """A command to a room."""

    room: Id


class UserCommand(Command, frozen=True, kw_only=True):
    """A command to a user."""

    user: Id
