"""Who is there, who types, who looks at a room, who is in live channels: told as it happens, and stored nowhere."""

from __future__ import annotations

from typing import Literal, TypedDict

from klatsch_client.contract import Presence
from klatsch_client.fold import ChannelMember, State, Watching

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


class ChannelSignal(TypedDict):
    signal: Literal["channel"]
    channel: int
    users: list[ChannelMember]


Signal = PresenceSignal | TypingSignal | WatchingSignal | ChannelSignal


def fold_signal(state: State, signal: Signal) -> None:
    """Takes a signal in."""
    if signal["signal"] == "presence":
        state.presence.update({one["user"]: one for one in signal["users"]})
    elif signal["signal"] == "typing":
        state.typing[signal["room"]] = signal["users"]
    elif signal["signal"] == "channel":
        state.channels[signal["channel"]] = signal["users"]
    else:
        state.watching[signal["room"]] = Watching(count=signal["count"], users=signal["users"])


def forget_signals(state: State) -> None:
    """A new connection receives again who is there."""
    state.presence, state.typing, state.watching, state.channels = {}, {}, {}, {}
