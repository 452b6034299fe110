"""Protobuf: binary frames of messages, each behind its length. Commands parsed, replies and pushes encoded. No I/O.

Source: https://protobuf.dev/programming-guides/encoding/. What clients of the protocol call ``bytes data`` is JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from google.protobuf.message import DecodeError

from push.protocol import commands
from push.protocol.codes import Error
from push.protocol.commands import (
    MAX_OFFSET,
    BadFrame,
    Body,
    ChannelParams,
    ClientCommand,
    Connect,
    HistoryParams,
    NoParams,
    Recovery,
    Refresh,
    RpcParams,
    Since,
    Subscribe,
)
from push.protocol.frames import parts
from push.protocol.items import FeedDelta
from push.protocol.messages import classes

#: Bytes of encoded deltas that are kept for the next connection that gets them; most get them in the same turn.
_KEPT_BYTES = 1 << 20
_KEPT_HEADS = 4096
#: Tags: the field's number and, as all of these are bytes or messages, wire type 2; an offset is a varint.
_REPLY_PUSH, _PUSH_CHANNEL, _PUSH_PUB, _PUB_DATA, _PUB_OFFSET = b"\x22", b"\x12", b"\x22", b"\x22", b"\x30"

_classes = classes()
_Command = _classes["Command"]
_Reply = _classes["Reply"]


class Protobuf:
    """The codec of ``centrifuge-protobuf``. See ``codec.Codec``."""

    name = "protobuf"
    binary = True
    ping = b"\x00"

    def __init__(self) -> None:
        self._deltas = _Deltas()

    def parse(self, frame: str | bytes) -> list[ClientCommand]:
        """See codec.Codec."""
        if isinstance(frame, str):
            return [ClientCommand(0, "broken", "expected binary frames, got a text one")]
        if not frame:
            return [ClientCommand(0, "broken", "expected at least one command, got an empty frame")]
        found: list[ClientCommand] = []
        place = 0
        while place < len(frame):
            try:
                begin, place = _delimited(frame, place)
                found.append(_command(_Command.FromString(frame[begin:place])))
            except (BadFrame, DecodeError) as error:
                found.append(ClientCommand(0, "broken", _words(error)))
                break
        return found

    def join(self, objects: Sequence[bytes]) -> bytes:
        """See codec.Codec."""
        return b"".join(objects)

    def reply(self, id: int, method: str, result: Mapping[str, object]) -> bytes:
        """See codec.Codec."""
        return _whole(_Reply(id=id, **{method: _plain(result)}))

    def rpc_reply(self, id: int, data: bytes) -> bytes:
        """See codec.Codec."""
        return _whole(_Reply(id=id, rpc={"data": data}))

    def error_reply(self, id: int, error: Error, problem: bytes = b"") -> bytes:
        """See codec.Codec."""
        code, message, temporary = error
        body = {"code": code, "message": message or "error", "temporary": temporary, "problem": problem}
        return _whole(_Reply(id=id, error=body))

    def publisher(self, channel: str) -> ProtobufPublisher:
        """See codec.Codec."""
        return ProtobufPublisher(channel, self._deltas)


class _Deltas:
    """The latest deltas as publications, each encoded once for all connections. By hand, as every delivery is: the
    bytes of a delta are the same for all, and of the lengths before them there are few."""

    def __init__(self) -> None:
        #: The field ``pub`` of a push by the item that it is of.
        self.found: dict[FeedDelta, bytes] = {}
        #: What stands before the fields of a push, by their size.
        self.heads: dict[int, bytes] = {}
        self._bytes = 0

    def add(self, item: FeedDelta) -> bytes:
        """Encode a delta, and keep it for the others who get it."""
        pub = _pub(item.delta, item.cursor)
        # The item stays as long as this does.
        self._bytes += 2 * len(pub)
        if self._bytes > _KEPT_BYTES:
            self.found = {}
            self._bytes = 2 * len(pub)
        self.found[item] = pub
        return pub

    def head(self, size: int) -> bytes:
        """The reply's length, its tag, and the push's length."""
        push = _varint(size)
        head = _varint(1 + len(push) + size) + _REPLY_PUSH + push
        if len(self.heads) >= _KEPT_HEADS:
            self.heads = {}
        self.heads[size] = head
        return head


class ProtobufPublisher:
    """Pushes to one channel. See ``codec.Publisher``."""

    __slots__ = ("_channel", "_deltas", "_size", "prefix")

    def __init__(self, channel: str, deltas: _Deltas) -> None:
        self.prefix = b""
        self._channel = _field(_PUSH_CHANNEL, channel.encode())
        self._size = len(self._channel)
        self._deltas = deltas

    def one(self, item: FeedDelta) -> bytes:
        """See codec.Publisher."""
        deltas = self._deltas
        pub = deltas.found.get(item) or deltas.add(item)
        size = self._size + len(pub)
        return (deltas.heads.get(size) or deltas.head(size)) + self._channel + pub

    def many(self, items: Sequence[FeedDelta]) -> list[bytes]:
        """See codec.Publisher."""
        return [b"".join(part) for part in parts([self.one(item) for item in items], 0)]

    def signals(self, signals: Sequence[bytes]) -> list[bytes]:
        """See codec.Publisher."""
        pubs = [_pub(signal, 0) for signal in signals]
        pushes = [self._deltas.head(self._size + len(pub)) + self._channel + pub for pub in pubs]
        return [b"".join(part) for part in parts(pushes, 0)]


def _pub(delta: bytes, offset: int) -> bytes:
    data = _field(_PUB_DATA, delta)
    return _field(_PUSH_PUB, data + _PUB_OFFSET + _varint(offset) if offset else data)


def _field(tag: bytes, value: bytes) -> bytes:
    return tag + _varint(len(value)) + value


def _whole(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return _varint(len(data)) + data


def _varint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    if number < 0x4000:
        return bytes((number & 0x7F | 0x80, number >> 7))
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _delimited(frame: bytes, place: int) -> tuple[int, int]:
    """Where the message behind the length at ``place`` begins and ends. Raises BadFrame."""
    size = shift = 0
    while place < len(frame) and shift < 35:
        byte = frame[place]
        place += 1
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            if place + size > len(frame):
                raise BadFrame(f"expected a message of {size} bytes, got {len(frame) - place}")
            return place, place + size
    raise BadFrame("expected a length before each message, got one without end")


def _words(error: Exception) -> str:
    if isinstance(error, DecodeError):
        return "expected a protobuf message Command, with text in UTF-8, got something else"
    return str(error)


def _plain(value: object) -> object:
    """A result, with what is JSON in it as bytes."""
    if isinstance(value, msgspec.Raw):
        return bytes(value)
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _command(message: Any) -> ClientCommand:
    present = [field.name for field, _ in message.ListFields() if field.name != "id"]
    if len(present) != 1:
        return commands.command(message.id, present, None)
    try:
        body = _BODIES[present[0]](getattr(message, present[0]))
    except BadFrame as error:
        # What a connect asks for cannot come true without it.
        return commands.bad(0 if present == ["connect"] else message.id, str(error))
    return commands.command(message.id, present, body)


def _offset(message: Any) -> int:
    offset: int = message.offset
    if offset > MAX_OFFSET:
        raise BadFrame(f"expected an offset of at most {MAX_OFFSET}, got {offset}")
    return offset


def _connect(message: Any) -> Connect:
    subs = {name: Recovery(sub.recover, _offset(sub), sub.epoch) for name, sub in message.subs.items()}
    return Connect(message.token, msgspec.Raw(message.data), subs)


def _subscribe(message: Any) -> Subscribe:
    # A filter that lets everything through is empty, and a filter all the same.
    tf = msgspec.Raw(message.tf or b"{}") if message.HasField("tf") else msgspec.Raw()
    return Subscribe(message.channel, message.recover, _offset(message), message.epoch, message.flag, message.type, tf)


def _history(message: Any) -> HistoryParams:
    since = Since(_offset(message.since), message.since.epoch) if message.HasField("since") else None
    return HistoryParams(message.channel, message.limit, since, message.reverse)


def _channel(message: Any) -> ChannelParams:
    return ChannelParams(message.channel)


def _nothing(message: Any) -> NoParams:
    return NoParams()


_BODIES: dict[str, Callable[[Any], Body]] = {
    "connect": _connect,
    "subscribe": _subscribe,
    "unsubscribe": _channel,
    "publish": _nothing,
    "presence": _channel,
    "presence_stats": _channel,
    "history": _history,
    "rpc": lambda message: RpcParams(message.method, msgspec.Raw(message.data)),
    "send": lambda message: commands.sent(message.data),
    "refresh": lambda message: Refresh(message.token),
    "sub_refresh": _channel,
    "ping": _nothing,
}

CODEC = Protobuf()
