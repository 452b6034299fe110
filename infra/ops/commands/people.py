"""Whom and what operators mean: people and rooms by id or by name, in every command alike."""

from __future__ import annotations

import logging
from typing import NamedTuple

from infra.base import away, called
from infra.base.called import NO_USERS
from infra.base.postgres import Connection, connected
from infra.base.settings import Settings
from infra.ops.commands.errors import CannotDo

__all__ = ["NO_USERS", "StreamIds", "app_id", "ids", "known_user", "room_id", "stream_id", "stream_known", "user_id"]

log = logging.getLogger(__name__)


async def known_user(settings: Settings, text: str) -> str | None:
    """The id of a user by id or username; None where there is no such user, or no Postgres to ask. Raises CannotDo."""
    try:
        async with connected(settings) as connection:
            return await user_id(connection, text)
    except away.POSTGRES as error:
        log.warning("expected Postgres to answer, to look up ids; %r is taken for a username (%r)", text, error)
        return None


async def user_id(connection: Connection, text: str) -> str | None:
    """The id of a user by id or username; None where there is no such user. Raises CannotDo for several."""
    try:
        return await called.user_id(connection, text)
    except called.Ambiguous as error:
        raise CannotDo(str(error)) from error


async def room_id(connection: Connection, text: str, option: str) -> str | None:
    """The id of a room by id or by its name; None where there is no such room. Raises CannotDo for several."""
    try:
        return await called.room_id(connection, text)
    except called.Ambiguous as error:
        raise CannotDo(f"{option}: {error}") from error


async def app_id(connection: Connection, text: str) -> str | None:
    """The id of an application by id or by its name; None where there is none. Raises CannotDo for several."""
    try:
        return await called.app_id(connection, text)
    except called.Ambiguous as error:
        raise CannotDo(str(error)) from error


async def stream_id(connection: Connection, text: str, option: str) -> str:
    """Of a room, a user or an application, by id or name; else the text: the log may know what the read models do not.

    Raises CannotDo where several are called so.
    """
    return await stream_known(connection, text, option) or text


async def stream_known(connection: Connection, text: str, option: str) -> str | None:
    """The same; None where the read models know none of that id or name."""
    try:
        return await called.stream_id(connection, text)
    except called.Ambiguous as error:
        raise CannotDo(f"{option}: {error}") from error


class StreamIds(NamedTuple):
    """An actor and a stream by their ids."""

    actor: str
    stream: str
    #: What nothing is called by, as an error says it. The log alone may still know an id.
    unknown: str = ""


async def ids(settings: Settings, *, actor: str, stream: str) -> StreamIds:
    """Of an actor and of a stream by id or name, for what reads the log alone: without Postgres they must be ids."""
    if not (actor or stream):
        return StreamIds(actor, stream)
    unknown: list[str] = []
    try:
        async with connected(settings) as connection:
            if actor and actor not in NO_USERS:
                found = await user_id(connection, actor)
                if found is None:
                    unknown.append(f"--actor: expected the id or username of a user, got {actor!r}")
                actor = found or actor
            if stream:
                known = await stream_known(connection, stream, "--stream")
                # What is claimed has streams of its own, such as username:ada.
                if known is None and ":" not in stream:
                    unknown.append(f"--stream: expected the id or name of a room or a user, got {stream!r}")
                stream = known or stream
    except away.POSTGRES as error:
        log.warning("expected Postgres to answer, to look up names; %r is taken for an id (%r)", actor or stream, error)
    return StreamIds(actor, stream, "; ".join(unknown))
