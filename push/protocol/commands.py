"""What clients ask for, whatever bytes it came in: the commands of the Centrifuge client protocol. No I/O."""

from __future__ import annotations

from typing import Annotated, Generic, NamedTuple

import msgspec
from typing_extensions import TypeVar

from events.core.errors import KlatschError
from events.core.faults import sentence, unreadable
from events.core.type_faults import unfit

#: Offsets fit in a double, as JavaScript has numbers.
MAX_OFFSET = 2**53
#: Ids are uint32.
MAX_ID = 2**32 - 1

_Offset = Annotated[int, msgspec.Meta(ge=0, le=MAX_OFFSET)]

#: A bit of ``Subscribe.flag``: a lost place is to be an error (112), not a subscription from here on.
REJECT_UNRECOVERED = 2


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
    #: Bits.
    flag: int = 0
    #: 0: a stream. Others are kinds of subscription that this server does not have.
    type: int = 0
    #: A filter by tags, which deltas do not have.
    tf: msgspec.Raw = msgspec.Raw()


class ChannelParams(msgspec.Struct, frozen=True):
    channel: str = ""


class HistoryParams(msgspec.Struct, frozen=True):
    channel: str = ""
    limit: int = 0
    since: Since | None = None
    reverse: bool = False


class RpcParams(msgspec.Struct, frozen=True):
    method: str = ""
    data: msgspec.Raw = msgspec.Raw()


class Refresh(msgspec.Struct, frozen=True):
    token: str = ""


class NoParams(msgspec.Struct, frozen=True):
    """Of commands of which nothing is read."""


#: What a command asks for, by its method.
Body = Connect | Subscribe | ChannelParams | NoParams | HistoryParams | RpcParams | Refresh | str | None
#: The body of a command. ``ClientCommand`` alone has any of them.
BodyT_co = TypeVar("BodyT_co", bound=Body, covariant=True, default=Body)


class ClientCommand(NamedTuple, Generic[BodyT_co]):
    """A command that was read. Beside those of the protocol there are four methods:

    "" of a command that this server does not know; ``pong``; ``bad`` of one that cannot be read but whose id can, and
    ``broken`` of what cannot even be told apart from what follows: the last of its frame. The body of these two says
    what was expected.
    """

    id: int
    method: str
    body: BodyT_co


class BadFrame(KlatschError, ValueError):
    """What is not in the protocol; the text says what was expected."""


_connect_data = msgspec.json.Decoder(ConnectData)
_sent = msgspec.json.Decoder(RpcParams)


def command(id: int, present: list[str], body: Body) -> ClientCommand:
    """One command, of which these methods are present; ``body`` is that of the first."""
    if len(present) > 1:
        return bad(id, f"expected one method, got {' and '.join(present)}")
    if not present:
        return ClientCommand(id, "" if id else "pong", None)
    if not id and present != ["send"]:
        return bad(id, f"expected an id of 1 or more with {present[0]}")
    return ClientCommand(id, present[0], body)


def bad(id: int, why: str) -> ClientCommand:
    """A command that cannot be read. Without an id nobody can be told, other than by the end of the connection."""
    return ClientCommand(id, "bad" if id else "broken", why)


def connect_data(data: bytes) -> ConnectData:
    """Our part of ``connect.data``. Data that is no object is the app's own affair. Raises BadFrame."""
    if not data.lstrip().startswith(b"{"):
        return ConnectData()
    try:
        return _connect_data.decode(data)
    except msgspec.ValidationError:
        raise BadFrame(_misfit(data)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadFrame(_no_json(data, error)) from None


def _misfit(data: bytes) -> str:
    try:
        return sentence(unfit(msgspec.json.decode(data), ConnectData, at=("connect", "data")))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _no_json(data, error)


def _no_json(data: bytes, error: Exception) -> str:
    return f"connect.data: expected JSON, got {unreadable(data, error)}"


def sent(data: bytes) -> RpcParams:
    """What ``send.data`` is to us: the name and data of a command. Without a name when it is anything else."""
    try:
        return _sent.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return RpcParams()


def rpc_data(data: msgspec.Raw) -> bytes:
    """The data of an rpc or a send; none at all, and null, are an empty object."""
    found = bytes(data)
    return b"{}" if found in (b"", b"null") else found
