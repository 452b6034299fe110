"""The Centrifuge client protocol of one connection, without I/O: frames and outcomes in, actions out.

The driver (``ws.py``) performs the actions and reports their outcomes: Authenticate -> ``authenticated`` or
``refused``; Attach -> ``attached``; Rpc -> ``answered``; Presence and History -> ``found``; ``failed`` for any of them.
Times are Unix seconds, given by the driver. Which bytes all of this is on the wire is the codec's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from typing import Any

import msgspec

from push.protocol import codes, commands, frames
from push.protocol.actions import (
    Action,
    Attach,
    Authenticate,
    CallRpc,
    Close,
    Detach,
    ReadHistory,
    ReadPresence,
    Start,
    SubscriptionStart,
    Write,
)
from push.protocol.backend import BadTokenKind, ConnectionIdentity
from push.protocol.codec import Codec, Publisher
from push.protocol.codes import Disconnect, Error
from push.protocol.commands import BadFrame, ClientCommand, Connect, Refresh, Since, Subscribe
from push.protocol.items import FeedDelta
from push.protocol.timers import Timers

#: Commands that may be under way on one connection; more get "too many requests".
PENDING = 64
#: Publications that one history command returns at most.
HISTORY_LIMIT = 1000


class ConnectionState(Enum):
    """Of the connection: before the connect command, while its token is checked, after its reply, at the end."""

    NEW = auto()
    CHECKING = auto()
    OPEN = auto()
    CLOSED = auto()


class ChannelState(Enum):
    """Of the one subscription: none, its place is being looked up, publications flow."""

    OFF = auto()
    ATTACHING = auto()
    ON = auto()


#: By their names here, which saves two of the look-ups that each delivery makes.
_OPEN, _ON = ConnectionState.OPEN, ChannelState.ON


class ProtocolSession:
    """One connection. Every method returns the actions to perform, in order; after Close there are none."""

    def __init__(
        self,
        client: str,
        now: float,
        *,
        ping_seconds: float,
        frame_bytes: int,
        phase: float = 1.0,
        codec: Codec = frames.CODEC,
    ) -> None:
        """``phase`` is the part of the interval until the first ping, so that many connections do not ping at once."""
        self.client = client
        self.codec = codec
        self.state = ConnectionState.NEW
        self.channel = ChannelState.OFF
        self.identity: ConnectionIdentity | None = None
        #: Offset of the latest publication: what comes must be above it. SDKs check no order themselves.
        self.position = 0
        self._timers = Timers(now, ping_seconds)
        self._ping_seconds = ping_seconds
        self._frame_bytes = frame_bytes
        self._phase = phase
        self._connect: Connect | None = None
        #: Commands that arrived before the connect reply (the JavaScript SDK sends them in one frame with it).
        self._early: list[ClientCommand] = []
        #: Ids of the commands under way, with their method.
        self._running: dict[int, str] = {}
        #: Sends under way: nobody waits for them, but they count.
        self._sends = 0
        #: The command that looks for the subscription's place, and whether a lost one is an error to it.
        self._attaching = 0
        self._strict = False
        self._publisher: Publisher = codec.publisher("")
        self._prefix = b""

    # What the driver reports.

    def receive(self, frame: str | bytes, now: float) -> list[Action]:
        """A frame came, of text or bytes."""
        if self.state is ConnectionState.CLOSED or self._timers.ending is not None:
            return []
        size = len(frame.encode()) if isinstance(frame, str) and not frame.isascii() else len(frame)
        if size > self._frame_bytes:
            return self._end(codes.bad_request(f"expected a frame of at most {self._frame_bytes} bytes"), now)
        return self._all(self.codec.parse(frame), now)

    def authenticated(self, id: int, identity: ConnectionIdentity, now: float) -> list[Action]:
        """The token of command ``id`` is good."""
        if self._running.pop(id, None) == "refresh":
            return self._then(self._refreshed(id, identity, now))
        if self.state is not ConnectionState.CHECKING or self._connect is None:
            return []
        self.identity = identity
        self._timers.expire(identity.expires)
        self._publisher = self.codec.publisher(self.channel_name)
        self._prefix = self._publisher.prefix
        try:
            data = commands.connect_data(bytes(self._connect.data))
        except BadFrame as error:
            return self.close(codes.bad_request(str(error)))
        if data.subscribe == "client":
            return self._then(self._opened(id, None, now))
        self.channel = ChannelState.ATTACHING
        self._attaching = id
        known = self._connect.subs.get(self.channel_name)
        # What the SDK itself remembers is newer than what the page remembered before it was reloaded.
        since = Since(known.offset, known.epoch) if known is not None and known.recover else data.since
        return [Attach(id, since)]

    def refused(self, id: int, kind: BadTokenKind, now: float) -> list[Action]:
        """The token of command ``id`` is not accepted."""
        self._running.pop(id, None)
        if kind == "expired" and self.state is ConnectionState.CHECKING:
            # SDKs ask for another token and connect with it.
            self._again()
            return self._then(self._write(self.codec.error_reply(id, codes.TOKEN_EXPIRED)))
        # Of a refresh SDKs take this error for the end; after a close that is not final they come back.
        return self.close(_REFUSALS[kind])

    def attached(self, id: int, place: SubscriptionStart, now: float) -> list[Action]:
        """The subscription of command ``id`` starts at ``place``. Deliver nothing before Start."""
        if self.state is ConnectionState.CHECKING:
            return self._then(self._opened(id, place, now))
        if self.state is not ConnectionState.OPEN or self._running.pop(id, None) is None:
            return []
        if self.channel is not ChannelState.ATTACHING or self._attaching != id:
            refused = Error(codes.BAD_REQUEST.code, "unsubscribed meanwhile")
        elif self._strict and _lost(place):
            self.channel = ChannelState.OFF
            refused = codes.UNRECOVERABLE_POSITION
        else:
            reply = self.codec.reply(id, "subscribe", self._begin(place))
            return self._then([*self._write(reply), Start(snapshot=_lost(place))])
        return self._then(self._write(self.codec.error_reply(id, refused)))

    def answered(self, id: int, data: bytes) -> list[Action]:
        """The result of an Rpc, as JSON."""
        if self._running.pop(id, None) is None:
            self._sends -= not id
            return self._then([])
        return self._then(self._write(self.codec.rpc_reply(id, data)))

    def found(self, id: int, result: Mapping[str, object]) -> list[Action]:
        """The result of a Presence or a History, by the names of its fields; what is JSON in it is a msgspec.Raw."""
        method = self._running.pop(id, None)
        return [] if method is None else self._then(self._write(self.codec.reply(id, method, result)))

    def failed(self, id: int, error: Error, problem: bytes = b"") -> list[Action]:
        """Command ``id`` has no result."""
        method = self._running.pop(id, None)
        if self.state is ConnectionState.CHECKING:
            self._again()
        elif method is None:
            self._sends -= not id
            return self._then([])
        elif method == "subscribe" and self._attaching == id:
            self.channel = ChannelState.OFF
        return self._then(self._write(self.codec.error_reply(id, error, problem)))

    def deliver(self, items: Sequence[FeedDelta]) -> list[bytes]:
        """The frames that carry these publications; those not above the position are left out."""
        if self.state is not _OPEN or self.channel is not _ON:
            return []
        if len(items) == 1 and items[0].cursor > self.position:
            # Most deliveries are this one.
            self.position = items[0].cursor
            prefix = self._prefix
            return [prefix + items[0].body if prefix else self._publisher.one(items[0])]
        above = []
        for item in items:
            if item.cursor > self.position:
                self.position = item.cursor
                above.append(item)
        return self._publisher.many(above)

    def signal(self, signals: Sequence[bytes]) -> list[bytes]:
        """The frames that carry these signals: publications without an offset, which move no position."""
        if self.state is not ConnectionState.OPEN or self.channel is not ChannelState.ON:
            return []
        return self._publisher.signals(signals)

    def close(self, disconnect: Disconnect) -> list[Action]:
        """The connection ends, for a reason on this side."""
        if self.state is ConnectionState.CLOSED:
            return []
        self.state = ConnectionState.CLOSED
        self.channel = ChannelState.OFF
        self._early.clear()
        self._running.clear()
        return [Close(disconnect)]

    def tick(self, now: float) -> list[Action]:
        """Time has passed. Call it at ``deadline()`` or later."""
        if self.state is ConnectionState.CLOSED:
            return []
        due = self._timers.tick(now)
        if due is None:
            return []
        return [Write(self.codec.ping)] if due == "ping" else self.close(due)

    def deadline(self) -> float:
        """When ``tick`` is due next, in Unix seconds; infinite when never."""
        return float("inf") if self.state is ConnectionState.CLOSED else self._timers.deadline()

    @property
    def channel_name(self) -> str:
        """The only channel of this connection: ``user:<own id>``."""
        return f"user:{self.identity.user}" if self.identity else ""

    @property
    def subscribed(self) -> bool:
        """Whether the reply to a subscription is out and it has not ended."""
        return self.channel is ChannelState.ON

    # Commands.

    def _all(self, commands: Sequence[ClientCommand], now: float) -> list[Action]:
        actions: list[Action] = []
        ending = self._timers.ending
        for command in commands:
            if self.state is ConnectionState.CLOSED or self._timers.ending is not ending:
                break
            actions += self._one(command, now)
        return actions

    def _one(self, command: ClientCommand, now: float) -> list[Action]:
        handler = _TRANSITIONS.get((self.state, command.method)) or _TRANSITIONS[self.state, "*"]
        return handler(self, command, now)

    def _on_connect(self, command: ClientCommand[Connect], now: float) -> list[Action]:
        self.state = ConnectionState.CHECKING
        self._connect = command.body
        return [Authenticate(command.id, command.body.token)]

    def _on_early(self, command: ClientCommand, now: float) -> list[Action]:
        if len(self._early) >= PENDING:
            return self.close(codes.bad_request(f"expected at most {PENDING} commands before the connect reply"))
        self._early.append(command)
        return []

    def _on_too_early(self, command: ClientCommand, now: float) -> list[Action]:
        if isinstance(command.body, str):
            return self.close(codes.bad_request(command.body))
        return self.close(codes.bad_request(f"expected connect as first command, got {command.method or 'unknown'}"))

    def _on_repeated(self, command: ClientCommand, now: float) -> list[Action]:
        return self._end(codes.bad_request("expected one connect command, got another"), now)

    def _on_pong(self, command: ClientCommand, now: float) -> list[Action]:
        return [] if self._timers.pong(now) else self._end(codes.bad_request("pong without ping"), now)

    def _on_ping(self, command: ClientCommand, now: float) -> list[Action]:
        return self._write(self.codec.reply(command.id, "ping", {}))

    def _on_bad(self, command: ClientCommand[str], now: float) -> list[Action]:
        return self._error(command, _bad_request(command.body))

    def _on_broken(self, command: ClientCommand[str], now: float) -> list[Action]:
        return self._end(codes.bad_request(command.body), now)

    def _on_unknown(self, command: ClientCommand, now: float) -> list[Action]:
        return self._error(command, codes.METHOD_NOT_FOUND)

    def _on_publish(self, command: ClientCommand, now: float) -> list[Action]:
        return self._error(command, codes.PERMISSION_DENIED)

    def _on_rpc(self, command: ClientCommand[commands.RpcParams], now: float) -> list[Action]:
        return self._run(command, CallRpc(command.id, command.body.method, commands.rpc_data(command.body.data)))

    def _on_send(self, command: ClientCommand[commands.RpcParams], now: float) -> list[Action]:
        if not command.body.method:
            return []
        if len(self._running) + self._sends >= PENDING:
            return self.close(codes.FLOOD)
        self._sends += 1
        return [CallRpc(0, command.body.method, commands.rpc_data(command.body.data))]

    def _on_refresh(self, command: ClientCommand[Refresh], now: float) -> list[Action]:
        return self._run(command, Authenticate(command.id, command.body.token))

    def _on_subscribe(self, command: ClientCommand[Subscribe], now: float) -> list[Action]:
        body = command.body
        if denied := self._own(command):
            return denied
        if body.type or bytes(body.tf) not in (b"", b"null"):
            what = f"type {body.type}" if body.type else "a filter by tags"
            return self._error(command, _bad_request(f"expected a subscription to the whole stream, got {what}"))
        if self.channel is not ChannelState.OFF:
            return self._error(command, codes.ALREADY_SUBSCRIBED)
        since = Since(body.offset, body.epoch) if body.recover else None
        actions = self._run(command, Attach(command.id, since))
        if isinstance(actions[0], Attach):
            self.channel = ChannelState.ATTACHING
            self._attaching = command.id
            self._strict = bool(body.flag & commands.REJECT_UNRECOVERED)
        return actions

    def _on_unsubscribe(self, command: ClientCommand[commands.ChannelParams], now: float) -> list[Action]:
        ended = command.body.channel == self.channel_name and self.channel is not ChannelState.OFF
        if ended:
            self.channel = ChannelState.OFF
        reply = self._write(self.codec.reply(command.id, "unsubscribe", {}))
        return [Detach(), *reply] if ended else reply

    def _on_presence(self, command: ClientCommand[commands.ChannelParams], now: float) -> list[Action]:
        return self._own(command) or self._run(command, ReadPresence(command.id, command.method))

    def _on_history(self, command: ClientCommand[commands.HistoryParams], now: float) -> list[Action]:
        body = command.body
        if body.reverse:
            return self._error(command, Error(codes.BAD_REQUEST.code, "reverse history is not available"))
        limit = min(body.limit, HISTORY_LIMIT) if body.limit >= 0 else HISTORY_LIMIT
        return self._own(command) or self._run(command, ReadHistory(command.id, limit, body.since))

    def _on_sub_refresh(self, command: ClientCommand[commands.ChannelParams], now: float) -> list[Action]:
        # Subscriptions do not expire by themselves: they end with the connection's token.
        return self._own(command) or self._write(self.codec.reply(command.id, "sub_refresh", {}))

    # Parts of the above.

    def _own(self, command: ClientCommand[commands.ChannelParams | commands.HistoryParams | Subscribe]) -> list[Action]:
        """The error of a command on a channel that is not this connection's, if so."""
        if command.body.channel == self.channel_name:
            return []
        denied = command.body.channel.startswith("user:")
        return self._error(command, codes.PERMISSION_DENIED if denied else codes.UNKNOWN_CHANNEL)

    def _run(self, command: ClientCommand, action: Action) -> list[Action]:
        if len(self._running) >= PENDING:
            return self._error(command, codes.TOO_MANY_REQUESTS)
        if command.id in self._running:
            return self._error(command, Error(codes.BAD_REQUEST.code, f"command {command.id} is still under way"))
        self._running[command.id] = command.method
        return [action]

    def _error(self, command: ClientCommand, error: Error) -> list[Action]:
        return self._write(self.codec.error_reply(command.id, error))

    def _write(self, data: bytes) -> list[Action]:
        return [] if self.state is ConnectionState.CLOSED else [Write(data)]

    def _end(self, disconnect: Disconnect, now: float) -> list[Action]:
        """Nothing more is read. What came before is answered first, so that nobody has to guess whether it was done."""
        self._timers.end(disconnect, now)
        return self._then([])

    def _then(self, actions: list[Action]) -> list[Action]:
        """The same actions, and the end where it waited for the last of what is under way."""
        ending = self._timers.ending
        if ending is None or self.state is ConnectionState.CHECKING or self._running or self._sends:
            return actions
        return [*actions, *self.close(ending)]

    def _again(self) -> None:
        """Back to before the connect command: the client may send another."""
        self.state = ConnectionState.NEW
        self.channel = ChannelState.OFF
        self._early.clear()

    def _refreshed(self, id: int, identity: ConnectionIdentity, now: float) -> list[Action]:
        if self.identity is None or identity.user != self.identity.user:
            return self.close(codes.INVALID_TOKEN)
        self.identity = identity
        self._timers.expire(identity.expires)
        return self._write(
            self.codec.reply(id, "refresh", {"client": self.client, "expires": True, "ttl": self._timers.ttl(now)})
        )

    def _opened(self, id: int, place: SubscriptionStart | None, now: float) -> list[Action]:
        """Write the connect reply, then handle what came before it."""
        self.state = ConnectionState.OPEN
        self._connect = None
        self._timers.connected(now, self._phase)
        identity = self.identity
        result: dict[str, object] = {
            "client": self.client,
            "version": "klatsch",
            "ping": int(self._ping_seconds),
            "pong": True,
            "expires": True,
            "ttl": self._timers.ttl(now),
        }
        if identity is not None and identity.data:
            result["data"] = msgspec.Raw(identity.data)
        if place is not None:
            result["subs"] = {self.channel_name: self._begin(place)}
        actions: list[Action] = [Write(self.codec.reply(id, "connect", result))]
        if place is not None:
            actions.append(Start(snapshot=_lost(place)))
        early, self._early = self._early, []
        return actions + self._all(early, now)

    def _begin(self, place: SubscriptionStart) -> dict[str, object]:
        self.channel = ChannelState.ON
        self.position = place.offset
        # A lost place gets offset 0, which no recovery accepts, until the snapshot has arrived: a client that is cut
        # off in between asks again, and gets the snapshot then.
        return {
            "recoverable": True,
            "positioned": True,
            "epoch": place.epoch,
            "offset": place.offset,
            "was_recovering": place.recovering,
            "recovered": place.recovered,
        }


def _lost(place: SubscriptionStart) -> bool:
    return place.recovering and not place.recovered


def _bad_request(what: str) -> Error:
    return Error(codes.BAD_REQUEST.code, f"bad request: {what}")


#: How a connection ends whose token is not accepted.
_REFUSALS: dict[BadTokenKind, Disconnect] = {
    "invalid": codes.INVALID_TOKEN,
    "expired": codes.EXPIRED,
    "early": codes.EARLY,
    "revoked": codes.REVOKED,
}

#: Each is found by its command's method, which goes with the type of the body: the table knows only that it has one.
_Handler = Callable[[ProtocolSession, ClientCommand[Any], float], list[Action]]

#: What each command does in each state; "*" is every other command.
_TRANSITIONS: dict[tuple[ConnectionState, str], _Handler] = {
    (ConnectionState.NEW, "connect"): ProtocolSession._on_connect,
    (ConnectionState.NEW, "broken"): ProtocolSession._on_broken,
    (ConnectionState.NEW, "*"): ProtocolSession._on_too_early,
    (ConnectionState.CHECKING, "connect"): ProtocolSession._on_repeated,
    (ConnectionState.CHECKING, "pong"): ProtocolSession._on_pong,
    (ConnectionState.CHECKING, "broken"): ProtocolSession._on_broken,
    (ConnectionState.CHECKING, "*"): ProtocolSession._on_early,
    (ConnectionState.OPEN, "connect"): ProtocolSession._on_repeated,
    (ConnectionState.OPEN, "pong"): ProtocolSession._on_pong,
    (ConnectionState.OPEN, "bad"): ProtocolSession._on_bad,
    (ConnectionState.OPEN, "broken"): ProtocolSession._on_broken,
    (ConnectionState.OPEN, "ping"): ProtocolSession._on_ping,
    (ConnectionState.OPEN, "rpc"): ProtocolSession._on_rpc,
    (ConnectionState.OPEN, "send"): ProtocolSession._on_send,
    (ConnectionState.OPEN, "publish"): ProtocolSession._on_publish,
    (ConnectionState.OPEN, "subscribe"): ProtocolSession._on_subscribe,
    (ConnectionState.OPEN, "unsubscribe"): ProtocolSession._on_unsubscribe,
    (ConnectionState.OPEN, "presence"): ProtocolSession._on_presence,
    (ConnectionState.OPEN, "presence_stats"): ProtocolSession._on_presence,
    (ConnectionState.OPEN, "history"): ProtocolSession._on_history,
    (ConnectionState.OPEN, "refresh"): ProtocolSession._on_refresh,
    (ConnectionState.OPEN, "sub_refresh"): ProtocolSession._on_sub_refresh,
    (ConnectionState.OPEN, "*"): ProtocolSession._on_unknown,
}
