"""The protocol without a network: what a session does on each frame, outcome and moment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from push.protocol import codes, frames
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
from push.protocol.codes import Error
from push.protocol.commands import Since
from push.protocol.items import FeedDelta
from push.protocol.session import PENDING, ChannelState, ConnectionState, ProtocolSession

NOW = 1_000.0
PLACE = SubscriptionStart("E", 8191)
LOST = SubscriptionStart("E", 0, recovering=True)


def fresh(**options: Any) -> ProtocolSession:
    return ProtocolSession("c1", NOW, **{"ping_seconds": 25, "frame_bytes": 1000, **options})


def frame(*commands: dict[str, Any]) -> str:
    return "\n".join(json.dumps(command) for command in commands)


def ann(**fields: Any) -> ConnectionIdentity:
    return ConnectionIdentity(**{"user": "ann", "session": "s", "expires": NOW + 3600, **fields})


def opened(place: SubscriptionStart | None = PLACE, frame_bytes: int = 1000, **connect: Any) -> ProtocolSession:
    """A session after its connect reply; without a place it has no subscription."""
    session = fresh(frame_bytes=frame_bytes)
    if place is None:
        connect["data"] = {"subscribe": "client"}
    session.receive(frame({"id": 1, "connect": {"token": "t", **connect}}), NOW)
    session.authenticated(1, ann(), NOW)
    if place is not None:
        session.attached(1, place, NOW)
    assert session.state is ConnectionState.OPEN
    return session


def said(actions: Sequence[Action]) -> list[dict[str, Any]]:
    """What is written, decoded."""
    return [json.loads(action.data) for action in actions if isinstance(action, Write)]


def error_of(actions: Sequence[Action]) -> int:
    [reply] = said(actions)
    assert reply["error"]["message"]
    code: int = reply["error"]["code"]
    return code


def item(cursor: int, delta: bytes = b'{"a":1}') -> FeedDelta:
    return FeedDelta(cursor, delta)


def test_connect_authenticates_then_finds_the_place_then_replies_then_starts() -> None:
    session = fresh()
    assert session.receive(frame({"id": 7, "connect": {"token": "t"}}), NOW) == [Authenticate(7, "t")]
    assert session.authenticated(7, ann(data=b'{"x":\n1}'), NOW) == [Attach(7, None)]
    write, start = session.attached(7, PLACE, NOW)
    assert start == Start(snapshot=False)
    assert said([write]) == [
        {
            "id": 7,
            "connect": {
                "client": "c1",
                "version": "klatsch",
                "ping": 25,
                "pong": True,
                "expires": True,
                "ttl": 3570,
                "data": {"x": 1},
                "subs": {
                    "user:ann": {
                        "recoverable": True,
                        "positioned": True,
                        "epoch": "E",
                        "offset": 8191,
                        "was_recovering": False,
                        "recovered": False,
                    }
                },
            },
        }
    ]


@pytest.mark.parametrize(
    ("connect", "since"),
    [
        ({}, None),
        ({"subs": {"user:ann": {"recover": True, "offset": 5000, "epoch": "E"}}}, Since(5000, "E")),
        ({"subs": {"user:ann": {"recover": True, "epoch": "E"}}}, Since(0, "E")),
        ({"subs": {"user:ann": {"offset": 5}}}, None),
        ({"subs": {"user:bob": {"recover": True, "offset": 5}}}, None),
        ({"data": {"since": {"offset": 6000, "epoch": "F"}}}, Since(6000, "F")),
        ({"data": {"since": {"offset": 6000}}}, Since(6000, "")),
        ({"data": [1]}, None),
        ({"data": {"app": "own"}}, None),
        # What the SDK remembers is newer than what the page remembered when it was loaded.
        (
            {"subs": {"user:ann": {"recover": True, "offset": 7, "epoch": "E"}}, "data": {"since": {"offset": 6}}},
            Since(7, "E"),
        ),
    ],
)
def test_where_a_connect_command_wants_to_go_on(connect: dict[str, Any], since: Since | None) -> None:
    session = fresh()
    session.receive(frame({"id": 1, "connect": {"token": "t", **connect}}), NOW)
    assert session.authenticated(1, ann(), NOW) == [Attach(1, since)]


def test_nothing_is_delivered_before_the_connect_reply() -> None:
    session = fresh()
    session.receive(frame({"id": 1, "connect": {"token": "t"}}), NOW)
    assert session.deliver([item(9000)]) == []
    session.authenticated(1, ann(), NOW)
    assert session.deliver([item(9000)]) == []
    session.attached(1, PLACE, NOW)
    assert session.deliver([item(9000)]) != []


def test_publications_are_monotonic_and_batched_by_lines() -> None:
    session = opened(SubscriptionStart("E", 10))
    [text] = session.deliver([item(9), item(10), item(11), item(11), item(12)])
    pushes = [json.loads(line)["push"] for line in text.decode().split("\n")]
    assert [push["pub"]["offset"] for push in pushes] == [11, 12]
    assert {push["channel"] for push in pushes} == {"user:ann"}
    assert session.deliver([item(12)]) == []
    assert session.deliver([item(3)]) == []
    assert json.loads(session.deliver([item(13)])[0])["push"]["pub"] == {"data": {"a": 1}, "offset": 13}


def test_large_batches_are_split_into_frames_that_clients_take() -> None:
    session = opened(SubscriptionStart("E", 10))
    big = b'{"t":"' + b"x" * 100_000 + b'"}'
    found = session.deliver([item(11 + n, big) for n in range(7)])
    assert all(len(text) <= frames.FRAME_BYTES + 10 for text in found)
    offsets = [json.loads(line)["push"]["pub"]["offset"] for text in found for line in text.split(b"\n")]
    assert offsets == list(range(11, 18))


def test_a_delta_with_line_ends_stays_one_line_and_the_same_json() -> None:
    session = opened(SubscriptionStart("E", 10))
    [text] = session.deliver([item(11, b'{\n"a": "b\\nc"\r\n}')])
    assert b"\n" not in text
    assert json.loads(text)["push"]["pub"]["data"] == {"a": "b\nc"}


def test_a_lost_place_has_offset_0_and_starts_with_a_snapshot() -> None:
    session = fresh()
    subs = {"user:ann": {"recover": True, "offset": 5000, "epoch": "old"}}
    session.receive(frame({"id": 1, "connect": {"token": "t", "subs": subs}}), NOW)
    session.authenticated(1, ann(), NOW)
    write, start = session.attached(1, LOST, NOW)
    assert start == Start(snapshot=True)
    place = said([write])[0]["connect"]["subs"]["user:ann"]
    assert (place["was_recovering"], place["recovered"], place["offset"]) == (True, False, 0)


def test_commands_sent_with_connect_wait_for_its_reply() -> None:
    session = fresh()
    actions = session.receive(
        frame({"id": 1, "connect": {"token": "t", "data": {"subscribe": "client"}}}, {"id": 2, "ping": {}}), NOW
    )
    assert actions == [Authenticate(1, "t")]
    assert [reply["id"] for reply in said(session.authenticated(1, ann(), NOW))] == [1, 2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "  ",
        "{",
        "[]",
        "null",
        '"x"',
        '{"id":-1,"connect":{}}',
        '{"id":4294967296,"connect":{}}',
        '{"id":"1","connect":{}}',
        '{"id":1,"connect":{"token":5}}',
        '{"id":1,"connect":{},"rpc":{}}',
        '{"connect":{"token":"t"}}',
        '{"id":1,"rpc":{}}',
        '{"id":1,"connect":{"subs":{"user:ann":{"offset":-1}}}}',
        "[" * 900,
        "x" * 1001,
        "ü" * 501,
    ],
)
def test_a_bad_first_frame_closes_for_good(text: str) -> None:
    session = fresh()
    actions = session.receive(text, NOW)
    closes = [action for action in actions if isinstance(action, Close)]
    assert [close.disconnect.code for close in closes] == [3501]
    assert closes[0].disconnect.final and len(closes[0].disconnect.reason.encode()) <= 123
    assert actions[-1] is closes[0]
    assert session.receive(frame({"id": 1, "connect": {"token": "t"}}), NOW) == []


def test_a_final_newline_is_allowed() -> None:
    session = fresh()
    assert session.receive('{"id":1,"connect":{"token":"t"}}\n', NOW) == [Authenticate(1, "t")]


@pytest.mark.parametrize(
    ("kind", "code"),
    [("invalid", codes.INVALID_TOKEN), ("revoked", codes.REVOKED), ("early", codes.EARLY), ("expired", None)],
)
def test_a_refused_token(kind: BadTokenKind, code: codes.Disconnect | None) -> None:
    session = fresh()
    session.receive(frame({"id": 1, "connect": {"token": "t"}}), NOW)
    actions = session.refused(1, kind, NOW)
    if code is not None:
        assert actions == [Close(code)]
        return
    assert error_of(actions) == 109
    # The SDK fetches another token and tries again.
    assert session.receive(frame({"id": 2, "connect": {"token": "u"}}), NOW) == [Authenticate(2, "u")]


def test_a_connect_that_fails_for_now_may_be_tried_again() -> None:
    session = fresh()
    session.receive(frame({"id": 1, "connect": {"token": "t"}}), NOW)
    [reply] = said(session.failed(1, codes.INTERNAL))
    assert reply == {"id": 1, "error": {"code": 100, "message": "internal error", "temporary": True}}
    assert session.state is ConnectionState.NEW


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ({"rpc": {"method": "m", "data": {"a": 1}}}, CallRpc(5, "m", b'{"a": 1}')),
        ({"rpc": {"method": "m"}}, CallRpc(5, "m", b"{}")),
        ({"presence": {"channel": "user:ann"}}, ReadPresence(5, "presence")),
        ({"presence_stats": {"channel": "user:ann"}}, ReadPresence(5, "presence_stats")),
        ({"history": {"channel": "user:ann", "limit": 3}}, ReadHistory(5, 3, None)),
        ({"history": {"channel": "user:ann", "limit": -1, "since": {"offset": 9}}}, ReadHistory(5, 1000, Since(9))),
        ({"refresh": {"token": "u"}}, Authenticate(5, "u")),
    ],
)
def test_commands_become_actions(command: dict[str, Any], expected: Action) -> None:
    assert opened().receive(frame({"id": 5, **command}), NOW) == [expected]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"publish": {"channel": "user:ann", "data": {}}}, 103),
        ({"subscribe": {"channel": "user:ann"}}, 105),
        ({"subscribe": {"channel": "user:bob"}}, 103),
        ({"subscribe": {"channel": "news"}}, 102),
        ({"presence": {"channel": "user:bob"}}, 103),
        ({"history": {"channel": "news"}}, 102),
        ({"history": {"channel": "user:ann", "reverse": True}}, 107),
        ({"sub_refresh": {"channel": "news", "token": "t"}}, 102),
        ({"dance": {}}, 104),
        ({}, 104),
    ],
)
def test_commands_that_are_refused(command: dict[str, Any], code: int) -> None:
    assert error_of(opened().receive(frame({"id": 5, **command}), NOW)) == code


@pytest.mark.parametrize("method", ["ping", "sub_refresh"])
def test_commands_that_are_answered_at_once(method: str) -> None:
    body = {"channel": "user:ann"} if method == "sub_refresh" else {}
    assert said(opened().receive(frame({"id": 5, method: body}), NOW)) == [{"id": 5, method: {}}]


def test_outcomes_of_commands() -> None:
    session = opened()
    for id in (2, 3):
        session.receive(frame({"id": id, "rpc": {"method": "m"}}), NOW)
    session.receive(frame({"id": 4, "presence_stats": {"channel": "user:ann"}}), NOW)
    assert said(session.answered(2, b'{\n"a":1}')) == [{"id": 2, "rpc": {"data": {"a": 1}}}]
    assert session.answered(2, b"{}") == []
    error = said(session.failed(3, Error(409, "taken"), b'{"status":409}'))
    assert error == [{"id": 3, "error": {"code": 409, "message": "taken", "problem": {"status": 409}}}]
    assert said(session.found(4, {"num_clients": 1})) == [{"id": 4, "presence_stats": {"num_clients": 1}}]


def test_an_error_never_lacks_a_message() -> None:
    session = opened()
    session.receive(frame({"id": 2, "rpc": {"method": "m"}}), NOW)
    assert said(session.failed(2, Error(400, "")))[0]["error"]["message"]


def test_commands_under_way_are_bounded_and_become_free_again() -> None:
    session = opened()
    for id in range(2, PENDING + 2):
        assert isinstance(session.receive(frame({"id": id, "rpc": {"method": "m"}}), NOW)[0], CallRpc)
    over = frame({"id": 999, "rpc": {"method": "m"}})
    assert said(session.receive(over, NOW))[0]["error"] == {
        "code": 111,
        "message": "too many requests",
        "temporary": True,
    }
    session.answered(2, b"{}")
    assert session.receive(over, NOW) == [CallRpc(999, "m", b"{}")]


def test_sends_have_no_reply_but_are_bounded_too() -> None:
    session = opened()
    send = frame({"send": {"data": {"method": "typing", "data": {"room": "r"}}}})
    for _ in range(PENDING):
        assert session.receive(send, NOW) == [CallRpc(0, "typing", b'{"room": "r"}')]
    assert session.answered(0, b"{}") == session.failed(0, codes.INTERNAL) == []
    assert [session.receive(send, NOW) for _ in range(2)] == [[CallRpc(0, "typing", b'{"room": "r"}')]] * 2
    assert session.receive(send, NOW) == [Close(codes.FLOOD)]


def test_an_id_is_not_used_twice_at_once() -> None:
    session = opened()
    session.receive(frame({"id": 2, "rpc": {"method": "m"}}), NOW)
    assert error_of(session.receive(frame({"id": 2, "rpc": {"method": "m"}}), NOW)) == 107


def test_a_client_side_subscription_starts_ends_and_starts_again() -> None:
    session = opened(None)
    assert session.channel is ChannelState.OFF and session.deliver([item(9)]) == []
    subscribe = {"channel": "user:ann", "recover": True, "offset": 5, "epoch": "E"}
    assert session.receive(frame({"id": 2, "subscribe": subscribe}), NOW) == [Attach(2, Since(5, "E"))]
    assert error_of(session.receive(frame({"id": 3, "subscribe": subscribe}), NOW)) == 105
    write, start = session.attached(2, SubscriptionStart("E", 5, recovering=True, recovered=True), NOW)
    assert said([write])[0]["subscribe"]["recovered"] and start == Start(snapshot=False)
    unsubscribe = frame({"id": 4, "unsubscribe": {"channel": "user:ann"}})
    actions = session.receive(unsubscribe, NOW)
    assert actions[0] == Detach() and said(actions) == [{"id": 4, "unsubscribe": {}}]
    assert session.deliver([item(9000)]) == []
    assert said(session.receive(unsubscribe, NOW)) == [{"id": 4, "unsubscribe": {}}]
    assert session.receive(frame({"id": 5, "subscribe": {"channel": "user:ann"}}), NOW) == [Attach(5, None)]


def test_a_subscription_that_was_given_up_while_its_place_was_looked_up_does_not_start() -> None:
    session = opened(None)
    session.receive(frame({"id": 2, "subscribe": {"channel": "user:ann"}}), NOW)
    session.receive(frame({"id": 3, "unsubscribe": {"channel": "user:ann"}}), NOW)
    session.receive(frame({"id": 4, "subscribe": {"channel": "user:ann"}}), NOW)
    assert error_of(session.attached(2, PLACE, NOW)) == 107
    assert Start(snapshot=False) in session.attached(4, PLACE, NOW)


def test_a_subscription_that_fails_can_be_tried_again() -> None:
    session = opened(None)
    session.receive(frame({"id": 2, "subscribe": {"channel": "user:ann"}}), NOW)
    assert error_of(session.failed(2, codes.INTERNAL)) == 100
    assert session.receive(frame({"id": 3, "subscribe": {"channel": "user:ann"}}), NOW) == [Attach(3, None)]


def test_pings_go_out_on_busy_connections_and_must_be_answered() -> None:
    session = opened()
    assert session.tick(NOW + 24.9) == []
    session.deliver([item(9000)])
    assert session.tick(NOW + 25) == [Write(b"{}")]
    assert session.receive("{}", NOW + 26) == []
    assert session.tick(NOW + 36) == []
    assert session.deadline() == NOW + 50
    assert session.tick(NOW + 50) == [Write(b"{}")]
    assert session.deadline() == NOW + 60
    assert session.tick(NOW + 60) == [Close(codes.NO_PONG)]
    assert session.deadline() == float("inf")


def test_a_pong_that_nobody_asked_for_is_a_bad_request() -> None:
    session = opened()
    session.tick(NOW + 25)
    assert session.receive("{}", NOW + 26) == []
    [close] = session.receive("{}", NOW + 26)
    assert isinstance(close, Close) and close.disconnect.code == 3501


def test_no_connect_in_time_and_the_end_of_the_token() -> None:
    assert fresh().tick(NOW + 10) == [Close(codes.STALE)]
    session = opened()
    for minute in range(59):
        moment = NOW + 60 * minute
        if session.tick(moment):
            session.receive("{}", moment)
    assert session.tick(NOW + 3600) == [Close(codes.EXPIRED)]


def test_a_refresh_moves_the_end_of_the_token() -> None:
    session = opened()
    session.receive(frame({"id": 2, "refresh": {"token": "u"}}), NOW)
    reply = said(session.authenticated(2, ann(expires=NOW + 7200), NOW))
    assert reply == [{"id": 2, "refresh": {"client": "c1", "expires": True, "ttl": 7170}}]
    assert all(not isinstance(action, Close) for action in session.tick(NOW + 3600))


def test_a_refresh_with_the_token_of_somebody_else_closes_for_good() -> None:
    session = opened()
    session.receive(frame({"id": 2, "refresh": {"token": "u"}}), NOW)
    assert session.authenticated(2, ann(user="bob"), NOW) == [Close(codes.INVALID_TOKEN)]


def test_after_the_close_nothing_happens() -> None:
    session = opened()
    session.receive(frame({"id": 2, "rpc": {"method": "m"}}), NOW)
    assert session.close(codes.SHUTDOWN) == [Close(codes.SHUTDOWN)]
    assert session.close(codes.SHUTDOWN) == []
    assert session.answered(2, b"{}") == session.failed(2, codes.INTERNAL) == session.attached(2, PLACE, NOW) == []
    assert session.receive(frame({"id": 3, "ping": {}}), NOW) == session.tick(NOW + 9999) == []
    assert session.deliver([item(9000)]) == []


def test_which_disconnects_are_final() -> None:
    final = {codes.INVALID_TOKEN, codes.REVOKED, codes.STALE, codes.bad_request("x")}
    again = {codes.SHUTDOWN, codes.SERVER_ERROR, codes.EXPIRED, codes.SLOW, codes.INSUFFICIENT_STATE, codes.NO_PONG}
    assert all(found.final for found in final)
    assert not any(found.final for found in again)


def test_a_signal_is_a_publication_without_an_offset_and_moves_no_position() -> None:
    session = opened()
    [frame] = session.signal([b'{"signal":"typing"}', b'{"signal":"presence"}'])
    assert [json.loads(line) for line in frame.split(b"\n")] == [
        {"push": {"channel": "user:ann", "pub": {"data": {"signal": kind}}}} for kind in ("typing", "presence")
    ]
    assert session.position == PLACE.offset
    assert not opened(place=None).signal([b"{}"]), "nobody has subscribed"
    session.close(codes.SHUTDOWN)
    assert not session.signal([b"{}"])
