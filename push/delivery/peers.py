"""Who is connected to this node: by user and by login session, so that a revoked token ends its connections at once."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import Protocol

from push.protocol import codes
from push.protocol.backend import ConnectionIdentity
from push.protocol.codes import Disconnect

#: Seconds for which a revocation is remembered: longer than a token check takes that was under way meanwhile.
_REMEMBER = 60.0


#: Connections that one user may have to a node: more than devices and tabs, fewer than a client run wild makes.
CONNECTIONS = 100


class ClientPeer(Protocol):
    """A connection of an identity."""

    client: str

    def cut(self, disconnect: Disconnect) -> None:
        """Close it, within this turn of the loop."""
        ...


class Peers:
    """The connections of a node."""

    def __init__(self) -> None:
        self._identities: dict[ClientPeer, ConnectionIdentity] = {}
        self._by_user: dict[str, list[ClientPeer]] = {}
        self._by_session: dict[str, list[ClientPeer]] = {}
        self._revoked: deque[tuple[float, str, str]] = deque()
        #: Connections by application now, and the most at once since the peaks were last taken.
        self._by_app: Counter[str] = Counter()
        self._peaks: dict[str, int] = {}
        self.draining = False

    def __len__(self) -> int:
        return len(self._identities)

    def join(self, peer: ClientPeer, identity: ConnectionIdentity, asked: float) -> Disconnect | None:
        """Register a connection whose token check began at ``asked`` (``time.monotonic``).

        Returns why it must be closed instead: the token was revoked while it was checked, the node is draining,
        or the user has too many connections.
        """
        if self.draining:
            return codes.SHUTDOWN
        for moment, session, user in self._revoked:
            if moment >= asked and (session == identity.session or user == identity.user):
                return codes.REVOKED
        self.leave(peer)
        if len(self._by_user.get(identity.user, ())) >= CONNECTIONS:
            return codes.TOO_MANY
        self._identities[peer] = identity
        self._by_user.setdefault(identity.user, []).append(peer)
        self._by_session.setdefault(identity.session, []).append(peer)
        self._by_app[identity.app] += 1
        self._peaks[identity.app] = max(self._peaks.get(identity.app, 0), self._by_app[identity.app])
        return None

    def has(self, peer: ClientPeer) -> bool:
        """Whether a connection is registered."""
        return peer in self._identities

    def leave(self, peer: ClientPeer) -> None:
        """Forget a connection; harmless when it is not known."""
        identity = self._identities.pop(peer, None)
        if identity is None:
            return
        for table, key in ((self._by_user, identity.user), (self._by_session, identity.session)):
            table[key].remove(peer)
            if not table[key]:
                del table[key]
        self._by_app[identity.app] -= 1
        if not self._by_app[identity.app]:
            del self._by_app[identity.app]

    def take_peaks(self) -> dict[str, int]:
        """The most connections that each application has had at once since this was last asked; without those of none.

        What is open now counts for the time that follows, too.
        """
        peaks, self._peaks = self._peaks, dict(self._by_app)
        return peaks

    def apps(self) -> Mapping[str, int]:
        """How many connections to this node each application has."""
        return self._by_app

    def of_app(self, app: str) -> int:
        """How many connections to this node an application has."""
        return self._by_app.get(app, 0)

    def of_user(self, user: str) -> Sequence[ClientPeer]:
        """The user's connections to this node."""
        return tuple(self._by_user.get(user, ()))

    def identities(self, user: str | None = None) -> Sequence[ConnectionIdentity]:
        """Who is connected, or a user's part of it: a login session, or a token, once."""
        found = self._identities.values() if user is None else map(self._identities.__getitem__, self.of_user(user))
        return tuple({(identity.session, identity.issued): identity for identity in found}.values())

    def revoked(self, session: str) -> None:
        """A login session has ended: cut its connections."""
        self._revoke(session, "", self._by_session.get(session, ()))

    def revoked_user(self, user: str) -> None:
        """All sessions of a user have ended: cut their connections."""
        self._revoke("", user, self._by_user.get(user, ()))

    def _revoke(self, session: str, user: str, peers: Sequence[ClientPeer]) -> None:
        now = time.monotonic()
        while self._revoked and self._revoked[0][0] < now - _REMEMBER:
            self._revoked.popleft()
        self._revoked.append((now, session, user))
        for peer in tuple(peers):
            peer.cut(codes.REVOKED)

    def cut_all(self, disconnect: Disconnect) -> None:
        """Close every connection now."""
        for peer in tuple(self._identities):
            peer.cut(disconnect)

    async def drain(self, seconds: float) -> None:
        """Close all connections, spread evenly over ``seconds`` in random order; new ones are sent away."""
        self.draining = True
        peers = list(self._identities)
        random.shuffle(peers)
        began = time.monotonic()
        for index, peer in enumerate(peers):
            wait = began + seconds * index / len(peers) - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            peer.cut(codes.SHUTDOWN)
