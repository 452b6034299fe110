"""The protobuf codec without a network, beside the messages that the Python SDK was made from."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import centrifuge.protocol.client_pb2 as sdk
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from push.protocol import codes, commands, frames, messages
from push.protocol.actions import Action, Attach, Authenticate, CallRpc, Close, Start, SubscriptionStart, Write
from push.protocol.backend import ConnectionIdentity
from push.protocol.codec import Codec, choose
from push.protocol.codes import Error
from push.protocol.commands import ClientCommand, Since
from push.protocol.items import FeedDelta
from push.protocol.protobuf import CODEC
from push.protocol.session import ProtocolSession
from tests.push.drivers import SDK, node_modules

NOW = 1_000.0
_ROOT = Path(__file__).parents[3]


def delimited(*messages: Any) -> bytes:
    """A frame, by the library's own writing."""
    found = b""
    for message in messages:
        data = message.SerializeToString()
        size = len(data)
        while size > 0x7F:
            found += bytes((size & 0x7F | 0x80,))
            size >>= 7
        found += bytes((size,)) + data
    return found


def replies(frame: bytes) -> list[Any]:
    """What the SDK reads in a frame."""
    found, place = [], 0
    while place < len(frame):
        size = shift = 0
        while True:
            byte = frame[place]
            place += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        found.append(sdk.Reply.FromString(frame[place : place + size]))
        place += size
    return found


def written(actions: list[Action]) -> list[Any]:
    return [reply for action in actions if isinstance(action, Write) for reply in replies(action.data)]


def connecting(**fields: Any) -> bytes:
    return delimited(sdk.Command(id=1, connect=sdk.ConnectRequest(token="t", **fields)))


def fresh() -> ProtocolSession:
    return ProtocolSession("c1", NOW, ping_seconds=25, frame_bytes=10_000, codec=CODEC)


def opened(place: SubscriptionStart | None = SubscriptionStart("E", 8191), user: str = "ann") -> ProtocolSession:
    session = fresh()
    session.receive(connecting(data=b"" if place else b'{"subscribe":"client"}'), NOW)
    session.authenticated(1, ConnectionIdentity(user=user, session="s", expires=NOW + 3600, data=b'{"x":1}'), NOW)
    if place is not None:
        session.attached(1, place, NOW)
    return session


def _types(descriptor: Any) -> dict[str, tuple[int, int, bool]]:
    return {field.name: (field.number, field.type, field.is_repeated) for field in descriptor.fields}


@pytest.mark.parametrize("name", messages.MESSAGES)
def test_our_messages_are_those_of_the_sdk(name: str) -> None:
    ours = messages.classes()[name].DESCRIPTOR
    theirs = {"RpcRequest": "RPCRequest", "RpcResult": "RPCResult", "ChannelRequest": "PresenceRequest"}.get(name, name)
    if name == "Nothing":
        assert not ours.fields
        return
    found, expected = _types(ours), _types(sdk.DESCRIPTOR.message_types_by_name[theirs])
    # Fields of ours, or that this SDK does not know yet, or whose message we do not look into.
    for field, number in {"problem": 1000, "type": 15, "tf": 13}.items():
        if field in found:
            assert found.pop(field)[0] == number
    assert found.items() <= expected.items()


def test_every_method_has_its_number() -> None:
    for name in ("Command", "Reply"):
        for field in messages.classes()[name].DESCRIPTOR.fields:
            theirs = sdk.DESCRIPTOR.message_types_by_name[name].fields_by_name[field.name]
            assert field.number == theirs.number


def test_a_connection_is_opened_and_gets_deltas() -> None:
    session = fresh()
    sub = sdk.SubscribeRequest(recover=True, offset=5000, epoch="E")
    assert session.receive(connecting(subs={"user:ann": sub}), NOW) == [Authenticate(1, "t")]
    ann = ConnectionIdentity(user="ann", session="s", expires=NOW + 3600, data=b'{"x":1}')
    assert session.authenticated(1, ann, NOW) == [Attach(1, Since(5000, "E"))]
    write, start = session.attached(1, SubscriptionStart("E", 5000, recovering=True, recovered=True), NOW)
    assert start == Start(snapshot=False)
    [reply] = written([write])
    result = reply.connect
    assert (reply.id, result.client, result.version, result.ping, result.pong) == (1, "c1", "klatsch", 25, True)
    assert (result.expires, result.ttl, json.loads(result.data)) == (True, 3570, {"x": 1})
    place = result.subs["user:ann"]
    assert (place.recoverable, place.positioned, place.was_recovering, place.recovered) == (True, True, True, True)
    assert (place.offset, place.epoch) == (5000, "E")
    [frame] = session.deliver([FeedDelta(4000, b"{}"), FeedDelta(9000, b'{"a":1}'), FeedDelta(9001, b'{"b":\n2}')])
    pushes = [reply.push for reply in replies(frame)]
    assert [(push.channel, push.pub.offset, json.loads(push.pub.data)) for push in pushes] == [
        ("user:ann", 9000, {"a": 1}),
        ("user:ann", 9001, {"b": 2}),
    ]
    assert session.deliver([FeedDelta(9001, b"{}")]) == []


@given(st.binary(min_size=1, max_size=40_000), st.integers(1, 2**53), st.text(min_size=1, max_size=300))
def test_a_push_is_what_the_library_would_write(delta: bytes, offset: int, user: str) -> None:
    item = FeedDelta(offset, delta)
    push = sdk.Push(channel=f"user:{user}", pub=sdk.Publication(data=item.delta, offset=offset))
    publisher = CODEC.publisher(f"user:{user}")
    assert publisher.one(item) == delimited(sdk.Reply(push=push))
    # Also where another connection, whose channel is longer or shorter, has had it.
    [reply] = replies(CODEC.publisher("user:someone else").one(item))
    assert (reply.push.pub.data, reply.push.pub.offset) == (item.delta, offset)
    [frame] = publisher.signals([delta[:100]])
    assert replies(frame)[0].push.pub == sdk.Publication(data=delta[:100])


def test_large_batches_are_split_into_frames_that_clients_take() -> None:
    session = opened(SubscriptionStart("E", 10))
    big = b'{"t":"' + b"x" * 100_000 + b'"}'
    found = session.deliver([FeedDelta(11 + n, big) for n in range(7)])
    assert len(found) == 4 and all(len(frame) <= frames.FRAME_BYTES for frame in found)
    assert [reply.push.pub.offset for frame in found for reply in replies(frame)] == list(range(11, 18))


def test_a_delta_is_encoded_once_for_all_and_not_kept_for_long() -> None:
    class Counted(FeedDelta):
        asked = 0

        @property
        def delta(self) -> bytes:
            Counted.asked += 1
            return super().delta

    sessions = [opened(user=f"user{n}") for n in range(20)]
    items = [Counted(9000 + n, b'"' + b"x" * 10_000 + b'"') for n in range(200)]
    for item in items:
        for session in sessions:
            assert session.deliver([item])
    assert Counted.asked == len(items)
    assert sum(map(len, CODEC._deltas.found.values())) <= 1 << 20


def test_commands_and_their_outcomes() -> None:
    session = opened()
    rpc = sdk.Command(id=2, rpc=sdk.RPCRequest(method="m", data=b'{"a":1}'))
    bare = sdk.Command(id=3, rpc=sdk.RPCRequest(method="m"))
    null = sdk.Command(id=4, rpc=sdk.RPCRequest(method="m", data=b"null"))
    send = sdk.Command(send=sdk.SendRequest(data=b'{"method":"typing","data":{"b":2}}'))
    assert session.receive(delimited(rpc, bare, null, send), NOW) == [
        CallRpc(2, "m", b'{"a":1}'),
        CallRpc(3, "m", b"{}"),
        CallRpc(4, "m", b"{}"),
        CallRpc(0, "typing", b'{"b":2}'),
    ]
    [reply] = written(session.answered(2, b'{"c":3}'))
    assert (reply.id, reply.rpc.data) == (2, b'{"c":3}')
    [reply] = written(session.failed(3, Error(409, "taken", temporary=True), b'{"status":409}'))
    assert (reply.id, reply.error.code, reply.error.message, reply.error.temporary) == (3, 409, "taken", True)
    ours = messages.classes()["Error"].FromString(reply.error.SerializeToString())
    assert ours.problem == b'{"status":409}'
    [reply] = written(session.failed(4, Error(400, "")))
    assert reply.error.message


def test_every_result_is_read_by_the_sdk() -> None:
    session = opened()
    channel = "user:ann"
    session.receive(
        delimited(
            sdk.Command(id=2, presence=sdk.PresenceRequest(channel=channel)),
            sdk.Command(id=3, presence_stats=sdk.PresenceStatsRequest(channel=channel)),
            sdk.Command(id=4, history=sdk.HistoryRequest(channel=channel, limit=3)),
            sdk.Command(id=5, refresh=sdk.RefreshRequest(token="u")),
        ),
        NOW,
    )
    [reply] = written(session.found(2, {"presence": {"c1": {"client": "c1", "user": "ann"}}}))
    assert reply.presence.presence["c1"].user == "ann"
    [reply] = written(session.found(3, {"num_clients": 2, "num_users": 1}))
    assert (reply.presence_stats.num_clients, reply.presence_stats.num_users) == (2, 1)
    raw = msgspec.Raw(b'{"a":1}')
    history = {"publications": [{"data": raw, "offset": 7}], "offset": 9, "epoch": "E"}
    [reply] = written(session.found(4, history))
    assert [(pub.data, pub.offset) for pub in reply.history.publications] == [(b'{"a":1}', 7)]
    assert (reply.history.offset, reply.history.epoch) == (9, "E")
    [reply] = written(session.authenticated(5, ConnectionIdentity(user="ann", session="s", expires=NOW + 100), NOW))
    assert (reply.refresh.client, reply.refresh.expires, reply.refresh.ttl) == ("c1", True, 90)
    for id, method, body in (
        (6, "ping", sdk.PingRequest()),
        (7, "sub_refresh", sdk.SubRefreshRequest(channel=channel)),
        (8, "unsubscribe", sdk.UnsubscribeRequest(channel=channel)),
    ):
        [reply] = written(session.receive(delimited(sdk.Command(id=id, **{method: body})), NOW))
        assert reply.id == id and reply.HasField(method)


def test_a_client_side_subscription_and_what_is_refused_of_it() -> None:
    session = opened(None)
    own = "user:ann"

    def code(id: int, **fields: Any) -> int:
        request = sdk.SubscribeRequest(**fields)
        [reply] = written(session.receive(delimited(sdk.Command(id=id, subscribe=request)), NOW))
        found: int = reply.error.code
        return found

    assert code(2, channel="user:bob") == codes.PERMISSION_DENIED.code
    assert code(3, channel=own, tf=sdk.FilterNode(op="and")) == codes.BAD_REQUEST.code
    recover = sdk.SubscribeRequest(channel=own, recover=True, offset=5, epoch="E", flag=3)
    assert session.receive(delimited(sdk.Command(id=4, subscribe=recover)), NOW) == [Attach(4, Since(5, "E"))]
    [reply] = written(session.attached(4, SubscriptionStart("F", 0, recovering=True), NOW))
    assert reply.error.code == 112
    session.receive(delimited(sdk.Command(id=5, subscribe=sdk.SubscribeRequest(channel=own))), NOW)
    write, start = session.attached(5, SubscriptionStart("F", 7), NOW)
    assert written([write])[0].subscribe.offset == 7 and isinstance(start, Start)


def test_ping_and_pong_are_one_byte() -> None:
    session = opened()
    assert session.tick(NOW + 25) == [Write(b"\x00")]
    assert replies(b"\x00") == [sdk.Reply()]
    assert session.receive(b"\x00", NOW + 26) == []
    [close] = session.receive(b"\x00", NOW + 26)
    assert isinstance(close, Close) and "pong" in close.disconnect.reason


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ('{"id":1,"connect":{}}', "expected binary frames"),
        (b"", "at least one command"),
        (b"\x05\x08", "expected a message of 5 bytes, got 1"),
        (b"\x80", "length"),
        (b"\xff" * 12, "length"),
        (b"\x02\xff\xff", "expected a protobuf message"),
        # Groups without end, as deep as they fit.
        (b"\x64" + b"\x0b" * 100, "expected a protobuf message"),
        # Text that is no UTF-8.
        (b"\x06\x08\x01\x22\x02\x0a\xff"[:7], "expected a protobuf message"),
        (delimited(sdk.Command(id=1, rpc=sdk.RPCRequest(method="m"))), "connect as first"),
        (delimited(sdk.Command(connect=sdk.ConnectRequest(token="t"))), "an id of 1 or more"),
        (connecting(subs={"user:ann": sdk.SubscribeRequest(offset=2**60)}), "expected an offset"),
        (b"\x00" * 10_001, "at most 10000 bytes"),
    ],
)
def test_a_frame_that_is_not_in_the_protocol_closes_for_good_with_words(frame: str | bytes, words: str) -> None:
    actions = fresh().receive(frame, NOW)
    [close] = [action for action in actions if isinstance(action, Close)]
    assert close.disconnect.code == 3501 and close.disconnect.final
    assert words in close.disconnect.reason and len(close.disconnect.reason.encode()) <= 123


def test_what_comes_before_something_malformed_is_answered_first() -> None:
    session = opened()
    good = delimited(sdk.Command(id=2, rpc=sdk.RPCRequest(method="m")))
    assert session.receive(good + b"\x02\xff\xff" + good, NOW) == [CallRpc(2, "m", b"{}")]
    write, close = session.answered(2, b"{}")
    assert written([write])[0].id == 2
    assert isinstance(close, Close) and close.disconnect.code == 3501


def test_fields_and_methods_of_later_versions_are_skipped() -> None:
    later = sdk.Command(id=9).SerializeToString() + b"\xa2\x06\x02\x08\x01"
    frame = bytes((len(later),)) + later
    [reply] = written(opened().receive(frame, NOW))
    assert reply.error.code == codes.METHOD_NOT_FOUND.code
    known = sdk.Command(id=9, ping=sdk.PingRequest()).SerializeToString() + b"\xa2\x06\x02\x08\x01"
    [reply] = written(opened().receive(bytes((len(known),)) + known, NOW))
    assert reply.HasField("ping")


@given(st.binary(max_size=200))
def test_whatever_bytes_come_nothing_is_raised(frame: bytes) -> None:
    found = CODEC.parse(frame)
    assert found and all(isinstance(command, ClientCommand) for command in found)
    assert [command.method for command in found[:-1]].count("broken") == 0
    opened().receive(frame, NOW)


@pytest.mark.parametrize("data", [b"", b'"hi"', b"[1]", b"4", b"null", b"\xff\xfe", b'{"method":5}', b'{"a":1}'])
def test_a_send_of_anything_else_is_ignored(data: bytes) -> None:
    assert commands.sent(data).method == ""
    assert opened().receive(delimited(sdk.Command(send=sdk.SendRequest(data=data))), NOW) == []


@pytest.mark.parametrize(
    ("subprotocols", "query", "expected"),
    [
        ([], b"", (frames.CODEC, None)),
        (["centrifuge-protobuf"], b"", (CODEC, "centrifuge-protobuf")),
        (["centrifuge-json"], b"", (frames.CODEC, "centrifuge-json")),
        (["graphql-ws", "centrifuge-protobuf", "centrifuge-json"], b"", (CODEC, "centrifuge-protobuf")),
        (["graphql-ws"], b"", (frames.CODEC, None)),
        ([], b"cf_protocol=protobuf&x=1", (CODEC, None)),
        ([], b"cf_protocol=json", (frames.CODEC, None)),
        ([], b"cf_protocol=xml&cf_protocol=%ff", (frames.CODEC, None)),
        # What is answered by name is what is spoken.
        (["centrifuge-json"], b"cf_protocol=protobuf", (frames.CODEC, "centrifuge-json")),
    ],
)
def test_which_codec_a_handshake_asks_for(
    subprotocols: list[str], query: bytes, expected: tuple[Codec, str | None]
) -> None:
    assert choose(subprotocols, query) == expected


async def test_the_published_file_can_be_compiled_and_says_the_same() -> None:
    node_modules()
    # protobufjs comes with the JavaScript SDK.
    script = """
      const { Root } = require("protobufjs");
      console.log(JSON.stringify(new Root().loadSync(process.argv[1], { keepCase: true }).toJSON()));
    """
    process = await asyncio.create_subprocess_exec(
        "node", "-e", script, str(_ROOT / "schemas" / "push.proto"), cwd=SDK, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    found = json.loads(out)["nested"]["klatsch"]["nested"]["push"]["nested"]
    for name, made in messages.classes().items():
        fields = found[name].get("fields", {})
        assert {field.name: field.number for field in made.DESCRIPTOR.fields} == {
            field: body["id"] for field, body in fields.items()
        }
    assert found["ConnectResult"]["fields"]["subs"] == {"keyType": "string", "type": "SubscribeResult", "id": 6}
    assert found["HistoryResult"]["fields"]["publications"]["rule"] == "repeated"
