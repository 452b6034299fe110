"""Frames of the Centrifuge JSON protocol: commands parsed, replies and pushes encoded. No state, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import msgspec

from push.codes import Error

#: Bytes of one frame that carries publications. WebSocket clients refuse large frames (Python's default limit is
#: 1 MiB); the WebSocket library of the JavaScript SDK under Node takes 100 MiB.
FRAME_BYTES = 256 * 1024

_Offset = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Since(msgspec.Struct, frozen=True):
    """A place in a user's stream. Epoch "" means any; offset 0 is no place at all."""

    offset: _Offset = 0
    epoch: str = ""


class Recovery(msgspec.Struct, frozen=True):
    """Where a subscription that an SDK already knows wants to go on."""

    recover: bool = False
    offset: _Offset = 0
    epoch: str = ""


class ConnectData(msgspec.Struct, frozen=True):
    """Our part of ``connect.data``; an app may add what it likes."""

    #: After a page reload: the place up to which the app has everything.
    since: Since | None = None
    #: "client": no server-side subscription, the client subscribes to its channel itself.
    subscribe: str = "server"


class Connect(msgspec.Struct, frozen=True):
    token: str = ""
    data: msgspec.Raw = msgspec.Raw()
    subs: dict[str, Recovery] = {}


class Subscribe(msgspec.Struct, frozen=True):
    channel: str = ""
    recover: bool = False
    offset: _Offset = 0
    epoch: str = ""


class Channel(msgspec.Struct, frozen=True):
    channel: str = ""


class History(msgspec.Struct, frozen=True):
    channel: str = ""
    limit: int = 0
    since: Since | None = None
    reverse: bool = False


class Rpc(msgspec.Struct, frozen=True):
    method: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")


class Send(msgspec.Struct, frozen=True):
    data: Rpc = Rpc()


class Refresh(msgspec.Struct, frozen=True):
    token: str = ""


class Nothing(msgspec.Struct, frozen=True):
    pass


class Wire(msgspec.Struct, frozen=True):
    """One line of a client's frame. Exactly one of the methods is present, none in a pong."""

    id: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = 0
    connect: Connect | None = None
    subscribe: Subscribe | None = None
    unsubscribe: Channel | None = None
    publish: Nothing | None = None
    presence: Channel | None = None
    presence_stats: Channel | None = None
    history: History | None = None
    rpc: Rpc | None = None
    send: Send | None = None
    refresh: Refresh | None = None
    sub_refresh: Channel | None = None
    ping: Nothing | None = None


class Command(NamedTuple):
    """A parsed command. ``method`` is "" in a command whose method this server does not know, "pong" in a pong."""

    id: int
    method: str
    body: Any


class BadFrame(ValueError):
    """A frame that is not in the protocol; the text says what was expected."""


_METHODS = tuple(name for name in Wire.__struct_fields__ if name != "id")
_wire = msgspec.json.Decoder(Wire)
_connect_data = msgspec.json.Decoder(ConnectData)


def parse(frame: str) -> list[Command]:
    """The commands of a text frame, in order. A final newline is allowed, an empty line is not. Raises BadFrame."""
    return [_command(line) for line in frame.removesuffix("\n").split("\n")]


def _command(line: str) -> Command:
    if not line or line.isspace():
        raise BadFrame("expected a JSON object on each line, got a blank one")
    try:
        wire = _wire.decode(line)
    except RecursionError:
        raise BadFrame("nested too deeply") from None
    except msgspec.DecodeError as error:
        raise BadFrame(str(error)) from None
    present = [name for name in _METHODS if getattr(wire, name) is not None]
    if len(present) > 1:
        raise BadFrame(f"expected one method, got {' and '.join(present)}")
    if not present:
        return Command(wire.id, "" if wire.id else "pong", None)
    if not wire.id and present != ["send"]:
        raise BadFrame(f"expected an id of 1 or more with {present[0]}")
    return Command(wire.id, present[0], getattr(wire, present[0]))


def connect_data(data: bytes) -> ConnectData:
    """Our part of ``connect.data``. Data that is no object is the app's own affair. Raises BadFrame."""
    if not data.lstrip().startswith(b"{"):
        return ConnectData()
    try:
        return _connect_data.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadFrame(f"connect.data: {error}") from None


def one_line(data: bytes) -> bytes:
    """JSON without line ends, which part the objects of a frame and can only be white space in JSON."""
    if b"\n" in data or b"\r" in data:
        return data.replace(b"\r", b" ").replace(b"\n", b" ")
    return data


def reply(id: int, method: str, result: dict[str, Any] | None = None) -> bytes:
    """A result. Values that are encoded already go in as msgspec.Raw."""
    return msgspec.json.encode({"id": id, method: result or {}})


def rpc_reply(id: int, data: bytes) -> bytes:
    """The result of a command, as the backend encoded it."""
    return b'{"id":%d,"rpc":{"data":%s}}' % (id, one_line(data))


def error_reply(id: int, error: Error, problem: bytes = b"") -> bytes:
    """An error. ``message`` is never absent: an SDK loops without it. ``problem`` is ours, others ignore it."""
    body: dict[str, Any] = {"code": error.code, "message": error.message or "error"}
    if error.temporary:
        body["temporary"] = True
    if problem:
        body["problem"] = msgspec.Raw(one_line(problem))
    return msgspec.json.encode({"id": id, "error": body})


def publications(prefix: bytes, bodies: Sequence[bytes]) -> list[bytes]:
    """Text frames with one publication for each body, in order."""
    glue = b"\n" + prefix
    if bodies and sum(map(len, bodies)) + len(glue) * len(bodies) <= FRAME_BYTES:
        return [prefix + glue.join(bodies)]
    found: list[bytes] = []
    begin, size = 0, 0
    for index, body in enumerate(bodies):
        size += len(glue) + len(body)
        if size > FRAME_BYTES and index > begin:
            found.append(prefix + glue.join(bodies[begin:index]))
            begin, size = index, len(glue) + len(body)
    if bodies:
        found.append(prefix + glue.join(bodies[begin:]))
    return found


def publication_prefix(channel: str) -> bytes:
    """What stands before the delta in each push to a channel. ``items.Item.body`` is what follows."""
    return b'{"push":{"channel":%s,"pub":{"data":' % msgspec.json.encode(channel)
