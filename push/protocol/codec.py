"""What a session asks of the bytes of its connection, and which bytes a client wants: JSON or protobuf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol
from urllib.parse import parse_qs

from push.protocol import frames, protobuf
from push.protocol.codes import Error
from push.protocol.commands import ClientCommand
from push.protocol.items import FeedDelta


class Publisher(Protocol):
    """Encodes what is published in one channel. A delta is encoded once for all who get it."""

    #: What makes a push of ``items.FeedDelta.body`` when it stands before it, which costs no call; empty where nothing
    #: does.
    prefix: bytes

    def one(self, item: FeedDelta) -> bytes:
        """The frame with this publication."""
        ...

    def many(self, items: Sequence[FeedDelta]) -> list[bytes]:
        """Frames of at most FRAME_BYTES or one publication, with these publications in order."""
        ...

    def signals(self, signals: Sequence[bytes]) -> list[bytes]:
        """The same for publications without an offset; each signal is JSON."""
        ...


class Codec(Protocol):
    """One form of the Centrifuge client protocol. Has no state of a connection: all share one."""

    #: What ``cf_protocol`` in the query calls it; as subprotocol ``centrifuge-<name>``.
    name: str
    #: Of which kind its frames are.
    binary: bool
    #: The object that is a ping.
    ping: bytes

    def parse(self, frame: str | bytes) -> list[ClientCommand]:
        """The commands of a frame, in order, of which the last may be ``broken``. Raises nothing."""
        ...

    def join(self, objects: Sequence[bytes]) -> bytes:
        """The frame of some objects."""
        ...

    def reply(self, id: int, method: str, result: Mapping[str, object]) -> bytes:
        """A result, by the names that JSON has for its fields. What is JSON in it is a msgspec.Raw."""
        ...

    def rpc_reply(self, id: int, data: bytes) -> bytes:
        """The result of a command: JSON, as the backend encoded it."""
        ...

    def error_reply(self, id: int, error: Error, problem: bytes = b"") -> bytes:
        """An error. ``message`` is never absent: an SDK loops without it. ``problem`` is ours, others ignore it."""
        ...

    def publisher(self, channel: str) -> Publisher:
        """What encodes the publications of this channel."""
        ...


_CODECS: dict[str, Codec] = {codec.name: codec for codec in (frames.CODEC, protobuf.CODEC)}
_SUBPROTOCOLS = {f"centrifuge-{name}": codec for name, codec in _CODECS.items()}


def choose(subprotocols: Sequence[str], query: bytes) -> tuple[Codec, str | None]:
    """The codec for a handshake, and the subprotocol to answer with, if one is taken.

    The first subprotocol that is known decides; without one ``cf_protocol`` in the query; else it is JSON.
    """
    for offered in subprotocols:
        if offered in _SUBPROTOCOLS:
            return _SUBPROTOCOLS[offered], offered
    for name in parse_qs(query.decode("ascii", "replace")).get("cf_protocol", ()):
        if name in _CODECS:
            return _CODECS[name], None
    return frames.CODEC, None
