"""Examples of plans, as an operator makes and withdraws one."""

from __future__ import annotations

from typing import Any

from infra.ops.generate.examples.story import APP, PLAN, Example, View, at

_LIMITS: dict[str, Any] = {"users": 10_000, "messages_day": 100_000, "calls_minute": 60_000}
_GIVEN: dict[str, Any] = {
    "name": "Pro", "tier": "pro", "monthly": 4900, "yearly": 49000, "features": {"webhooks": True}, "limits": _LIMITS,
}  # fmt: skip


def _plan(**more: Any) -> View:
    """The plan of the harbour's application."""
    none = dict.fromkeys(("rooms", "room_members", "message_chars", "attachment_bytes", "connections"))
    return {
        "id": PLAN, **_GIVEN, "state": "offered", "currency": "EUR", "limits": {**none, **_LIMITS},
        "created": at(42), "updated": at(42), "version": 3, **more,
    }  # fmt: skip


def _limit(name: str, most: int | None, used: int | None = None, reset: int | None = None) -> View:
    return {"limit": name, "most": most, "used": used, "reset": reset}


EXAMPLES: dict[str, tuple[Example, ...]] = {
    "plans.define": (Example("operator", _GIVEN, {"plan": _plan()}),),
    "apps.limits": (
        Example(
            "operator",
            {"app": APP},
            {
                "plan": _plan(),
                "limits": [
                    _limit("users", 10_000, 0),
                    *(_limit(name, None) for name in ("rooms", "room_members")),
                    _limit("messages_day", 100_000, 0, 53_160),
                    *(_limit(name, None) for name in ("message_chars", "attachment_bytes", "connections")),
                    _limit("calls_minute", 60_000, 0, 0),
                ],
            },
        ),
    ),
    "plans.get": (Example("operator", {"plan": PLAN}, {"plan": _plan()}),),
    "plans.list": (Example("operator", {}, {"plans": [_plan()], "next": None}),),
    "plans.withdraw": (
        Example("operator", {"plan": PLAN}, {"plan": _plan(state="withdrawn", updated=at(44), version=4)}),
    ),
}
