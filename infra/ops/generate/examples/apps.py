"""Examples of applications, as an operator makes and changes one."""

from __future__ import annotations

from typing import Any

from infra.ops.generate.examples.story import APP, PLAN, Example, View, at

_KEY, _NEXT = "kk_mzxw6ytboi4dcmrtgq2tmnzyha", "kk_orugs4zanfzsa3tporuw4zzaoq"
_SECRET, _OTHER = "ks_" + "c2VjcmV0" * 5 + "Xyz", "ks_" + "b3RoZXJz" * 5 + "Xyz"


def _key(key: str, since: str, until: str | None = None) -> View:
    return {"key": key, "since": since, "until": until}


#: How an application is run at first.
_CLOSED: dict[str, Any] = {"registration": False, "session_hours": 0}


def _app(**more: Any) -> View:
    """The application of a harbour."""
    return {
        "id": APP, "name": "Harbour", "state": "active", "reason": None, "keys": [_key(_KEY, at(36))],
        "tokens_before": None, "settings": _CLOSED, "plan": None, "cleared": None, "teams": 0, "created": at(36),
        "updated": at(36), "version": 3, **more,
    }  # fmt: skip


_NAMED: dict[str, Any] = {"name": "Harbour Chat", "settings": {"registration": True, "session_hours": 24}}
_REVOKED: dict[str, Any] = {**_NAMED, "tokens_before": at(40), "updated": at(40), "version": 8}
_ROLLED = _app(
    **{**_REVOKED, "updated": at(41), "version": 9},
    keys=[_key(_KEY, at(36), "2026-11-22T08:41:00.000Z"), _key(_NEXT, at(41))],
)
_ENDED: dict[str, Any] = {"state": "erased", "reason": "The contract has ended.", "keys": []}
_DEFAULT: View = {
    "id": "default", "name": "Default", "state": "active", "reason": None, "keys": [], "tokens_before": None,
    "settings": {**_CLOSED, "registration": True}, "plan": None, "cleared": None, "teams": 0, "created": None,
    "updated": None, "version": -1,
}  # fmt: skip

_LEFT = {"users": 0, "rooms": 0, "handles": 0, "apps": 10}
_RECEIPT: View = {
    "app": APP, "name": "Harbour Chat", "reason": "The contract has ended.", "by": "operator", "erased": at(42),
    "cleared": at(43), "rows": {"credentials": 2},
    "log": [
        *({"topic": topic, "events": events, "until": None} for topic, events in _LEFT.items()),
        {"topic": "feed", "events": None, "until": "2026-11-29T15:53:00.000Z"},
    ],
}  # fmt: skip

EXAMPLES: dict[str, tuple[Example, ...]] = {
    "apps.about": (Example("nobody", {}, {"app": "default", "name": "Default", "registration": True}),),
    "apps.create": (Example("operator", {"name": "Harbour"}, {"app": _app(), "key": _KEY, "secret": _SECRET}),),
    "apps.get": (Example("operator", {"app": APP}, {"app": _app()}),),
    "apps.change": (Example("operator", {"app": APP, **_NAMED}, {"app": _app(**_NAMED, updated=at(37), version=5)}),),
    "apps.suspend": (
        Example(
            "operator",
            {"app": APP, "reason": "The bill was not paid."},
            {"app": _app(**_NAMED, state="suspended", reason="The bill was not paid.", updated=at(38), version=6)},
        ),
    ),
    "apps.resume": (Example("operator", {"app": APP}, {"app": _app(**_NAMED, updated=at(39), version=7)}),),
    "apps.revoke_tokens": (Example("operator", {"app": APP}, {"app": _app(**_REVOKED)}),),
    "apps.roll_key": (
        Example("operator", {"app": APP, "grace_seconds": 86_400}, {"app": _ROLLED, "key": _NEXT, "secret": _OTHER}),
    ),
    "usage.query": (
        Example(
            "operator",
            {"app": APP, "since": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z", "metrics": "messages,bytes"},
            {
                "app": APP,
                "window": "day",
                "since": "2026-11-01T00:00:00.000Z",
                "until": "2026-11-02T00:00:00.000Z",
                "totals": {"messages": 0, "bytes": 0},
                "windows": [],
            },
        ),
    ),
    "usage.list": (
        Example(
            "operator",
            {"since": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"},
            {"since": "2026-11-01T00:00:00.000Z", "until": "2026-11-02T00:00:00.000Z", "apps": [], "all": 0},
        ),
    ),
    "apps.list": (Example("operator", {}, {"apps": [_DEFAULT, _ROLLED], "next": None}),),
    "apps.erase": (
        Example(
            "operator",
            {"app": APP, "confirm": "Harbour Chat", "reason": "The contract has ended."},
            {"app": _app(**{**_REVOKED, "updated": at(42), "version": 11}, **_ENDED, plan=PLAN)},
        ),
    ),
    "apps.receipt": (Example("operator", {"app": APP}, {"receipt": _RECEIPT}),),
    "apps.choose_plan": (
        Example(
            "operator",
            {"app": APP, "plan": PLAN},
            {"app": {**_ROLLED, "plan": PLAN, "updated": at(43), "version": 10}},
        ),
    ),
}
