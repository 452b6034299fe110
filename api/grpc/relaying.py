"""The relay of a process, and what it has to do with the installation: its tokens, reports, and whom it cuts off."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Sequence
from typing import NamedTuple

import grpc
from starlette.routing import BaseRoute

from api.core.app_tokens import issued_of, of_app
from api.core.calls import Services
from api.core.cutting import Cutting
from api.grpc.inside_notes import InsideNotes
from api.grpc.relay_limits import relay_limits
from api.grpc.relays import Relays
from api.support import channel_servers
from api.support.channel_servers import Member, Report
from events.core.derived_ids import DEFAULT_APP
from infra.base import away
from infra.base.progress import Progress
from infra.base.settings import Settings
from producers.engine.router import proof
from push.relay import websocket
from push.relay.core.endings import GIVEN_AWAY, REVOKED, RelayRefused
from push.relay.core.tickets import ChannelTicket, TicketRefused
from push.relay.relay import Relay
from push.relay.service import handlers
from push.relay.tokens import BadChannelToken, read_channel_token

log = logging.getLogger(__name__)

#: Seconds between reports while people come and go.
SOON_SECONDS = 1.0
#: Seconds without anybody in it after which a channel is no longer served; reports leave it out two of them earlier,
#: so that nobody is on the way to it.
IDLE_SECONDS = 60.0


class ChannelTokens:
    """Implements TicketReader: the tokens that this installation gives for one server."""

    def __init__(self, settings: Settings, server: str, progress: Progress) -> None:
        """``progress`` knows which sessions were closed."""
        self._settings = settings
        self._server = server
        self._progress = progress

    def read(self, token: str) -> ChannelTicket:
        seconds = self._settings.channel_token_seconds
        try:
            found = read_channel_token(
                self._settings.secret, token, server=self._server, now=time.time(), seconds=seconds
            )
        except BadChannelToken as error:
            # The time has the words of other tokens; all else is a token that is no good here.
            named = {} if error.code == "unauthenticated" else {"type": error.code}
            raise TicketRefused(str(error), **named) from error
        if found.session in self._progress.revoked:
            raise RelayRefused(*REVOKED)
        return ChannelTicket(
            user=found.user, username=found.username, number=found.number, channel=found.channel, server=found.server,
            previous=found.before or "", version=found.version, id=found.id, timestamp=found.timestamp,
            session=found.session,
        )  # fmt: skip


class ChannelBearer(NamedTuple):
    """Implements Bearer."""

    app: str
    user: str
    session: str
    issued: float


class ChannelBearers:
    """Implements Bearers: who is in a channel of a relay. Channels are of the default application."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def identities(self, user: str | None = None) -> list[ChannelBearer]:
        tickets = [one for channel in self._relay.served() for one in channel.members]
        return [_bearer(one) for one in tickets if user is None or one.user == user]


def _bearer(ticket: ChannelTicket) -> ChannelBearer:
    issued = issued_of(ticket.session) if of_app(ticket.session) else ticket.timestamp
    return ChannelBearer(DEFAULT_APP, ticket.user, ticket.session, issued)


class ReportedRelay:
    """The relay with its reports.

    Its id is new with each start, as used tokens are remembered in memory, and ends with the address at which other
    processes reach it.
    """

    def __init__(self, settings: Settings, services: Services, relays: Relays) -> None:
        self.address = settings.grpc_address
        self.id = f"{secrets.token_hex(4)}@{self.address}"
        self._settings = settings
        self._services = services
        self._relays = relays
        limits = relay_limits(settings)
        self.relay = Relay(
            self.id,
            ChannelTokens(settings, self.id, services.progress),
            limits,
            on_join=self._joined,
            on_leave=self._moved,
        )
        self._notes = InsideNotes(self.id, self.relay, services.tell)
        self._cutting = Cutting(services, ChannelBearers(self.relay), self.relay.end_session)
        services.progress.on_revoke(self.relay.end_session)
        self._reporting: asyncio.Task[None] | None = None
        #: Set while somebody has come or gone since the latest report.
        self._changed = asyncio.Event()
        self._cuts: set[asyncio.Task[object]] = set()

    @property
    def ready(self) -> bool:
        """Whether members are taken in."""
        return self.relay.ready

    @property
    def handlers(self) -> Sequence[grpc.GenericRpcHandler]:
        """What the gRPC server of the process has of it."""
        return handlers(self.relay, proof(self._settings))

    @property
    def routes(self) -> list[BaseRoute]:
        """What the HTTP server of the process has of it."""
        return websocket.routes(self.relay)

    async def start(self) -> None:
        """Takes members in, and tells so: nobody is sent here before the first report."""
        self.relay.start()
        await self._cutting.start()
        self._reporting = asyncio.create_task(self._report_always(), name="channel reports")

    async def drain(self) -> None:
        """Tells all members to listen again, and nobody is sent here any more."""
        await self._end_reports()
        await self._report_no_more()
        self._notes.bye()
        await self.relay.drain()

    async def stop(self) -> None:
        await self._end_reports()
        for cut in self._cuts:
            cut.cancel()
        await self._cutting.stop()
        await self.relay.stop()

    async def _end_reports(self) -> None:
        if self._reporting is not None:
            self._reporting.cancel()
            await asyncio.gather(self._reporting, return_exceptions=True)
            self._reporting = None

    async def _report_always(self) -> None:
        whole = float("-inf")
        while True:
            began = time.monotonic()
            # Before the report is made: who comes from now on may not be in it.
            self._changed.clear()
            if began - whole >= self._settings.channel_report_seconds:
                whole = began
                self._notes.whole()
            try:
                await self._report()
            except away.PARTS as error:
                # What is said goes on without; others send nobody here until the next report.
                log.warning("no report of this relay: %r", error)
            await self._pause(began)

    async def _pause(self, began: float) -> None:
        """Until the next report is due: soon after somebody came or went, and not more often than every second."""
        seconds = self._settings.channel_report_seconds
        due = began + min(SOON_SECONDS, seconds)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, began + seconds - time.monotonic())):
                await self._changed.wait()
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _report(self) -> None:
        resting = self.relay.rest(IDLE_SECONDS, 2 * self._settings.channel_report_seconds)
        served = [one for one in self.relay.served() if one.id not in resting]
        users = {one.id: {member.username: member.version for member in one.members} for one in served}
        ids = {(one.id, member.username): member for one in served for member in one.members}
        metric = {"channels": str(len(served)), "users": str(len(ids))}
        told = Report(
            self.id, self._settings.grpc_advertise or self.address, self._settings.relay_base, f"relay {self.address}",
            metric, users,
        )  # fmt: skip
        seconds = self._settings.channel_server_seconds
        async with self._services.pool.acquire(timeout=5) as connection:
            await channel_servers.record(connection, told, seconds)
            await channel_servers.forget_before(connection, self.id)
            gone = await channel_servers.deleted(connection, list(users))
            given_away = await channel_servers.given_away(connection, self.id, list(users), seconds)
            elsewhere = await channel_servers.elsewhere(connection, self.id, seconds)
            apart = await channel_servers.apart(connection, [_member(one) for one in ids.values()])
        for channel in gone:
            self.relay.drop(channel)
        for channel in given_away:
            self.relay.drop(channel, GIVEN_AWAY)
        for user, channel in apart:
            self.relay.part(user, channel)
        for place in elsewhere:
            if place in ids:
                # By the next one: what is connected elsewhere is later than this one.
                self.relay.cut(ids[place].user, ids[place].version + 1)

    async def _report_no_more(self) -> None:
        try:
            async with self._services.pool.acquire(timeout=2) as connection:
                await channel_servers.forget(connection, self.id)
        except away.PARTS as error:
            log.warning("this relay counts as alive until its last report is old: %r", error)

    def _joined(self, ticket: ChannelTicket) -> None:
        """Whoever was connected to another relay is not any more. A server of others asks nobody, and is not asked."""
        self._moved(ticket)
        # Its token may have been given while that of the user still held.
        self._cutting.look(ticket.user)
        address = ticket.previous.partition("@")[2]
        if address and address != self.address:
            cut = asyncio.create_task(self._relays.cut(address, ticket.user, ticket.version))
            self._cuts.add(cut)
            cut.add_done_callback(self._cuts.discard)

    def _moved(self, ticket: ChannelTicket) -> None:
        """Somebody has come, or gone."""
        self._notes.changed(ticket.channel)
        self._changed.set()


def _member(ticket: ChannelTicket) -> Member:
    return Member(ticket.user, ticket.channel, ticket.timestamp)
