"""What a node knows of its users: their subscriptions, their stays in rooms, who is given the same items. No I/O."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from events.core.feed import Stay, covers
from push.protocol import codes
from push.protocol.codes import Disconnect
from push.protocol.items import FeedDelta, RoomChange, first_needed

_log = logging.getLogger("klatsch.push")


class Sink(Protocol):
    """The far end of a subscription: a connection, an event stream, a page."""

    def deliver(self, items: Sequence[FeedDelta]) -> int:
        """Send items, in order. Returns how many wait because the other side does not keep up."""
        ...

    def room(self) -> int:
        """How many older items it takes now; when 0, it calls ``Hub.advance`` as soon as it takes more."""
        ...

    def caught_up(self) -> None:
        """All older items were delivered; from here on it gets new ones."""
        ...

    def cut(self, disconnect: Disconnect) -> None:
        """End it, within this turn of the loop."""
        ...


class Subscription:
    """One sink's place in a user's stream."""

    __slots__ = ("closed", "cursor", "fresh", "live", "partition", "reading", "sink", "user_state")

    def __init__(self, partition: int, user_state: UserState, cursor: int, sink: Sink) -> None:
        self.partition = partition
        self.user_state = user_state
        #: All items up to here have been delivered, or are not for this user. Items above it are still to come.
        self.cursor = cursor
        self.sink = sink
        #: Whether new items go straight to it. Else it is still reading older ones.
        self.live = False
        #: Whether a pass over the feed in Kafka is delivering older items to it.
        self.reading = False
        self.closed = False
        #: New items of this turn of the loop: one list for each audience that it is in.
        self.fresh: tuple[list[FeedDelta], ...] = ()

    def give(self, items: Sequence[FeedDelta]) -> int:
        """Deliver. A sink that fails is cut, and nobody else notices."""
        try:
            return self.sink.deliver(items)
        except Exception:
            _log.exception("a delivery to a connection of user %s", self.user_state.user)
            self.closed = True
            self.sink.cut(codes.SERVER_ERROR)
            return 0

    @property
    def needs(self) -> int:
        """The first offset of the feed partition that may hold an item above the cursor."""
        return first_needed(self.cursor)


class UserState:
    """What a node knows of one user: who receives the same, the subscriptions, and the stays in rooms."""

    __slots__ = ("groups", "missed", "stays", "subscriptions", "user")

    def __init__(self, user: str) -> None:
        self.user = user
        #: Times in rooms; None while nobody needs them, or until they are learnt.
        self.stays: dict[str, list[Stay]] | None = None
        #: Changes that came while they were being learnt; None at other times.
        self.missed: list[tuple[RoomChange, int]] | None = None
        #: Those that have recent items, also for this user.
        self.groups: list[RecipientGroup] = []
        self.subscriptions: list[Subscription] = []

    def was_in(self, room: str, at: int) -> bool:
        """Whether the user was in the room just before an offset."""
        return self.stays is not None and covers(self.stays.get(room, ()), at)

    def is_in(self, room: str) -> bool:
        """Whether the user is in the room as far as the feed has been read."""
        stays = self.stays.get(room, ()) if self.stays is not None else ()
        return len(stays) > 0 and stays[-1][1] is None

    def take(self, change: RoomChange, at: int) -> None:
        """Keeps the stays up to date. A change that they have already changes nothing."""
        if self.stays is None:
            return
        stays = self.stays.setdefault(change.room, [])
        last = stays[-1] if stays else None
        if change.joined and (last is None or (last[1] is not None and last[1] < at)):
            stays.append((at, None))
        elif not change.joined and last is not None and last[1] is None and last[0] < at:
            stays[-1] = (last[0], at)


class RecipientGroup:
    """Users who are given the same items."""

    __slots__ = ("fresh", "items", "names", "reached", "user_states")

    def __init__(self, user_states: Sequence[UserState], names: tuple[str, ...] = ()) -> None:
        #: As whom the feed names them.
        self.names = names
        self.user_states = user_states
        #: Those of their recent items that came with these names, oldest first.
        self.items: list[FeedDelta] = []
        #: The items of this turn.
        self.fresh: list[FeedDelta] = []
        #: Live subscriptions that get them.
        self.reached = 0
