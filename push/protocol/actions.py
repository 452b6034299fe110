"""What a session asks of its driver, and the place at which a subscription starts: plain data."""

from __future__ import annotations

from typing import NamedTuple

from push.protocol.codes import Disconnect
from push.protocol.commands import Since


class Write(NamedTuple):
    """Send one object of a text frame. Objects written in one turn go out as one frame."""

    data: bytes


class Close(NamedTuple):
    """Close the connection. Nothing is written after it."""

    disconnect: Disconnect


class Authenticate(NamedTuple):
    id: int
    token: str


class Attach(NamedTuple):
    """Find the place ``since`` (None: now) in the user's stream."""

    id: int
    since: Since | None


class Start(NamedTuple):
    """The reply to a subscription is out: deliver. ``snapshot``: the place was lost, deliver a snapshot first."""

    snapshot: bool


class Detach(NamedTuple):
    """End the subscription."""


class CallRpc(NamedTuple):
    """Run a command. Id 0: no reply is sent, but the outcome is reported to the session."""

    id: int
    method: str
    data: bytes


class ReadPresence(NamedTuple):
    id: int
    method: str


class ReadHistory(NamedTuple):
    id: int
    limit: int
    since: Since | None


Action = Write | Close | Authenticate | Attach | Start | Detach | CallRpc | ReadPresence | ReadHistory


class SubscriptionStart(NamedTuple):
    """Where a subscription starts: what the subscribe result says."""

    epoch: str
    offset: int
    #: Whether the client asked to go on from somewhere, and whether everything since then will come.
    recovering: bool = False
    recovered: bool = False
