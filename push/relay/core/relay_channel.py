"""One channel at the server that serves it: its members, and who receives a frame. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from push.relay.core.endings import RelayRefused
from push.relay.core.member_queue import MemberQueue
from push.relay.core.rate import FrameRate
from push.relay.core.tickets import ChannelTicket


class RelayMember:
    """One connection of a user to a channel. Two of them are never equal."""

    __slots__ = ("queue", "rate", "ticket")

    def __init__(self, ticket: ChannelTicket, queue: MemberQueue, rate: FrameRate) -> None:
        self.ticket = ticket
        self.queue = queue
        self.rate = rate

    @property
    def number(self) -> int:
        return self.ticket.number


class RelayChannel:
    """``limit``: members at most. ``members``: by their numbers, whoever joined first comes first."""

    def __init__(self, id: int, name: str, limit: int) -> None:
        self.id = id
        self.name = name
        self.limit = limit
        self.members: dict[int, RelayMember] = {}
        #: Frames that were dropped so far, of all its receivers.
        self.dropped = 0
        self._others: dict[int, tuple[RelayMember, ...]] = {}

    def check_room(self, number: int) -> None:
        """Raises RelayRefused when the channel is full of others than the one with this number.

        FAILED_PRECONDITION and not RESOURCE_EXHAUSTED: what retries by itself takes the latter for a rate and tries
        again, and here nothing helps until somebody leaves.
        """
        taken = len(self.members) - (number in self.members)
        if taken >= self.limit:
            raise RelayRefused(
                "FAILED_PRECONDITION", "channel_full", f"expected fewer than {self.limit} members, got {taken}"
            )

    def join(self, member: RelayMember) -> RelayMember | None:
        """Takes a member in. Returns the earlier connection of the same user, which it replaces. Raises RelayRefused:
        full."""
        self.check_room(member.number)
        # In the order of joining: who connects anew comes last.
        earlier = self.members.pop(member.number, None)
        self.members[member.number] = member
        self._others.clear()
        return earlier

    def leave(self, member: RelayMember) -> bool:
        """Takes this connection out. Returns whether it was in: it may have been replaced."""
        if self.members.get(member.number) is not member:
            return False
        del self.members[member.number]
        self._others.clear()
        return True

    def relay(self, sender: RelayMember, frame: bytes) -> Sequence[RelayMember]:
        """Puts a frame of a member into the queue of all others, who are returned; of nobody when the sender has left.

        All queues have frames in the order of these calls.
        """
        if self.members.get(sender.number) is not sender:
            return ()
        receivers = self._others.get(sender.number)
        if receivers is None:
            receivers = tuple(one for number, one in self.members.items() if number != sender.number)
            self._others[sender.number] = receivers
        dropped = 0
        for member in receivers:
            dropped += member.queue.put(frame)
        self.dropped += dropped
        return receivers
