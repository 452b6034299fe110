"""Examples of applications, as an operator makes and changes one."""

from __future__ import annotations

from typing import Any

from infra.ops.generate.examples.story import APP, Example, View, at

_KEY, _NEXT = "kk_mzxw6ytboi4dcmrtgq2tmnzyha", "kk_orugs4zanfzsa3tporuw4zzaoq"
_SECRET, _OTHER = "ks_" + "c2VjcmV0" * 5 + "Xyz", "ks_" + "b3RoZXJz" * 5 + "Xyz"


def _key(key: str, since: str, until: str | None = None) -> View:
    return {"key": key, "since": since, "until": until}


def _app(**more: Any) -> View:
    """The application of a harbour."""
    return {
        "id": APP, "name": "Harbour", "state": "active", "reason": None, "keys": [_key(_KEY, at(36))],
        "tokens_before": None, "settings": {"registration": False}, "plan": None, "teams": 0, "created": at(36),
        "updated": at(36), "version": 3, **more,
    }  # fmt: skip


_NAMED: dict[str, Any] = {"name": "Harbour Chat", "settings": {"registration": True}}
_REVOKED: dict[str, Any] = {**_NAMED, "tokens_before": at(40), "updated": at(40), "version": 8}
_ROLLED = _app(
    **{**_REVOKED, "updated": at(41), "version": 9},
    keys=[_key(_KEY, at(36), "2026-11-22T08:41:00.000Z"), _key(_NEXT, at(41))],
)
_DEFAULT: View = {
    "id": "default", "name": "Default", "state": "active", "reason": None, "keys": [], "tokens_before": None,
    "settings": {"registration": True}, "plan": None, "teams": 0, "created": None, "updated": None, "version": -1,
}  # fmt: skip

EXAMPLES: dict[str, tuple[Example, ...]] = {
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
    "apps.list": (Example("operator", {}, {"apps": [_DEFAULT, _ROLLED], "next": None}),),
}
