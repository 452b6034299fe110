"""Whatever clients send and in whatever order outcomes come, a session keeps the rules that SDKs rely on.
Tests ``push/protocol/session.py``."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from push.protocol import codes
from push.protocol.actions import (
    Action,
    Attach,
    Authenticate,
    CallRpc,
    Close,
    ReadHistory,
    ReadPresence,
    Start,
    SubscriptionStart,
    Write,
)
from push.protocol.backend import ConnectionIdentity
from push.protocol.frames import Wire
from push.protocol.items import FeedDelta
from push.protocol.session import ProtocolSession

_channels = st.sampled_from(["user:ann", "user:bob", "news", ""])
_methods = st.sampled_from(["dance", *(name for name in Wire.__struct_fields__ if name != "id")])
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_bodies = st.fixed_dictionaries(
    {},
    optional={
        "channel": _channels,
        "token": st.text(max_size=3),
        "data": _values | st.just({"method": "m"}) | st.just({"subscribe": "client"}),
        "method": st.text(max_size=3),
        "limit": st.integers(-2, 5),
        "recover": st.booleans(),
        "offset": st.integers(0, 9000),
    },
)
_commands = st.builds(lambda id, method, body: {"id": id, method: body}, st.integers(0, 6), _methods, _bodies)
_frames = st.lists(_commands | st.just({}), min_size=1, max_size=4).map(lambda all: "\n".join(map(json.dumps, all)))
#: What happens to a session: a frame, an item, time, or an outcome of the oldest or newest pending action.
_steps = st.lists(
    st.tuples(st.just("frame"), _frames | st.text(max_size=20))
    | st.tuples(st.just("item"), st.integers(1, 9000))
    | st.tuples(st.just("time"), st.integers(1, 30))
    | st.tuples(st.just("outcome"), st.booleans())
    | st.tuples(st.just("failure"), st.booleans()),
    max_size=40,
)


class Driver:
    """Performs actions as ``ws.py`` does, and checks the rules."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.session = ProtocolSession("c", self.now, ping_seconds=25, frame_bytes=10_000)
        self.pending: list[Action] = []
        self.connected = False
        self.closed = False
        self.position = 0
        self.answered: list[int] = []

    def perform(self, actions: list[Action]) -> None:
        for action in actions:
            assert not self.closed, "an action after Close"
            match action:
                case Write(data):
                    self._written(data)
                case Close(disconnect):
                    assert len(disconnect.reason.encode()) <= 123
                    self.closed = True
                case Authenticate() | Attach() | CallRpc() | ReadPresence() | ReadHistory():
                    self.pending.append(action)
                case Start():
                    assert self.connected, "a subscription started before the connect reply"
                    self.position = self.session.position

    def _written(self, data: bytes) -> None:
        assert b"\n" not in data and data.strip(), "a line of its own"
        reply: dict[str, Any] = json.loads(data)
        if "error" in reply:
            assert reply["error"]["message"] and reply["error"]["code"] >= 100
        if "connect" in reply:
            assert reply["connect"]["client"] == "c"
            assert not self.connected
            self.connected = True

    def outcome(self, action: Action, good: bool) -> list[Action]:
        match action:
            case Authenticate(id, _) if good:
                return self.session.authenticated(
                    id, ConnectionIdentity(user="ann", session="s", expires=1e9), self.now
                )
            case Authenticate(id, _):
                return self.session.refused(id, "expired", self.now)
            case Attach(id, since) if good:
                offset = since.offset if since else 5
                return self.session.attached(
                    id, SubscriptionStart("E", offset, since is not None, offset > 0), self.now
                )
            case CallRpc(id) if good:
                return self.session.answered(id, b'{\n"a":1}')
            case ReadPresence(id) | ReadHistory(id) if good:
                return self.session.found(id, {"offset": 1})
            case Attach(id) | CallRpc(id) | ReadPresence(id) | ReadHistory(id):
                return self.session.failed(id, codes.INTERNAL)
            case _:
                raise AssertionError(f"expected an action with an outcome, got {action}")

    def deliver(self, cursor: int) -> None:
        for text in self.session.deliver([FeedDelta(cursor, b"{}")]):
            assert self.connected and not self.closed
            offset = json.loads(text)["push"]["pub"]["offset"]
            assert offset > self.position, "publications go up"
            self.position = offset


@given(st.booleans(), _steps)
def test_the_rules_hold_whatever_happens(opened: bool, steps: list[tuple[str, Any]]) -> None:
    driver = Driver()
    driver.perform(driver.session.receive('{"id":1,"connect":{"token":"t"}}', driver.now))
    while opened and driver.pending:
        driver.perform(driver.outcome(driver.pending.pop(), True))
    for kind, value in steps:
        if kind == "frame":
            driver.perform(driver.session.receive(value, driver.now))
        elif kind == "item":
            driver.deliver(value)
        elif kind == "time":
            driver.now += value
            driver.perform(driver.session.tick(driver.now))
            assert driver.closed or driver.session.deadline() > driver.now
        elif driver.pending:
            action = driver.pending.pop(0 if value else -1)
            driver.perform(driver.outcome(action, kind == "outcome"))
