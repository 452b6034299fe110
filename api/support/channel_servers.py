"""Servers of live channels: what they report, which live, who is in channels, and which server a channel is given to.

None of it is a fact of the log: it stands in the schema of operations, and a server that is silent for a while is dead.
All times are Postgres' own, so that processes with different clocks see the same servers. ``seconds`` everywhere: the
setting ``channel_server_seconds``.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from api.support.problems import Problem
from infra.base.connection import Connection
from infra.base.postgres import queries
from push.presence import gossip

log = logging.getLogger(__name__)

#: Seconds after which a dead server is no longer known: a repeated listen still says where it led.
FORGET_SECONDS = 3600.0
#: Seconds for which a server that did not take a channel comes after all others.
ASIDE_SECONDS = 30.0


class Report(NamedTuple):
    """What one server says of itself."""

    #: Id of the server.
    id: str
    #: Where clients connect: ``host:port``.
    address: str
    #: Base of the URLs of its WebSockets; None: it has none.
    url: str | None
    name: str
    metric: Mapping[str, str]
    #: By channel that it serves: who is in it, by username, each with the offset of the listen that let them in (0: not
    #: told).
    users: Mapping[int, Mapping[str, int]]


class Server(NamedTuple):
    """A server as clients need it."""

    id: str
    address: str
    url: str | None
    name: str

    def socket(self, channel: int) -> str | None:
        """Where browsers connect to a channel, by WebSocket; None: they cannot."""
        return None if self.url is None else f"{self.url}/v1/channels/{channel}/connect"


class Place(NamedTuple):
    """The server that a channel was given to."""

    server: Server
    #: Whether it has reported that it serves the channel.
    serves: bool


class Inside(NamedTuple):
    """Somebody who is in a channel."""

    username: str
    name: str
    #: None: never listened here, so that only a server of others knows them.
    number: int | None


class Member(NamedTuple):
    """Somebody whom a relay has in a channel, and when they listened, in Unix seconds."""

    user: str
    channel: int
    since: float


class Before(NamedTuple):
    """What is known before somebody is sent to a channel."""

    username: str
    #: Of the user; None: not given yet.
    number: int | None
    #: How many others are in the channel.
    others: int
    #: Whether a block stands between the user and one of them.
    apart: bool


#: ``await add(server, channel id, name, limit)``: the server serves the channel from then on. Raises Problem.
AddChannel = Callable[[Server, int, str, int], Awaitable[None]]


#: ``await drop(server, channel id)``: the channel was deleted, its members are cut off. Returns whether the server was
#: told; one that was not finds out by itself, with its next report.
DropChannel = Callable[[Server, int], Awaitable[bool]]


async def no_way_to_drop(server: Server, channel: int) -> bool:
    """What a process does that cannot tell servers anything."""
    log.info("the server %s is not told that channel %d was deleted: this process knows no way", server.id, channel)
    return False


async def no_way_to_add(server: Server, channel: int, name: str, limit: int) -> None:
    """What a process does that cannot tell servers anything. Raises Problem ``unavailable``."""
    text = (
        f"expected a process that can give channels to servers; this one cannot give channel {channel} to {server.id}"
    )
    raise Problem("unavailable", text, retry_after=5)


async def record(connection: Connection, report: Report, seconds: float) -> None:
    """Takes a report, which replaces the server's earlier one, and forgets what dead servers had."""
    users = {str(channel): dict(inside) for channel, inside in report.users.items()}
    busy = sum(map(len, users.values()))
    sql = queries("channels")
    async with connection.transaction():
        await connection.execute(
            sql["report"], report.id, report.address, report.url, report.name, dict(report.metric), users, busy
        )
        await connection.execute(sql["forget_servers"], max(FORGET_SECONDS, seconds))
        await forget_places(connection, seconds)


async def forget_places(connection: Connection, seconds: float) -> None:
    """Takes channels from the dead: they are given to others when somebody listens."""
    await connection.execute(queries("channels")["forget_places"], seconds)


async def serving(connection: Connection, channel: int, seconds: float) -> list[Server]:
    """The living servers that serve a channel or were given it, by their ids: its members are nowhere else."""
    rows = await connection.fetch(queries("channels")["serving"], seconds, channel)
    return [_server(row) for row in rows]


async def inside(connection: Connection, channels: Sequence[int], user: str, seconds: float) -> dict[int, list[Inside]]:
    """Who is in channels now, by channel, for ``user`` to see: without those with whom the user has a block."""
    found: dict[int, list[Inside]] = {channel: [] for channel in channels}
    for row in await connection.fetch(queries("channels")["inside"], seconds, list(channels), user):
        found[row["channel"]].append(Inside(row["username"], row["name"], row["number"]))
    return found


async def inside_of(connection: Connection, server: str) -> list[gossip.ChannelNote]:
    """Who is in the channels of a server by its latest report, as notes say it."""
    found: dict[int, list[gossip.MemberNote]] = {}
    for row in await connection.fetch(queries("channels")["inside_of"], server):
        user = gossip.MemberNote(row["user"], row["username"], row["number"], row["version"])
        found.setdefault(row["channel"], []).append(user)
    return [gossip.ChannelNote(channel, users) for channel, users in found.items()]


async def before(connection: Connection, channel: int, user: str, seconds: float) -> Before | None:
    """What stands between a user and a channel; None for whoever the read models do not have yet."""
    row = await connection.fetchrow(queries("channels")["before_listening"], seconds, channel, user)
    return None if row is None else Before(row["username"], row["number"], row["others"], row["apart"])


async def choose(connection: Connection, channel: int, seconds: float) -> Place | None:
    """The server of a channel, the same for all who ask; None while none lives."""
    row = await connection.fetchrow(queries("channels")["choose"], seconds, channel, ASIDE_SECONDS)
    return None if row is None else Place(_server(row), row["serves"])


async def set_aside(connection: Connection, id: str) -> None:
    """The server does not take what it is given: for a while channels are given to it only when there is no other."""
    await connection.execute(queries("channels")["set_aside"], id)


async def server(connection: Connection, id: str) -> Server | None:
    """A server, alive or dead; None when it is no longer known."""
    row = await connection.fetchrow(queries("channels")["server"], id)
    return None if row is None else _server(row)


async def deleted(connection: Connection, channels: Sequence[int]) -> list[int]:
    """Those of the channels that were deleted."""
    return [row["id"] for row in await connection.fetch(queries("channels")["deleted_among"], list(channels))]


async def forget_before(connection: Connection, id: str) -> None:
    """Takes the relays away that had a relay's address before it. ``id``: ``...@host:port``."""
    await connection.execute(queries("channels")["forget_before"], id, id.partition("@")[2])


async def forget(connection: Connection, id: str) -> None:
    """Takes a server away that has ended: nobody is sent there any more."""
    await connection.execute(queries("channels")["forget_server"], id)


async def elsewhere(connection: Connection, id: str, seconds: float) -> list[tuple[int, str]]:
    """Channel and username of those whom the server ``id`` has reported and another one reports by a later listen."""
    rows = await connection.fetch(queries("channels")["elsewhere"], seconds, id)
    return [(row["channel"], row["username"]) for row in rows]


def _server(row: Any) -> Server:
    return Server(row["id"], row["address"], row["url"], row["name"])


async def given_away(connection: Connection, id: str, channels: Sequence[int], seconds: float) -> list[int]:
    """Those of the channels of the server ``id`` that were given to another one, which lives: this one was silent."""
    rows = await connection.fetch(queries("channels")["given_away"], seconds, id, list(channels))
    return [row["channel"] for row in rows]


async def apart(connection: Connection, members: Sequence[Member]) -> list[tuple[str, int]]:
    """User and channel of those who are in a channel with somebody with whom there is a block, and came later."""
    users, channels, since = zip(*members, strict=True) if members else ((), (), ())
    rows = await connection.fetch(queries("channels")["apart"], list(users), list(channels), list(since))
    return [(row["user"], row["channel"]) for row in rows]
