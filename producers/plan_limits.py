"""What is said of a limit of a plan that is reached, wherever that is found out: before a command, or deciding it."""

from __future__ import annotations

from typing import Literal

import msgspec

from producers.commands import Refused

#: Limits that an application can be at, by the names of ``events.plans.PlanLimits``.
LimitOfPlan = Literal["users", "rooms", "room_members", "messages_day", "message_chars", "connections"]

#: What each bounds, in words.
_WORDS: dict[LimitOfPlan, str] = {
    "users": "users of the application",
    "rooms": "rooms of the application",
    "room_members": "members of a room",
    "messages_day": "messages of the application in a day (UTC)",
    "message_chars": "characters of a message",
    "connections": "open connections of the application",
}


class FullLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that one more would go beyond, as a command carries it to where it is decided."""

    #: What the plan allows.
    most: int
    #: What there is.
    used: int


def reached(limit: LimitOfPlan, most: int, used: int, reset: int | None = None) -> Refused:
    """The refusal of more than there is: ``limit_reached``; or, where it begins anew in ``reset`` seconds,
    ``quota_used``."""
    text = f"{_allowed(limit, most)}, got more: there are {used} already"
    if reset is None:
        return Refused("limit_reached", text, limit=limit, most=most, used=used)
    text += f"; again in {reset} s"
    return Refused("quota_used", text, retry_after=reset, limit=limit, most=most, used=used, reset=reset)


def beyond(limit: LimitOfPlan, most: int, asked: int) -> Refused:
    """The refusal of what is more by itself: a text, or whom a room is to have from the start."""
    return Refused("limit_reached", f"{_allowed(limit, most)}, got {asked}", limit=limit, most=most, used=asked)


def _allowed(limit: LimitOfPlan, most: int) -> str:
    return f"expected at most {most} {_WORDS[limit]}, as its plan allows"
