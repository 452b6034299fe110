"""Examples of users, sessions, relationships, visuals and services."""

from __future__ import annotations

from infra.ops.generate.examples.story import (
    BARBARA,
    EXPIRES,
    FRIENDSHIP,
    LINUS,
    SCRIBE,
    SESSION,
    TOKEN,
    VISUAL,
    Example,
    at,
    erased_barbara,
    grace,
    linus,
    own_barbara,
    own_grace,
    visual,
)

_NEW = own_grace(
    data={"last_login": at(0, 0.25)},
    seen=at(0, 0.25),
    updated=at(0, 0.25),
    version=3,
    visual=None,
    added_by=None,
    avatar=None,
    bio=None,
    custom={},
)
_LATER = {"joy": {"eyes": "wide"}, "surprise": True}

#: When it is done.
_ERASURE = {
    "user": BARBARA, "since": at(58), "messages": "hide", "rooms": 0, "hidden": 0, "done": at(58, 0.2),
}  # fmt: skip

EXAMPLES: dict[str, tuple[Example, ...]] = {
    "users.register": (
        Example(
            "nobody",
            {"username": "grace", "password": "nanosecond", "name": "Grace Hopper", "email": "grace@example.org"},
            {"user": _NEW, "token": TOKEN, "expires": EXPIRES},
        ),
    ),
    "sessions.open": (
        Example(
            "nobody",
            {"username": "grace", "password": "nanosecond"},
            {
                "user": {**_NEW, "data": {"last_login": at(2, 0.114)}, "seen": at(2, 0.114), "updated": at(2, 0.114)},
                "token": TOKEN,
                "expires": EXPIRES,
            },
        ),
    ),
    "sessions.list": (
        Example(
            "grace",
            {"limit": 1},
            {
                "sessions": [
                    {
                        "id": SESSION, "opened": at(0, 0.25), "expires": EXPIRES, "device": None, "used": at(0, 0.25),
                        "version": 3, "current": True,
                    }
                ],
                "next": "WyIwMWExZmQxZSJd",
            },
        ),
    ),
    "sessions.renew": (Example("grace", {}, {"token": TOKEN, "expires": EXPIRES}),),
    "users.change": (
        Example(
            "grace",
            {
                "data": {"city": "New York"}, "avatar": "https://example.org/grace.png",
                "bio": "I had a running compiler.", "custom": {"rank": 7}, "added_by": "contacts",
            },
            {"user": own_grace(visual=None, updated=at(2, 3.41))},
        ),
    ),
    "users.change_password": (
        Example(
            "grace",
            {"current": "nanosecond", "password": "microsecond"},
            {"user": own_grace(visual=None, updated=at(2, 3.41))},
        ),
    ),
    "users.find": (Example("grace", {"name": "linu"}, {"users": [linus()], "next": None}),),
    "users.get": (Example("grace", {"user": LINUS}, {"user": linus()}),),
    "relationships.set": (Example("grace", {"user": LINUS, "type": "friend"}, {"relationship": FRIENDSHIP}),),
    "relationships.list": (Example("grace", {"direction": "out"}, {"relationships": [FRIENDSHIP], "next": None}),),
    "visuals.create": (
        Example(
            "grace", {"model_data": {"shape": "fox"}, "emotion_data": {"joy": True}}, {"visual": visual()}
        ),
    ),
    "visuals.list": (Example("grace", {}, {"visuals": [visual()], "next": None}),),
    "visuals.get": (Example("linus", {"visual": VISUAL}, {"visual": visual()}),),
    "visuals.change": (
        Example(
            "grace",
            {"visual": VISUAL, "emotion_data": _LATER},
            {"visual": visual(emotion_data=_LATER, updated=at(2, 31.07), version=10)},
        ),
    ),
    "visuals.choose": (Example("grace", {"visual_id": VISUAL}, {"user": own_grace()}),),
    "users.me": (Example("grace", {}, {"user": own_grace()}),),
    "services.register": (
        Example(
            "operator",
            {"username": "scribe", "name": "Scribe", "scopes": ["emotions:write", "sessions:issue", "channels:serve"]},
            {
                "user": {
                    **grace(id=SCRIBE, username="scribe", name="Scribe", role="service", visual=None, avatar=None),
                    "bio": None, "custom": {}, "external": None,
                    "data": {"last_login": at(2, 50.0)}, "created": at(2, 50.0), "version": 5, "email": None,
                    "seen": at(2, 50.0), "updated": at(2, 50.0), "added_by": None,
                },
                "token": TOKEN,
                "expires": "2036-11-18T08:02:50.000Z",
            },
        ),
    ),
    "users.upsert": (
        Example(
            "server",
            {"users": [{"external_id": "u-17", "name": "Barbara", "custom": {"plan": "gold"}}]},
            {"users": [{"external_id": "u-17", "user": own_barbara(), "problem": None}]},
        ),
    ),
    "users.query": (Example("server", {"external_ids": "u-17"}, {"users": [own_barbara()], "next": None}),),
    "sessions.issue": (
        Example(
            "scribe",
            {"user": LINUS},
            {
                "user": {
                    **linus(), "data": {"last_login": at(2, 55.0)}, "email": None, "seen": at(2, 55.0),
                    "updated": at(2, 55.0), "added_by": None, "external": None,
                },
                "token": TOKEN,
                "expires": EXPIRES,
            },
        ),
    ),
    "relationships.remove": (
        Example(
            "grace",
            {"user": LINUS},
            {"relationship": {**FRIENDSHIP, "type": None, "updated": at(40, 2.9), "version": 21}},
        ),
    ),
    "users.reset_password": (
        Example(
            "operator",
            {"username": "linus", "password": "just for fun"},
            {"user": linus(version=22), "closed": 2},
        ),
    ),
    "users.deactivate": (
        Example(
            "server",
            {"user": LINUS, "reason": "Left the company"},
            {"user": linus(version=23, deactivated=at(55, 1.0)), "closed": 0},
        ),
    ),
    "users.reactivate": (Example("operator", {"user": LINUS}, {"user": linus(version=24)}),),
    "users.revoke_tokens": (
        Example(
            "operator", {"user": LINUS}, {"user": linus(version=25), "tokens_before": at(57), "closed": 0}
        ),
    ),
    "users.erase": (
        Example(
            "server", {"user": BARBARA, "messages": "hide"},
            {"user": erased_barbara(), "closed": 0, "erasure": {**_ERASURE, "done": None}},
        ),
    ),
    "users.erasure": (Example("server", {"user": BARBARA}, {"erasure": _ERASURE}),),
    "sessions.close": (Example("grace", {"session": "current"}, None),),
}  # fmt: skip
