"""The people, the rooms and the things of which all examples tell, each as a view of it."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from events.rooms import UNSAID, Room
from infra.ops.generate.shapes import sample_of
from projectors.views.rooms import whole_room_view

#: Whose token an example is sent with; ``nobody``: without one. ``scribe`` is a service account,
#: ``server`` an application's own.
Who = Literal["nobody", "grace", "linus", "scribe", "server", "operator"]
View = dict[str, Any]


class Example(NamedTuple):
    """A request and what it is answered."""

    who: Who
    #: All members together: of the path, the query and the body.
    members: dict[str, Any]
    #: The body of the answer; None where it has none.
    answer: View | None
    #: Its key among the examples of an operation.
    name: str = "example"
    #: What is special about it, for people; empty where it is the only one.
    about: str = ""


GRACE = "7d9f3c1e-2f7b-4a62-9c5e-0d3b1a2c4e5f"
LINUS = "c3a51eef-c82a-410d-9ec1-b8f0c19b5583"
SCRIBE = "6c58e262-98e2-4333-b01f-13d5637a5c6f"
#: Of what her application calls her, ``u-17``.
BARBARA = "cba0cc93-88cc-5da3-9231-3b1a0ea21d24"
SESSION = "01a1fd1e-8cfa-73f3-9af1-ecebbd1410ab"
VISUAL = "01a1fd20-89d0-7a59-961f-3f5ac8a594d1"
#: The public room ``Compilers``, and a private one, ``Den``.
ROOM = "01a1fd21-4b32-71f1-9c5b-2fad77843402"
DEN = "01a1fd22-3882-78a8-9a1a-9fe8565d64c5"
JOINED = "01a1fd23-4ff0-76b9-963c-c1c2d7d3a4ef"
TEXT = "01a1fd2c-bd4b-7982-9d9e-3eb996f559e6"
ACTION = "01a1fd2d-3b89-7bd9-938c-688f49b77c7f"
IMAGE = "01a1fd2e-cfb4-7610-95d6-cc76af400325"
FILE = "01a1fd2f-fe51-73b9-9c35-8f36f0a31b6a"
CUSTOM = "01a1fd31-478c-76cd-9fd2-71da635d491e"
#: The room's message about his new role.
PROMOTED = "01a1fd36-2f41-7c62-9f05-51d0a8c84b1e"
#: Of what the default application calls it, ``crew``.
TEAM = "9134a76e-a290-51db-936c-fe493ffa13bf"
#: The application of a harbour.
APP = "01a1fd3f-0e80-7c11-8d2a-6f0b9e4d3c21"
#: A plan that it has chosen.
PLAN = "01a1fd44-51c0-7d3e-9a67-2b1c8f5e7d90"
EPOCH = "hOIc-A04SkiXEr7YMARGqQ.2"
INSTALLATION = "klatsch"
PROCESS = "127.0.0.1:8400"

#: The id of a request that was refused.
REQUEST = "5c0e1f9ab27d4386"
TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI3ZDlmM2MxZSJ9.c2lnbmVkLWJ5LXRoZS1zZXJ2ZXI"
EXPIRES = "2026-12-21T08:00:00.250Z"


def at(minute: int, second: float = 0.0) -> str:
    """A moment of that morning."""
    return f"2026-11-21T08:{minute:02}:{second:06.3f}Z"


def grace(**changes: Any) -> View:
    """Her profile as everybody sees it."""
    return {
        "id": GRACE, "username": "grace", "name": "Grace Hopper", "role": "person", "visual": VISUAL,
        "kind": "regular", "team": None, "avatar": "https://example.org/grace.png", "bio": "I had a running compiler.",
        "data": {"city": "New York"}, "custom": {"rank": 7}, "deactivated": None, "erased": None,
        "created": at(0, 0.25), "version": 12, **changes,
    }  # fmt: skip


def linus(**changes: Any) -> View:
    """His profile as everybody sees it."""
    return {
        "id": LINUS, "username": "linus", "name": "Linus", "role": "person", "visual": None,
        "kind": "regular", "team": None, "avatar": None, "bio": None, "data": {}, "custom": {}, "deactivated": None,
        "erased": None,
        "created": at(1, 30.0), "version": 7, **changes,
    }  # fmt: skip


def own_grace(**changes: Any) -> View:
    """Her profile as she sees it."""
    return {
        **grace(), "data": {"city": "New York", "last_login": at(2, 0.114)}, "email": "grace@example.org",
        "seen": at(2, 0.114), "updated": at(2, 40.3), "added_by": "contacts", "external": None, **changes,
    }  # fmt: skip


def own_barbara(**changes: Any) -> View:
    """A user of an application as she sees herself, and as its server does."""
    return {
        "id": BARBARA, "username": "", "name": "Barbara", "role": "person", "visual": None, "kind": "regular",
        "team": None, "avatar": None, "bio": None, "data": {}, "custom": {"plan": "gold"}, "deactivated": None,
        "erased": None,
        "created": at(2, 57.0), "version": 6, "email": None, "seen": None, "updated": at(2, 57.0), "added_by": None,
        "external": "u-17", **changes,
    }  # fmt: skip


def erased_barbara() -> View:
    """What everybody sees of her when her account is erased."""
    shown = linus()
    gone = {"id": BARBARA, "name": "Deleted user", "username": "", "created": at(2, 57.0), "version": 26}
    return {**shown, **gone, "deactivated": at(58), "erased": at(58)}


SETTINGS: View = {"notifications": True, "announcements": True, "posting": "members", "inviting": "members"}


#: A room's members in their order; those that no example is about as in one of which nobody has said anything.
_ROOM: View = {**whole_room_view(sample_of(Room)), **UNSAID, "slug": None, "team": None}


def room(**changes: Any) -> View:
    """The room ``Compilers`` as its members see it."""
    return {
        **_ROOM, "id": ROOM, "type": "public", "name": "Compilers", "settings": SETTINGS, "state": "active",
        "description": "Languages, and what becomes of them.", "data": {"icon": "gear"},
        "custom": {"course": {"term": 3}, "tags": ["languages"]}, "seq": 6, "last": CUSTOM,
        "members": 2, "pins": 0, "owner": GRACE, "created": at(3, 0.018), "updated": at(20, 27.66), "version": 1235,
        **changes,
    }  # fmt: skip


def den(**changes: Any) -> View:
    """The room ``Den``, which stays hers alone."""
    return room(**{
        "id": DEN, "type": "private", "name": "Den", "description": None, "data": {}, "custom": {}, "seq": 0,
        "last": None, "members": 1, "created": at(4, 0.77), "updated": at(4, 0.77), "version": 81, **changes,
    })  # fmt: skip


def member_grace(**changes: Any) -> View:
    return {
        "room": ROOM, "user": GRACE, "role": "owner", "joined": at(3, 0.018), "read": 6, "read_at": at(20, 27.66),
        "custom": {}, "version": 1234, **changes,
    }  # fmt: skip


def member_linus(**changes: Any) -> View:
    return {
        "room": ROOM, "user": LINUS, "role": "member", "joined": at(5, 12.304), "read": 2, "read_at": at(15, 41.2),
        "custom": {}, "version": 1232, **changes,
    }  # fmt: skip


def message(id: str = TEXT, **changes: Any) -> View:
    """A message of hers: the text."""
    return {
        "id": id, "room": ROOM, "seq": 2, "author": GRACE, "token": "c1f7a2e0", "type": "text",
        "content": {"text": "Good morning, what joy"}, "data": {}, "created": at(15, 30.123),
        "updated": at(15, 30.123), "edited": None, "deleted": None, "revision": 0, "version": 1229, **changes,
    }  # fmt: skip


def pin(**changes: Any) -> View:
    """Her text, pinned by herself."""
    return {"room": ROOM, "message": TEXT, "by": GRACE, "pinned": at(24, 11.5), "version": 1240, **changes}


def joined() -> View:
    """The message that his coming made."""
    return message(
        JOINED, seq=1, author=LINUS, token="", type="join", content={"user": LINUS}, created=at(5, 12.304),
        updated=at(5, 12.304), version=1228,
    )  # fmt: skip


def edited(**changes: Any) -> View:
    """The text after she mended it, and the scribe found joy in it."""
    return message(
        content={"text": "Good morning, what a joy"}, data={"emotion": "joy"}, updated=at(22, 0.115),
        edited=at(22, 0.115), revision=1, version=1237, **changes,
    )  # fmt: skip


def custom() -> View:
    """The last message of the room."""
    return message(
        CUSTOM, seq=6, token="c1f7a2e4", type="custom", content={"poll": "Lunch?", "options": ["12:00", "12:30"]},
        created=at(20, 27.66), updated=at(20, 27.66), version=1233,
    )  # fmt: skip


FRIENDSHIP: View = {
    "user": GRACE, "other": LINUS, "type": "friend", "created": at(2, 5.8), "updated": at(2, 5.8), "version": 8,
}  # fmt: skip
INVITATION: View = {
    "room": DEN, "user": LINUS, "by": GRACE, "type": "private", "name": "Den", "created": at(4, 0.77), "version": 81,
}  # fmt: skip


def visual(**changes: Any) -> View:
    return {
        "id": VISUAL, "owner": GRACE, "model_data": {"shape": "fox"}, "emotion_data": {"joy": True},
        "created": at(2, 10.512), "updated": at(2, 10.512), "version": 9, **changes,
    }  # fmt: skip
