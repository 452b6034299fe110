"""What operators ask a node: which connections a user has here, and how far each has been told. Keeps nothing."""

from __future__ import annotations

import msgspec

from push.delivery.hub import Hub


class Connected(msgspec.Struct, frozen=True):
    """One subscription of a user."""

    #: Id of the connection.
    client: str
    #: All deltas up to this cursor were handed to the connection, or are not for the user.
    cursor: int
    #: Whether it gets new deltas as they come; else it is still being given older ones.
    live: bool
    #: Whether all that was handed over went out to the socket; else some waits for a client that does not keep up.
    keeps_up: bool


class Connections(msgspec.Struct, frozen=True):
    """A node's answer."""

    #: The incarnation of the feed that the cursors belong to.
    epoch: str
    #: How far this node has read the user's part of the feed, as a cursor.
    read: int
    connections: list[Connected]


def connections(hub: Hub, user: str) -> Connections:
    """The user's connections to this node. Raises Unavailable before the hub has started."""
    here = hub.here(user)
    found = [
        Connected(getattr(one.sink, "client", ""), one.cursor, one.live, one.sink.room() > 0)
        for one in hub.subscriptions(user)
    ]
    return Connections(here.epoch, here.cursor, found)
