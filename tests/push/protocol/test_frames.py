"""What cannot be read in a JSON frame: a command fails alone where its id can be read, after others comes the end."""

from __future__ import annotations

import json

import msgspec
import pytest

from events.core.faults import fault
from push.protocol import codes
from push.protocol.actions import Action, Authenticate, CallRpc, Close, Start, SubscriptionStart, Write
from push.protocol.codes import Error
from push.protocol.commands import BadFrame, connect_data
from push.protocol.frames import CODEC
from push.protocol.session import ConnectionState
from push.protocol.timers import LAST_SECONDS
from tests.push.protocol.test_session import LOST, NOW, PLACE, ann, error_of, frame, fresh, opened, said

_HALF = "expected whole characters, got half of a surrogate pair (\\ud800 to \\udfff)"
HALF = '{"id":2,"rpc":{"method":"m","data":{"x":"hello \\ud83d"}}}'


def closed(actions: list[Action]) -> codes.Disconnect:
    """How the connection ends; it does so last."""
    assert [type(action) for action in actions].count(Close) == 1 and isinstance(actions[-1], Close)
    return actions[-1].disconnect


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (HALF, "surrogate"),
        ('{"id":2,"rpc":{"method":"m\\udc00","data":{}}}', "surrogate"),
        ('{"rpc":{"method":"\\uD83D"},"id":2}', "surrogate"),
        ('{"id":2,"rpc":{"method":5}}', "rpc.method: expected a string, got 5"),
        ('{"id":2,"rpc":[]}', "rpc: expected an object or null, got an array of 0 items"),
        ('{"id":2,"rpc":{"method":5},"x":NaN}', "expected JSON, got invalid character at line 1, column 32"),
        ('{"id":2,"rpc":{"method":5,"data":' + "[" * 5000 + "]" * 5000 + "}}", "deeply"),
        ('{"id":2,"history":{"channel":"user:ann","since":{"offset":-1}}}', "since"),
        ('{"id":2,"rpc":{"method":"m"},"ping":{}}', "one method"),
        ('{"id":2,"rpc":{"method":"m","data":NaN}}', "expected JSON, got invalid character at line 1, column 36"),
        ('{"id":2,"rpc":{"method":"m","data":' + "[" * 5000 + "]" * 5000 + "}}", "deeply"),
        ('{"id":2,"rpc":{"method":"m","data":' + "[" * 20_000, "deeply"),
    ],
)
def test_a_command_that_cannot_be_read_fails_alone(line: str, words: str) -> None:
    session = opened(frame_bytes=100_000)
    actions = session.receive('{"id":1,"rpc":{"method":"a"}}\n' + line + '\n{"id":3,"rpc":{"method":"b"}}', NOW)
    assert [action for action in actions if isinstance(action, CallRpc)] == [
        CallRpc(1, "a", b"{}"),
        CallRpc(3, "b", b"{}"),
    ]
    [reply] = said(actions)
    assert reply["id"] == 2 and reply["error"]["code"] == 107
    assert words in reply["error"]["message"]
    assert session.state is ConnectionState.OPEN


def test_one_that_came_before_the_connect_reply_too() -> None:
    session = fresh()
    session.receive(frame({"id": 1, "connect": {"token": "t", "data": {"subscribe": "client"}}}) + "\n" + HALF, NOW)
    assert [reply["id"] for reply in said(session.authenticated(1, ann(), NOW))] == [1, 2]


@pytest.mark.parametrize(
    "line",
    [
        '{"id":2,"connect":{"token":"t","data":{"x":"\\ud83d"}}}',
        '{"id":2,"connect":{"token":5}}',
        '{"id":2,"connect":{"data":' + "[" * 5000,
        '{"rpc":{"method":"\\ud83d"}}',
        '{"id":"2","rpc":{"method":"m"}}',
        '{"id":4294967296,"rpc":{"method":"m"}}',
        '{"id":true,"rpc":{"method":"m","data":"\\ud83d"}}',
        '{"x":0,"id":2,"rpc":{"method":"m","data":' + "[" * 5000,
        '{"id":2,"rpc":{"method":"m"}',
        '{"id":2} {"id":3}',
        "[1]",
        "",
        "  ",
    ],
)
def test_what_has_no_id_to_answer_ends_the_connection_after_what_came_before(line: str) -> None:
    session = opened(frame_bytes=100_000)
    actions = session.receive(f'{{"id":8,"rpc":{{"method":"a"}}}}\n{line}\n{{"id":9,"rpc":{{"method":"b"}}}}', NOW)
    # What follows is not looked at, in this frame or in later ones.
    assert actions == [CallRpc(8, "a", b"{}")]
    assert session.receive(frame({"id": 10, "rpc": {"method": "c"}}), NOW) == []
    write, close = session.answered(8, b'{"done":1}')
    assert said([write]) == [{"id": 8, "rpc": {"data": {"done": 1}}}]
    assert closed([close]).code == 3501


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"id":"x","rpc":{"method":"m"}}', "id: expected an integer of 0 to 4294967295, got a string of 1 character"),
        ('{"id":1e400,"rpc":{}}', "expected JSON, got number out of range"),
        ('{"id":2,"connect":{"token":5}}', "connect.token: expected a string, got a number"),
        ("[]", "expected an object, got an array of 0 items"),
    ],
)
def test_the_reason_is_in_the_words_of_json(line: str, words: str) -> None:
    assert closed(opened().receive(line, NOW)).reason == f"bad request: {words}"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            b'{"since":{"offset":1e30}}',
            "connect.data.since.offset: expected an integer of 0 to 9007199254740992, got a ",
        ),
        (b'{"since":5}', "connect.data.since: expected an object or null, got 5"),
        (b'{"since":5,"x":"\xff"}', "connect.data: expected JSON, got a byte that is no UTF-8 at line 1, column 17"),
        (b'{"subscribe":tru}', "connect.data: expected JSON, got "),
        (b'{"x":' + b"[" * 9000, "connect.data: expected JSON, got a value nested too deeply"),
    ],
)
def test_so_is_that_of_the_data_of_a_connect(data: bytes, words: str) -> None:
    with pytest.raises(BadFrame) as caught:
        connect_data(data)
    assert str(caught.value).startswith(words) and "`" not in str(caught.value)


def test_nothing_waits_where_nothing_came_before() -> None:
    assert closed(opened().receive("[1]", NOW)).code == 3501
    assert closed(fresh().receive(HALF, NOW)).code == 3501
    pong = opened().receive('{"id":2,"ping":{}}\n{}\n{"id":3,"ping":{}}', NOW)
    assert said(pong) == [{"id": 2, "ping": {}}] and "pong" in closed(pong).reason


def test_a_connect_before_it_is_answered_and_so_are_its_companions() -> None:
    session = fresh()
    lines = [{"id": 1, "connect": {"token": "t"}}, {"id": 2, "rpc": {"method": "a"}}, {"id": 3, "ping": {}}]
    assert session.receive(frame(*lines) + "\n[1]", NOW) == [Authenticate(1, "t")]
    session.authenticated(1, ann(), NOW)
    actions = session.attached(1, PLACE, NOW)
    assert [reply["id"] for reply in said(actions)] == [1, 3] and CallRpc(2, "a", b"{}") in actions
    assert closed(session.answered(2, b"{}")).code == 3501
    refused = fresh()
    refused.receive(frame(*lines) + "\n[1]", NOW)
    ends = refused.refused(1, "expired", NOW)
    assert error_of(ends) == 109 and closed(ends).code == 3501


def test_a_second_connect_ends_it_after_what_came_before() -> None:
    session = opened()
    second = frame({"id": 2, "rpc": {"method": "a"}}, {"id": 3, "connect": {"token": "u"}}, {"id": 4, "ping": {}})
    assert session.receive(second, NOW) == [CallRpc(2, "a", b"{}")]
    write, close = session.failed(2, Error(409, "taken"))
    assert said([write])[0]["error"]["code"] == 409 and closed([close]).code == 3501


def test_it_does_not_wait_for_ever() -> None:
    session = opened()
    session.receive('{"id":2,"rpc":{"method":"a"}}\n[1]', NOW)
    assert session.deadline() == NOW + LAST_SECONDS
    assert closed(session.tick(NOW + LAST_SECONDS)).code == 3501
    assert session.answered(2, b"{}") == []


def test_sends_count_too() -> None:
    session = opened()
    assert session.receive('{"send":{"data":{"method":"a"}}}\n[1]', NOW) == [CallRpc(0, "a", b"{}")]
    assert closed(session.answered(0, b"{}")).code == 3501


@pytest.mark.parametrize(
    "send",
    ['"hi"', "[1]", "5", "null", "true", '{"data":"hi"}', '{"data":[1]}', '{"data":5}', '{"data":null}', "{}",
     '{"data":{"method":5}}', '{"data":{"method":"m\\ud83d"}}', '{"data":' + "[" * 5000 + "]" * 5000 + "}"],
)  # fmt: skip
def test_a_send_of_anything_else_is_ignored(send: str) -> None:
    session = opened(frame_bytes=100_000)
    assert session.receive(f'{{"send":{send}}}', NOW) == []
    assert session.state is ConnectionState.OPEN
    assert said(session.receive(frame({"id": 2, "ping": {}}), NOW)) == [{"id": 2, "ping": {}}]


def test_null_is_no_data() -> None:
    session = opened()
    lines = '{"id":2,"rpc":{"method":"m","data":null}}\n{"send":{"data":{"method":"m","data": null }}}'
    assert session.receive(lines, NOW) == [CallRpc(2, "m", b"{}"), CallRpc(0, "m", b"{}")]


@pytest.mark.parametrize(
    "more", [{"type": 1}, {"type": 2}, {"tf": {"op": "", "key": "a", "cmp": "eq", "val": "b"}}, {"tf": {}}]
)
def test_subscriptions_of_other_kinds_are_refused(more: dict[str, object]) -> None:
    session = opened(None)
    assert error_of(session.receive(frame({"id": 2, "subscribe": {"channel": "user:ann", **more}}), NOW)) == 107
    plain = {"channel": "user:ann", "type": 0, "tf": None, "flag": 1, "delta": "fossil"}
    assert session.receive(frame({"id": 3, "subscribe": plain}), NOW) != []
    assert Start(snapshot=False) in session.attached(3, PLACE, NOW)


def test_a_lost_place_is_an_error_to_those_who_ask_for_it() -> None:
    session = opened(None)
    subscribe = {"channel": "user:ann", "recover": True, "epoch": "old", "offset": 1}
    session.receive(frame({"id": 2, "subscribe": {**subscribe, "flag": 3}}), NOW)
    assert error_of(session.attached(2, LOST, NOW)) == 112
    assert not session.subscribed
    # They look at the state again, and come with another place.
    session.receive(frame({"id": 3, "subscribe": {**subscribe, "flag": 2}}), NOW)
    write, start = session.attached(3, SubscriptionStart("E", 5, recovering=True, recovered=True), NOW)
    assert isinstance(write, Write) and start == Start(snapshot=False)
    # Without the flag it is a snapshot.
    other = opened(None)
    other.receive(frame({"id": 2, "subscribe": {**subscribe, "flag": 1}}), NOW)
    assert other.attached(2, LOST, NOW)[-1] == Start(snapshot=True)


@pytest.mark.parametrize(
    ("text", "half"),
    [('{"x":"\\ud83d"}', True), ('["\\ude00\\ud83d"]', True), ('{"x":"\\ud83dab', False), ('{"x":"\\\\ud83d', False)],
)
def test_why_text_is_no_json(text: str, half: bool) -> None:
    with pytest.raises(msgspec.DecodeError) as caught:
        msgspec.json.decode(text)
    assert fault(text, caught.value) == (_HALF if half else str(caught.value))


def test_a_frame_that_is_read_at_once_is_not_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "loads", None)
    assert CODEC.parse('{"id":2,"rpc":{"method":"m"}}')[0].method == "rpc"
