"""Facts that several tests begin with, as a valid producer would write them."""

from __future__ import annotations

from typing import Literal

import pytest

from events.core.records import Changes, Record, State
from events.members import MemberJoined, MemberLeft
from events.messages import MessagePosted
from events.registry import REGISTRY
from events.rooms import RoomCreated
from events.users import UserRegistered
from tests.given import Fact


def not_understood(patch: pytest.MonkeyPatch, type: str) -> None:
    """From here on the fold fails for every event of the type, as that of a release with a fault does."""

    def broken(record: Record, state: State) -> Changes:
        raise RuntimeError("no longer understood")

    patch.setitem(REGISTRY.events, type, REGISTRY.events[type]._replace(fold=broken))


def registered(user: str) -> Fact:
    event = UserRegistered(username=user, name=user.title(), role="person", credential=f"cred-{user}", data={})
    return Fact(user, event, user)


def created(room: str, actor: str, type: Literal["direct", "group"] = "group") -> Fact:
    name = room if type == "group" else ""
    return Fact(room, RoomCreated(type=type, visibility="private", name=name, data={}), actor)


def joined(room: str, user: str, actor: str | None = None) -> Fact:
    return Fact(room, MemberJoined(user=user, role="member"), actor or user)


def left(room: str, user: str) -> Fact:
    return Fact(room, MemberLeft(user=user), user)


def posted(room: str, author: str, seq: int, text: str = "hello") -> Fact:
    event = MessagePosted(
        message=f"{room}-m{seq}", seq=seq, token=f"t{seq}", type="text", content={"text": text}, data={}
    )
    return Fact(room, event, author)
