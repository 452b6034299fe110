"""The relay of one process: channels that it serves, members who are connected, and what passes between them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from push.relay import metrics
from push.relay.core.endings import (
    APART,
    DELETED,
    DRAINING,
    ELSEWHERE,
    QUIT,
    REVOKED,
    Ending,
    RelayRefused,
    too_fast,
    unauthenticated,
)
from push.relay.core.frames import relayed
from push.relay.core.limits import RelayLimits
from push.relay.core.relay_channel import RelayMember
from push.relay.core.relay_state import RelayState
from push.relay.core.tickets import ChannelTicket, TicketReader
from push.relay.member_stream import MemberStream, MemberTransport, TransportLost

log = logging.getLogger(__name__)

#: Told of a member who has joined, or left. Must not raise.
Told = Callable[[ChannelTicket], None]


class ServedChannel(NamedTuple):
    """A channel and who is in it, whoever joined first comes first."""

    id: int
    name: str
    limit: int
    members: Sequence[ChannelTicket]


def _nobody(_: ChannelTicket) -> None:
    """Tells nobody."""


class Relay:
    """Serves members between ``start`` and ``drain``. All methods are for the event loop that runs the server."""

    def __init__(
        self, server: str, reader: TicketReader, limits: RelayLimits | None = None, *,
        on_join: Told = _nobody, on_leave: Told = _nobody,
    ) -> None:  # fmt: skip
        """``server``: the id that channel tokens for this relay name."""
        self.limits = limits or RelayLimits()
        self._reader = reader
        self._on_join = on_join
        self._on_leave = on_leave
        self._state = RelayState(server, self.limits)
        self._streams: dict[RelayMember, MemberStream] = {}
        #: Calls to Connect that have joined and are not over; ``stop`` of a server does not wait for them.
        self._calls = 0
        self._empty = asyncio.Event()
        self._empty.set()
        self._open = False

    @property
    def ready(self) -> bool:
        """Whether members are taken in."""
        return self._open

    def start(self) -> None:
        """Takes members in from now on."""
        self._open = True

    async def drain(self, seconds: float = 5.0) -> bool:
        """Takes nobody in any more, and tells all members to call Listen again. Returns whether all have gone in time.

        For before the server stops.
        """
        self._open = False
        for stream in tuple(self._streams.values()):
            stream.end(DRAINING)
        try:
            await asyncio.wait_for(self._empty.wait(), seconds)
        except TimeoutError:
            log.warning("expected all members to be gone after %g s, %d are not", seconds, self._calls)
        return self._empty.is_set()

    async def stop(self, seconds: float = 5.0) -> None:
        """Drains, and serves no channel any more."""
        await self.drain(seconds)
        for id in tuple(self._state.channels):
            self.drop(id)

    def served(self) -> list[ServedChannel]:
        """All channels, for a report."""
        return [
            ServedChannel(one.id, one.name, one.limit, [member.ticket for member in one.members.values()])
            for one in self._state.channels.values()
        ]

    def inside(self, id: int) -> list[ChannelTicket]:
        """Who is in a channel; nobody is in one that is not served."""
        channel = self._state.channels.get(id)
        return [] if channel is None else [member.ticket for member in channel.members.values()]

    def add(self, id: int, name: str, limit: int) -> None:
        """Serves a channel. Twice is once. Raises RelayRefused."""
        before = len(self._state.channels)
        self._state.add(id, name, limit)
        metrics.CHANNELS.inc(len(self._state.channels) - before)

    def remove(self, id: int) -> None:
        """Serves a channel no more. Raises RelayRefused while somebody is in it."""
        before = len(self._state.channels)
        self._state.remove(id)
        metrics.CHANNELS.dec(before - len(self._state.channels))

    def rest(self, seconds: float, more: float) -> set[int]:
        """Channels in which nobody was for so many seconds: nobody need be sent here for them. Those in which nobody
        was for ``more`` seconds longer are served no more."""
        now = time.monotonic()
        for id in self._state.idle(now, seconds + more):
            self.remove(id)
        return self._state.idle(now, seconds)

    def drop(self, id: int, ending: Ending = DELETED) -> int:
        """A channel was deleted, or is served elsewhere: cuts off all who are in it. Returns how many."""
        before = len(self._state.channels)
        gone = self._state.drop(id)
        metrics.CHANNELS.dec(before - len(self._state.channels))
        for member in gone:
            self._streams[member].end(ending)
        return len(gone)

    def end_session(self, session: str) -> None:
        """A session was closed: cuts off who listened in it, if anybody."""
        member = self._state.of_session(session)
        if member is not None:
            self._streams[member].end(REVOKED)

    def part(self, user: str, channel: int) -> bool:
        """Cuts a user off who must not be in a channel with somebody else there. Returns whether they were in."""
        member = self._state.users.get(user)
        if member is None or member.ticket.channel != channel:
            return False
        self._streams[member].end(APART)
        return True

    def cut(self, user: str, version: int) -> bool:
        """A user is connected elsewhere with a token of this version: cuts off an older connection of theirs. Returns
        whether there was one. Older tokens of theirs are good no more."""
        member = self._state.cut(user, version, time.monotonic())
        if member is not None:
            self._streams[member].end(ELSEWHERE)
        return member is not None

    async def serve(self, token: str, transport: MemberTransport, channel: int | None = None) -> None:
        """One member, from their channel token to their end. ``channel``: the one that the token must be of; None: any.

        Raises RelayRefused for who does not come in, and what the transport raises at its end.
        """
        ticket = self._ticket(token, channel)
        if not self._open:
            raise RelayRefused(*DRAINING)
        if self._calls >= 2 * self.limits.members:
            # Who has left and does not read holds a call until their connection ends: gRPC cannot end it over their
            # head.
            raise RelayRefused(
                "UNAVAILABLE", "overloaded", f"expected fewer than {2 * self.limits.members} calls here, try again"
            )
        # Until the stream is there nothing is awaited.
        member, _channel, cut = self._state.join(ticket, time.monotonic(), time.time())
        stream = self._streams[member] = MemberStream(
            transport, member, self._taken, self._left, self.limits.linger_seconds
        )
        metrics.MEMBERS.inc()
        self._calls += 1
        self._empty.clear()
        try:
            if cut is not None:
                self._streams[cut].end(ELSEWHERE)
            self._on_join(ticket)
            await transport.welcome(member)
            await stream.run()
        except TransportLost:
            log.debug("a member is gone before they were told that they are in")
        finally:
            self._calls -= 1
            if not self._calls:
                self._empty.set()
            stream.end(QUIT)

    def _ticket(self, token: str, channel: int | None) -> ChannelTicket:
        if len(token) > self.limits.ticket_bytes:
            raise unauthenticated(
                f"channel token: expected at most {self.limits.ticket_bytes} characters, got {len(token)}"
            )
        ticket = self._reader.read(token)
        if channel is not None and ticket.channel != channel:
            raise unauthenticated(f"expected a channel token for channel {channel}, got one for {ticket.channel}")
        return ticket

    def _taken(self, sender: RelayMember, raw: bytes) -> None:
        """Passes on what a member sends. Raises RelayRefused."""
        frame = relayed(raw, sender.number, self.limits.frame_bytes)
        excess = sender.rate.take(len(raw), time.monotonic())
        if excess is not None:
            most = self.limits.frames_second if excess == "frames" else self.limits.bytes_second
            raise RelayRefused(*too_fast(excess, most))
        channel = self._state.channels.get(sender.ticket.channel)
        if channel is None:
            return
        before = channel.dropped
        receivers = channel.relay(sender, frame)
        for member in receivers:
            self._streams[member].wake()
        metrics.FRAMES.inc()
        metrics.DELIVERIES.inc(len(receivers))
        metrics.BYTES.inc(len(frame) * len(receivers))
        if channel.dropped > before:
            metrics.DROPPED.inc(channel.dropped - before)

    def _left(self, member: RelayMember) -> None:
        """A stream has ended, whoever ended it: others do not see its member any more."""
        self._state.leave(member)
        del self._streams[member]
        metrics.MEMBERS.dec()
        self._on_leave(member.ticket)
