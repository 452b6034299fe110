"""Who is there, who types, who looks at a room: told as it happens, and stored nowhere."""

from __future__ import annotations

from typing import Literal, TypedDict

from klatsch_client.contract import Presence
from klatsch_client.fold import State, Watching

#: Seconds after the latest typing signal of a room from which on nobody types there.
TYPING_SECONDS = 6.0


class PresenceSignal(TypedDict):
    signal: Literal["presence"]
    users: list[Presence]


class TypingSignal(TypedDict):
    signal: Literal["typing"]
    room: str
    users: list[str]


class WatchingSignal(TypedDict):
    signal: Literal["watching"]
    room: str
    count: int
    users: list[str]


Signal = PresenceSignal | TypingSignal | WatchingSignal


def fold_signal(state: State, signal: Signal) -> None:
    """Takes a signal in."""
    if signal["signal"] == "presence":
        state.presence.update({one["user"]: one for one in signal["users"]})
    elif signal["signal"] == "typing":
        state.typing[signal["room"]] = signal["users"]
    else:
        state.watching[signal["room"]] = Watching(count=signal["count"], users=signal["users"])


def forget_signals(state: State) -> None:
    """A new connection receives again who is there."""
    state.presence, state.typing, state.watching = {}, {}, {}
