"""Live channels (S1): made, listed, deleted and listened to; and the reports of the servers that carry what is said."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any

import msgspec

from api.core.calls import Call
from api.core.operation import NoPast, Operation, Request
from api.support import channel_servers, pages
from api.support.channel_servers import Before, Inside, Place, Report
from api.support.pages import Cursor, Limit
from api.support.problems import Problem
from events.channels import Channel, ChannelCreated, ChannelListened, ChannelUser, as_created, channel_user_key
from events.core.clock import to_datetime
from events.core.faults import found, wrong
from events.core.records import Record
from infra.base.postgres import Row, queries
from infra.base.rows import from_row
from infra.base.settings import SOCKET_URL, is_socket_url
from producers.channels import (
    CHANNEL_USERS,
    ChannelLimit,
    ChannelName,
    CreateChannel,
    DeleteChannel,
    ListenChannel,
    NumberUser,
    Uint32,
    missing_channel,
)
from producers.limits import Username
from producers.names import check_name
from projectors.views import View, channel_view
from push.presence import gossip
from push.relay.tokens import ChannelToken, mint_channel_token

#: Channels of one report.
CHANNELS = 10_000
#: Bytes of one: 10,000 channels with ten users each.
REPORT_BYTES = 8 * 1024 * 1024
#: Seconds after which it is worth asking again where no server lives: they report every few seconds.
NO_SERVER_SECONDS = 5
#: Servers that one listen asks to serve a channel, besides the first.
SERVERS_ASKED = 2
_PAST = NoPast("who is in a channel is never stored")
#: Places in a server's metric: its address, its name, and the base of the URLs of its WebSockets.
_ADDRESS, _NAME, _URL = "addr", "name", "url"
#: Other targets that gRPC knows, such as a socket's path, are none of a server's.
_HOST_AND_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[1-9][0-9]{0,4}")


class CreateChannelRequest(Request, frozen=True, kw_only=True):
    #: What people see it called; others may be called the same.
    name: ChannelName
    #: How many users may be in it at once.
    limit: ChannelLimit


class GetChannelRequest(Request, frozen=True, kw_only=True):
    channel: Uint32


class ListChannelsRequest(Request, frozen=True, kw_only=True):
    limit: Limit = 50
    cursor: Cursor | None = None


class ReportedUser(Request, frozen=True, kw_only=True):
    """Somebody who is in a channel."""

    #: The username.
    id: Username
    #: `ver` of the channel token that let them in: of two servers that report a user, the one with the higher has them.
    #: 0: not told.
    version: Annotated[int, msgspec.Meta(ge=0, le=pages.LAST_OFFSET)] = 0


class ReportedChannel(Request, frozen=True, kw_only=True):
    """A channel that a server serves."""

    id: Uint32
    #: Who is in it now.
    users: Annotated[list[ReportedUser], msgspec.Meta(max_length=CHANNEL_USERS)] = []


MetricKey = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
MetricValue = Annotated[str, msgspec.Meta(max_length=256)]


class ReportChannelsRequest(Request, frozen=True, kw_only=True):
    #: What the server says of itself: `addr` (`host:port`, where clients connect) and `name` must be there; `url` is
    #: where browsers connect: `wss://…`, to which `/v1/channels/7/connect` is added. The rest is its own.
    metric: Annotated[dict[MetricKey, MetricValue], msgspec.Meta(max_length=64)]
    #: All channels that it serves, each once.
    channels: Annotated[list[ReportedChannel], msgspec.Meta(max_length=CHANNELS)]


async def create(call: Call, request: CreateChannelRequest) -> dict[str, Any]:
    outcome = await call.submit(CreateChannel(name=request.name, limit=request.limit), shows=())
    # From the event: the same when the command is repeated.
    return {"channel": channel_view(as_created(outcome.record(ChannelCreated)))}


async def list_(call: Call, request: ListChannelsRequest) -> dict[str, Any]:
    rows = await call.rows(queries("channels")["page"], place(request), request.limit + 1)
    found, more = pages.by_id(rows, request.limit)
    return {"channels": await _shown(call, [from_row(Channel, row) for row in found]), "next": more}


def place(request: ListChannelsRequest) -> int:
    """The id that the page comes after. Raises Problem ``invalid``."""
    (after,) = pages.decode(request.cursor, tuple[pages.Offset], (0,))
    return after


async def get(call: Call, request: GetChannelRequest) -> dict[str, Any]:
    channel = await _existing(call, request.channel)
    return {"channel": (await _shown(call, [channel]))[0]}


async def _shown(call: Call, channels: list[Channel]) -> list[View]:
    """Channels with who is in them, as the caller sees it."""
    seconds = call.settings.channel_server_seconds
    async with call.reading() as connection:
        inside = await channel_servers.inside(connection, [one.id for one in channels], call.user, seconds)
    return [{**channel_view(one), "users": [_user(user) for user in inside[one.id]]} for one in channels]


def _user(inside: Inside) -> View:
    return {"id": inside.username, "name": inside.name, "number": inside.number}


async def _find(call: Call, id: int) -> Channel | None:
    """A channel, deleted ones too; also one that was made a moment ago, anywhere."""
    row = await call.sought(lambda: _row(call, id), "rooms")
    return None if row is None else from_row(Channel, row)


async def _row(call: Call, id: int) -> Row | None:
    return await call.row(queries("channels")["by_id"], id)


async def _existing(call: Call, id: int) -> Channel:
    """A channel. Raises Refused ``not_found``."""
    channel = await _find(call, id)
    if channel is None or channel.state == "deleted":
        raise missing_channel(id)
    return channel


async def delete(call: Call, request: GetChannelRequest) -> None:
    channel = await _find(call, request.channel)
    if channel is None:
        raise missing_channel(request.channel)
    # Before it is done: what fails here has changed nothing.
    async with call.reading() as connection:
        servers = await channel_servers.serving(connection, channel.id, call.settings.channel_server_seconds)
    await call.submit(DeleteChannel(channel=channel.id, owner=channel.owner), shows=())
    # Whoever is cut off finds it deleted, and is not sent back to it.
    await call.meet_own("rooms")
    await asyncio.gather(*(call.services.drop_channel(server, channel.id) for server in servers))


async def listen(call: Call, request: GetChannelRequest) -> dict[str, Any]:
    # A key that was used is answered before anything is looked at that may have changed since.
    like = ListenChannel(user=call.user, channel=request.channel, server="any", number=1)
    outcome = await call.used(like, shows=())
    if outcome is None:
        channel = await _existing(call, request.channel)
        before = await _let_in(call, channel)
        place = await _served(call, channel)
        number = before.number or await _numbered(call)
        outcome = await call.submit(
            ListenChannel(user=call.user, channel=channel.id, server=place.server.id, number=number), shows=()
        )
    return await _sent(call, outcome.record(ChannelListened))


async def _let_in(call: Call, channel: Channel) -> Before:
    """Raises Problem where the caller may not be in the channel: a block stands between, or it is full."""
    await call.meet_own("users")
    async with call.reading() as connection:
        before = await channel_servers.before(connection, channel.id, call.user, call.settings.channel_server_seconds)
    if before is None:
        raise Problem("lagging", "expected the read models to have the caller, found none yet", retry_after=2)
    if not before.username:
        raise Problem(
            "forbidden", "expected a user with a username, by which live channels tell people; yours has none"
        )
    if before.apart:
        raise Problem("forbidden", "expected a channel without anybody with whom you have a block; somebody is in it")
    if before.others >= channel.limit:
        text = f"expected fewer than {channel.limit} others in channel {channel.id}, got {before.others}; come later"
        raise Problem("too_many", text)
    return before


async def _served(call: Call, channel: Channel) -> Place:
    """The living server that serves the channel, from now on at least. Raises Problem ``unavailable``."""
    asked: set[str] = set()
    while True:
        async with call.reading() as connection:
            place = await channel_servers.choose(connection, channel.id, call.settings.channel_server_seconds)
        if place is None:
            text = "expected a living server of channels, found none; one that starts reports within seconds"
            raise Problem("unavailable", text, retry_after=NO_SERVER_SECONDS)
        if place.serves:
            return place
        try:
            await call.services.add_channel(place.server, channel.id, channel.name, channel.limit)
            return place
        except Problem as problem:
            # One that cannot be reached, or refuses, stops no channel while there is another.
            if problem.code != "unavailable" or place.server.id in asked or len(asked) >= SERVERS_ASKED:
                raise
        asked.add(place.server.id)
        async with call.reading() as connection:
            await channel_servers.set_aside(connection, place.server.id)


async def _numbered(call: Call) -> int:
    """The caller's number, given now unless they had it already."""
    outcome = await call.step(NumberUser(user=call.user), key=None)
    number = outcome.entity(ChannelUser, channel_user_key(call.user)).number
    assert number is not None, "the command gives one"
    return number


async def _sent(call: Call, record: Record[ChannelListened]) -> dict[str, Any]:
    """What tells a client to connect: made of the event, so that the same listen has the same token."""
    event = record.data
    async with call.reading() as connection:
        server = await channel_servers.server(connection, event.server)
        username = await connection.fetchval(queries("channels")["username"], record.stream)
    if server is None:
        text = f"expected the server {event.server} to be known, it has not reported for long; listen anew"
        raise Problem("unavailable", text, retry_after=NO_SERVER_SECONDS)
    token = ChannelToken(
        user=record.stream, username=username, number=event.number, channel=event.channel, server=event.server,
        before=event.was, version=record.offset, timestamp=to_datetime(record.time).timestamp(), id=record.id,
        session=call.identity.session if call.identity is not None else "",
    )  # fmt: skip
    return {
        "server": {"id": server.id, "address": server.address, "name": server.name},
        "token": mint_channel_token(call.settings.secret, token), "number": event.number,
        "url": server.socket(event.channel),
    }  # fmt: skip


async def report(call: Call, request: ReportChannelsRequest) -> None:
    # A service account is one server: its id names it.
    address, name = _named(request.metric)
    told = Report(call.user, address, _socket(request.metric), name, request.metric, _users(request.channels))
    async with call.reading() as connection:
        await channel_servers.record(connection, told, call.settings.channel_server_seconds)
        inside = await channel_servers.inside_of(connection, told.id)
    call.services.tell(gossip.inside_notes(told.id, inside))


def _named(metric: dict[str, str]) -> tuple[str, str]:
    """Address and name of a server. Raises Problem or Refused ``invalid``."""
    address, name = metric.get(_ADDRESS, ""), metric.get(_NAME, "")
    if not _HOST_AND_PORT.fullmatch(address) or int(address.rpartition(":")[2]) > 65535:
        expected = "host:port, as chat.example.org:8403 or [2001:db8::1]:8403"
        raise Problem("invalid", errors=[wrong(f"/metric/{_ADDRESS}", expected, _found(metric, _ADDRESS))])
    if not name:
        raise Problem("invalid", errors=[wrong(f"/metric/{_NAME}", "the server's name", _found(metric, _NAME))])
    check_name(f"metric.{_NAME}", name)
    return address, name


def _socket(metric: dict[str, str]) -> str | None:
    """The base of the URLs of a server's WebSockets; None: it has told none. Raises Problem ``invalid``."""
    url = metric.get(_URL)
    if url is None:
        return None
    if not is_socket_url(url):
        raise Problem("invalid", errors=[wrong(f"/metric/{_URL}", SOCKET_URL, found(url))])
    return url.rstrip("/")


def _found(metric: dict[str, str], key: str) -> str:
    return found(metric[key]) if key in metric else "nothing"


def _users(channels: list[ReportedChannel]) -> dict[int, dict[str, int]]:
    """Who is in each channel. Raises Problem ``invalid`` for one that is there twice."""
    users: dict[int, dict[str, int]] = {}
    for n, channel in enumerate(channels):
        if channel.id in users:
            raise Problem("invalid", errors=[wrong(f"/channels/{n}/id", "each channel once", f"{channel.id} again")])
        users[channel.id] = {user.id: user.version for user in channel.users}
    return users


OPERATIONS = [
    Operation("channels.create", "POST", "/v1/channels", "user", CreateChannelRequest, create,
              "Make a live channel", {"channel": "Channel"}, 201, limit="create", default_app=True),
    Operation("channels.list", "GET", "/v1/channels", "user", ListChannelsRequest, list_,
              "Live channels, each with who is in it", {"channels": "[ChannelNow]", "next": "cursor"}, as_of=_PAST,
              default_app=True),
    Operation("channels.get", "GET", "/v1/channels/{channel}", "user", GetChannelRequest, get,
              "A live channel, with who is in it", {"channel": "ChannelNow"}, as_of=_PAST, default_app=True),
    Operation("channels.delete", "DELETE", "/v1/channels/{channel}", "account", GetChannelRequest, delete,
              "Delete a live channel", {}, 204, default_app=True),
    Operation("channels.listen", "POST", "/v1/channels/{channel}/listen", "user", GetChannelRequest, listen,
              "Be sent to the server of a live channel",
              {"server": "ChannelServer", "token": "string", "number": "integer", "url": "socket"}, default_app=True),
    Operation("channels.report", "POST", "/v1/channels/report", "service", ReportChannelsRequest, report,
              "Report that a server of live channels lives, and what it serves", {}, 204, body_bytes=REPORT_BYTES,
              scope="channels:serve", unattended=True, default_app=True),
]  # fmt: skip
