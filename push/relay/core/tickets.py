"""What a channel token says, and which are still good: each once, and none after a later one of its user. Pure."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from push.relay.core.endings import RelayRefused, outdated, unauthenticated


class ChannelTicket(NamedTuple):
    """The claims of a channel token, whose signature is good."""

    #: User id.
    user: str
    username: str
    #: The user's number, ``Message.user_id``: 1 or more.
    number: int
    #: Id of the channel.
    channel: int
    #: Id of the server that serves it.
    server: str
    #: Id of the server for which the user's Listen before was; empty without one.
    previous: str
    #: Grows with each Listen of the user.
    version: int
    #: Of the token itself.
    id: str
    #: Unix time of the Listen, in seconds.
    timestamp: float
    #: Id of the session that listened.
    session: str


class TicketRefused(RelayRefused):
    """A channel token cannot be read, its signature is not good, or its time is too far from this server's; the text
    says expected and actual."""

    def __init__(self, detail: str, type: str = "channel_token_invalid") -> None:
        super().__init__("UNAUTHENTICATED", type, detail)


class TicketReader(Protocol):
    """Reads channel tokens."""

    def read(self, token: str) -> ChannelTicket:
        """What a channel token says. Raises TicketRefused."""
        ...


class Tickets:
    """The channel tokens that were used, and each user's latest version: what a token is held against.

    Both are remembered for twice the seconds that a token holds: after those every token that they are about is stale.
    ``now`` is seconds of a clock that never jumps, ``time`` is unix time.
    """

    def __init__(self, server: str, seconds: float, most: int) -> None:
        """``most``: ids that are remembered; with as many in use, others have to wait. So many versions, too."""
        self._server = server
        self._seconds = seconds
        self._most = most
        self._used: dict[str, float] = {}
        self._latest: dict[str, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._used)

    def check(self, ticket: ChannelTicket, now: float, time: float) -> None:
        """Raises RelayRefused unless the token is for this server, holds now, was not used and is the latest."""
        self._forget(now)
        if ticket.server != self._server:
            raise unauthenticated(f"expected a channel token for server {self._server!r}, got one for another")
        age = time - ticket.timestamp
        if age > self._seconds:
            raise unauthenticated(
                f"expected a channel token of the last {self._seconds:g} s, got one that is {age:.1f} s old by this "
                "server's clock",
                "token_expired",
            )
        # A NaN is no distance.
        if not age >= -self._seconds:
            raise unauthenticated(
                f"expected a channel token at most {self._seconds:g} s ahead of this server's clock, got one that is "
                f"{-age:.1f} s ahead",
                "token_not_yet_valid",
            )
        if ticket.id in self._used:
            raise unauthenticated("expected a channel token that was not used, got one that was", "channel_token_used")
        latest, _ = self._latest.get(ticket.user, (-1, 0.0))
        if ticket.version < latest:
            raise outdated(latest, ticket.version)
        if len(self._used) >= self._most:
            raise RelayRefused(
                "UNAVAILABLE", "overloaded", f"expected at most {self._most} joins in {2 * self._seconds:g} s, got more"
            )

    def use(self, ticket: ChannelTicket, now: float) -> None:
        """The token was taken: it is good no more, and neither are older ones of its user."""
        self._used[ticket.id] = now
        self.outdate(ticket.user, ticket.version, now)

    def outdate(self, user: str, version: int, now: float) -> None:
        """The user is connected, here or elsewhere, with a token of this version: older ones are good no more."""
        self._forget(now)
        latest, _ = self._latest.pop(user, (-1, 0.0))
        if len(self._latest) >= self._most:
            # Cuts come from other servers and cannot wait; what is lost shields against tokens of the last seconds.
            del self._latest[next(iter(self._latest))]
        self._latest[user] = (max(version, latest), now)

    def _forget(self, now: float) -> None:
        # Both are in the order of their times.
        before = now - 2 * self._seconds
        while self._used and self._used[id := next(iter(self._used))] < before:
            del self._used[id]
        while self._latest and self._latest[user := next(iter(self._latest))][1] < before:
            del self._latest[user]
