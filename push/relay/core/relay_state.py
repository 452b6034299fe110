"""All channels that a relay serves, and that a user is in one of them at a time. Pure: as ``tickets.py`` for times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from push.relay.core.endings import RelayRefused, outdated
from push.relay.core.limits import MOST_MEMBERS, RelayLimits
from push.relay.core.member_queue import MemberQueue
from push.relay.core.rate import FrameRate
from push.relay.core.relay_channel import RelayChannel, RelayMember
from push.relay.core.tickets import ChannelTicket, Tickets


class RelayJoin(NamedTuple):
    """A member who has joined; and the user's earlier connection, which has to end."""

    member: RelayMember
    channel: RelayChannel
    cut: RelayMember | None


class RelayState:
    """Channels and members of one server. Whoever is returned as cut has left already."""

    def __init__(self, server: str, limits: RelayLimits) -> None:
        self.limits = limits
        self.channels: dict[int, RelayChannel] = {}
        #: The connection of each user who has one.
        self.users: dict[str, RelayMember] = {}
        #: The same by the session that listened.
        self._sessions: dict[str, RelayMember] = {}
        #: Since when nobody is in a channel, as ``idle`` has seen it.
        self._empty: dict[int, float] = {}
        self._tickets = Tickets(server, limits.ticket_seconds, limits.tickets)

    def add(self, id: int, name: str, limit: int) -> None:
        """Serves a channel from now on; of one that is served, name and limit change. Raises RelayRefused."""
        if not 1 <= limit <= MOST_MEMBERS:
            raise _invalid(f"limit: expected 1 to {MOST_MEMBERS}, got {limit}")
        if id < 1:
            raise _invalid(f"id: expected 1 or more, got {id}")
        self._empty.pop(id, None)
        channel = self.channels.get(id)
        if channel is not None:
            channel.name, channel.limit = name, limit
            return
        if len(self.channels) >= self.limits.channels:
            raise RelayRefused(
                "RESOURCE_EXHAUSTED",
                "channels_full",
                f"expected fewer than {self.limits.channels} channels at this server, got {len(self.channels)}",
            )
        self.channels[id] = RelayChannel(id, name, limit)

    def remove(self, id: int) -> None:
        """Serves a channel no more; nothing changes when it does not. Raises RelayRefused while somebody is in it."""
        channel = self.channels.get(id)
        if channel is not None and channel.members:
            raise RelayRefused(
                "FAILED_PRECONDITION", "channel_in_use", f"expected nobody in the channel, got {len(channel.members)}"
            )
        self.channels.pop(id, None)

    def idle(self, now: float, seconds: float) -> set[int]:
        """Channels in which nobody was for so many seconds, as far as earlier calls have seen."""
        empty = {id for id, channel in self.channels.items() if not channel.members}
        self._empty = {id: self._empty.get(id, now) for id in empty}
        return {id for id, since in self._empty.items() if now - since >= seconds}

    def drop(self, id: int) -> Sequence[RelayMember]:
        """Serves a channel no more, whoever is in it. Returns all who were."""
        channel = self.channels.get(id)
        if channel is None:
            return ()
        cut = tuple(channel.members.values())
        for member in cut:
            self.leave(member)
        del self.channels[id]
        return cut

    def of_session(self, session: str) -> RelayMember | None:
        """Who listened in a session, and is connected."""
        return self._sessions.get(session)

    def join(self, ticket: ChannelTicket, now: float, time: float) -> RelayJoin:
        """Takes a user in, for whom the token is used up. Raises RelayRefused, and then the token is not."""
        self._tickets.check(ticket, now, time)
        channel = self.channels.get(ticket.channel)
        if channel is None:
            raise RelayRefused(
                "UNAVAILABLE", "channel_elsewhere", f"channel {ticket.channel} is not served here: call Listen again"
            )
        present = self.users.get(ticket.user)
        if present is not None and present.ticket.version >= ticket.version:
            raise outdated(present.ticket.version, ticket.version)
        channel.check_room(ticket.number)
        if present is None and len(self.users) >= self.limits.members:
            raise RelayRefused(
                "UNAVAILABLE",
                "overloaded",
                f"expected fewer than {self.limits.members} members here: call Listen again",
            )
        self._tickets.use(ticket, now)
        if present is not None:
            self.leave(present)
        limits = self.limits
        member = RelayMember(
            ticket,
            MemberQueue(limits.queue_frames, limits.queue_bytes),
            FrameRate(limits.frames_second, limits.bytes_second, now),
        )
        channel.join(member)
        self._empty.pop(channel.id, None)
        self.users[ticket.user] = self._sessions[ticket.session] = member
        return RelayJoin(member, channel, present)

    def leave(self, member: RelayMember) -> bool:
        """Takes a connection out. Returns whether it was in."""
        channel = self.channels.get(member.ticket.channel)
        if channel is None or not channel.leave(member):
            return False
        del self.users[member.ticket.user]
        if self._sessions.get(member.ticket.session) is member:
            del self._sessions[member.ticket.session]
        return True

    def cut(self, user: str, version: int, now: float) -> RelayMember | None:
        """The user is connected elsewhere with a token of this version. Returns their connection here if it is older;
        tokens of older versions are good no more either way."""
        self._tickets.outdate(user, version, now)
        member = self.users.get(user)
        if member is None or member.ticket.version >= version:
            return None
        self.leave(member)
        return member


def _invalid(detail: str) -> RelayRefused:
    return RelayRefused("INVALID_ARGUMENT", "invalid", detail)
