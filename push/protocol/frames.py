"""JSON: frames of text, each line an object. Commands parsed, replies and pushes encoded. No state, no I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from events.core.faults import sentence, unreadable
from events.core.type_faults import unfit
from push.protocol import commands
from push.protocol.codes import Error
from push.protocol.commands import (
    MAX_ID,
    ChannelParams,
    ClientCommand,
    Connect,
    HistoryParams,
    NoParams,
    Refresh,
    RpcParams,
    Subscribe,
)
from push.protocol.items import FeedDelta
from push.protocol.lines import one_line

#: Bytes of one frame that carries publications. WebSocket clients refuse large frames (Python's default limit is
#: 1 MiB); the WebSocket library of the JavaScript SDK under Node takes 100 MiB.
FRAME_BYTES = 256 * 1024


class Wire(msgspec.Struct, frozen=True):
    """One line of a client's frame. Exactly one of the methods is present, none in a pong."""

    id: Annotated[int, msgspec.Meta(ge=0, le=MAX_ID)] = 0
    connect: Connect | None = None
    subscribe: Subscribe | None = None
    unsubscribe: ChannelParams | None = None
    publish: NoParams | None = None
    presence: ChannelParams | None = None
    presence_stats: ChannelParams | None = None
    history: HistoryParams | None = None
    rpc: RpcParams | None = None
    #: Of which anything is taken: see ``commands.sent``.
    send: msgspec.Raw = msgspec.Raw()
    refresh: Refresh | None = None
    sub_refresh: ChannelParams | None = None
    ping: NoParams | None = None


class _Send(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw()


_METHODS = tuple(name for name in Wire.__struct_fields__ if name != "id")
_wire = msgspec.json.Decoder(Wire)
_send = msgspec.json.Decoder(_Send)
#: How SDKs begin a command: all that can be told of it when the rest is nested too deeply to be read.
_HEAD = re.compile(r'\s*\{\s*(?:"id"\s*:\s*([1-9][0-9]{0,9})\s*,\s*)?"(\w{1,20})"\s*:')


class Json:
    """The codec of clients that ask for nothing else. See ``codec.Codec``."""

    name = "json"
    binary = False
    ping = b"{}"

    def parse(self, frame: str | bytes) -> list[ClientCommand]:
        """See codec.Codec. A final newline is allowed, an empty line is not."""
        if not isinstance(frame, str):
            return [ClientCommand(0, "broken", "expected text frames, got a binary one")]
        found: list[ClientCommand] = []
        for line in frame.removesuffix("\n").split("\n"):
            found.append(_command(line))
            if found[-1].method == "broken":
                break
        return found

    def join(self, objects: Sequence[bytes]) -> bytes:
        """See codec.Codec."""
        return b"\n".join(objects)

    def reply(self, id: int, method: str, result: Mapping[str, object]) -> bytes:
        """See codec.Codec."""
        return one_line(msgspec.json.encode({"id": id, method: result}))

    def rpc_reply(self, id: int, data: bytes) -> bytes:
        """See codec.Codec."""
        return b'{"id":%d,"rpc":{"data":%s}}' % (id, one_line(data))

    def error_reply(self, id: int, error: Error, problem: bytes = b"") -> bytes:
        """See codec.Codec."""
        body: dict[str, object] = {"code": error.code, "message": error.message or "error"}
        if error.temporary:
            body["temporary"] = True
        if problem:
            body["problem"] = msgspec.Raw(one_line(problem))
        return msgspec.json.encode({"id": id, "error": body})

    def publisher(self, channel: str) -> JsonPublisher:
        """See codec.Codec."""
        return JsonPublisher(channel)


class JsonPublisher:
    """Pushes to one channel. See ``codec.Publisher``."""

    __slots__ = ("prefix",)

    def __init__(self, channel: str) -> None:
        self.prefix = b'{"push":{"channel":%s,"pub":{"data":' % msgspec.json.encode(channel)

    def one(self, item: FeedDelta) -> bytes:
        """See codec.Publisher."""
        return self.prefix + item.body

    def many(self, items: Sequence[FeedDelta]) -> list[bytes]:
        """See codec.Publisher."""
        return self._frames([item.body for item in items])

    def signals(self, signals: Sequence[bytes]) -> list[bytes]:
        """See codec.Publisher."""
        return self._frames([b"%s}}}" % signal for signal in signals])

    def _frames(self, bodies: Sequence[bytes]) -> list[bytes]:
        glue = b"\n" + self.prefix
        return [self.prefix + glue.join(part) for part in parts(bodies, len(glue))]


def parts(bodies: Sequence[bytes], more: int) -> list[Sequence[bytes]]:
    """What goes into one frame each, in order; ``more``: the bytes that come with each."""
    if bodies and sum(map(len, bodies)) + more * len(bodies) <= FRAME_BYTES:
        return [bodies]
    found: list[Sequence[bytes]] = []
    begin, size = 0, 0
    for index, body in enumerate(bodies):
        size += more + len(body)
        if size > FRAME_BYTES and index > begin:
            found.append(bodies[begin:index])
            begin, size = index, more + len(body)
    if bodies:
        found.append(bodies[begin:])
    return found


def _command(line: str) -> ClientCommand:
    if not line or line.isspace():
        return ClientCommand(0, "broken", "expected a JSON object on each line, got a blank one")
    try:
        wire = _wire.decode(line)
    except (RecursionError, msgspec.DecodeError) as error:
        return _saved(line, _why(line, error))
    present = [name for name in _METHODS if getattr(wire, name) is not None]
    if not wire.send:
        present.remove("send")
    elif present == ["send"]:
        return ClientCommand(wire.id, "send", _sent(wire.send))
    return commands.command(wire.id, present, getattr(wire, present[0]) if present else None)


def _why(line: str, error: Exception) -> str:
    """Why a line is no command, in the words of JSON."""
    if isinstance(error, msgspec.ValidationError):
        try:
            return sentence(unfit(msgspec.json.decode(line), Wire))
        except (RecursionError, msgspec.DecodeError) as worse:
            # What is behind the member that does not fit cannot be read at all.
            error = worse
    return f"expected JSON, got {unreadable(line, error)}"


def _sent(send: msgspec.Raw) -> RpcParams:
    try:
        return commands.sent(bytes(_send.decode(send).data))
    except (msgspec.DecodeError, RecursionError):
        return RpcParams()


def _saved(line: str, why: str) -> ClientCommand:
    """What can be told of a command that the decoder refuses: its id, so that it fails alone.

    Half an emoji, as text that was cut between two UTF-16 units has it, is JSON to the SDKs of JavaScript and Python.
    A connect that cannot be read is the end: nothing can come after it.
    """
    try:
        found = json.loads(line)
    except RecursionError:
        head = _HEAD.match(line)
        id, present = (int(head[1] or 0), [head[2]]) if head is not None else (0, [])
        return _told(id, present, why)
    except ValueError:
        return ClientCommand(0, "broken", why)
    if not isinstance(found, dict):
        return ClientCommand(0, "broken", why)
    return _told(found.get("id", 0), [name for name in _METHODS if found.get(name) is not None], why)


def _told(id: object, present: list[str], why: str) -> ClientCommand:
    if present == ["send"] and id == 0:
        return ClientCommand(0, "send", RpcParams())
    if isinstance(id, bool) or not isinstance(id, int) or not 0 < id <= MAX_ID or "connect" in present:
        return ClientCommand(0, "broken", why)
    return ClientCommand(id, "bad", why)


CODEC = Json()
