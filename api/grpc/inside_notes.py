"""What a relay tells push nodes of who is in its channels: changes soon, all of it with each report."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from api.core.calls import TellNotes
from push.presence.gossip import ChannelNote, GossipMessage, MemberNote, inside_notes
from push.relay.core.tickets import ChannelTicket
from push.relay.relay import Relay

#: Seconds within which comings and goings are told together.
GATHER_SECONDS = 0.1


class InsideNotes:
    """Of one relay. All methods are for the event loop that runs it."""

    def __init__(self, server: str, relay: Relay, tell: TellNotes) -> None:
        """``server``: the relay's id."""
        self._server = server
        self._relay = relay
        self._tell = tell
        self._changed: set[int] = set()
        self._due: asyncio.TimerHandle | None = None
        self._over = False

    def changed(self, channel: int) -> None:
        """Somebody has come, or gone."""
        self._changed.add(channel)
        if self._due is None and not self._over:
            self._due = asyncio.get_running_loop().call_later(GATHER_SECONDS, self._changes)

    def whole(self) -> None:
        """Tells everything."""
        inside = [_inside(one.id, one.members) for one in self._relay.served() if one.members]
        self._tell(inside_notes(self._server, inside))

    def bye(self) -> None:
        """The relay takes nobody in any more, and whoever is inside is about to go."""
        self._over = True
        if self._due is not None:
            self._due.cancel()
        self._tell([GossipMessage(node=self._server, bye=True)])

    def _changes(self) -> None:
        self._due = None
        changed, self._changed = self._changed, set()
        inside = [_inside(channel, self._relay.inside(channel)) for channel in sorted(changed)]
        self._tell([GossipMessage(node=self._server, inside=inside)])


def _inside(channel: int, members: Sequence[ChannelTicket]) -> ChannelNote:
    return ChannelNote(channel, [MemberNote(one.user, one.username, one.number, one.version) for one in members])
