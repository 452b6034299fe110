"""Whom a room's history shows an event to: every type of event of rooms is decided here. Tests ``api/rooms.py``."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import pytest

from api.core.calls import Call
from api.rooms import shown_changes
from events.registry import REGISTRY
from events.rooms import SETTERS
from infra.base.postgres import Row

#: Types that all members are shown.
TO_ALL = {
    "room.created", *(row.name for row in SETTERS), "room.archived", "room.unarchived", "room.deleted",
    "room.restored", "member.joined", "member.left", "member.role_changed", "member.custom_changed", "message.posted",
    "message.edited", "message.deleted", "message.restored", "message.emotion_detected", "message.pinned",
    "message.unpinned",
}  # fmt: skip
#: Types that only who caused them is shown, or those two between whom they passed.
TO_SOME = {
    "member.read", "member.notifications_set", "member.invited", "invitation.declined", "invitation.withdrawn",
}  # fmt: skip
#: Types that no query of a history finds: they say nothing of the room.
TO_NOBODY = {
    "log.opened", "key.used",
    # In the stream of live channels, which is no room.
    "channel.created", "channel.deleted", "channel.user_numbered",
}  # fmt: skip


class Reader:
    """Who asks."""

    def __init__(self, user: str) -> None:
        self.user = user


def shown(type: str, user: str) -> bool:
    """Whether a member is shown an event of the type that somebody else caused."""
    data: Any = msgspec.to_builtins(REGISTRY.events[type].sample)
    row = {
        "id": "e.0", "type": type, "stream": "r", "time": "2026-11-21T08:00:00.000Z", "actor": "ada", "data": data,
        "topic": "rooms", "partition": 0, "offset": 7, "gone": False,
    }  # fmt: skip
    return bool(shown_changes(cast(Call, Reader(user)), [cast(Row, row)], 9)["changes"])


def test_every_type_is_decided() -> None:
    types = {row.name for row in REGISTRY.events.values() if "rooms" in row.topics}
    assert types == TO_ALL | TO_SOME | TO_NOBODY and not TO_ALL & TO_SOME


@pytest.mark.parametrize("type", sorted(TO_ALL | TO_SOME))
def test_others_are_shown_what_is_for_all(type: str) -> None:
    assert shown(type, "ada")
    assert shown(type, "a third") == (type in TO_ALL)
