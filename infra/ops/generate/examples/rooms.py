"""Examples of rooms, their members, and invitations."""

from __future__ import annotations

from infra.ops.generate.examples.story import (
    DEN,
    INVITATION,
    JOINED,
    LINUS,
    PROMOTED,
    ROOM,
    SETTINGS,
    Example,
    at,
    custom,
    den,
    grace,
    linus,
    member_grace,
    member_linus,
    message,
    pin,
    room,
)

_NEW = room(seq=0, last=None, members=1, updated=at(3, 0.018), version=1227)
_ENTERED = room(seq=1, last=JOINED, updated=at(5, 12.304), version=1228)
_QUIET = {**SETTINGS, "posting": "admins"}
_CHANGED = room(
    topic_line="Today: loops.", settings=_QUIET, data={"icon": "gear", "color": "teal"},
    custom={"course": {"term": 4}, "tags": ["languages"]}, updated=at(25, 1.77), version=1241,
)  # fmt: skip


def _after(minute: int, version: int, state: str = "active") -> dict[str, object]:
    return {"room": {**_CHANGED, "state": state, "seq": 7, "last": PROMOTED, "updated": at(minute), "version": version}}


EXAMPLES: dict[str, tuple[Example, ...]] = {
    "rooms.pins": (
        Example(
            "linus", {"room": ROOM}, {"pins": [{"pin": pin(), "message": message()}], "users": [grace()]}
        ),
    ),
    "rooms.create": (
        Example(
            "grace",
            {
                "type": "public", "name": "Compilers", "description": "Languages, and what becomes of them.",
                "data": {"icon": "gear"}, "custom": {"course": {"term": 3}, "tags": ["languages"]},
            },
            {"room": _NEW, "invited": []},
            "public",
            "A room that anyone finds; you are alone in it at first",
        ),
        Example(
            "grace",
            {"type": "private", "name": "Den", "members": [LINUS]},
            {"room": den(), "invited": [LINUS]},
            "private",
            "A room with others: who does not let you add them is invited",
        ),
    ),
    "invitations.list": (
        Example("linus", {}, {"invitations": [INVITATION], "users": [grace()], "next": None}),
    ),
    "invitations.decline": (Example("linus", {"room": DEN}, None),),
    "members.add": (
        Example(
            "linus",
            {"room": ROOM, "user": "me"},
            {
                "room": _ENTERED,
                "member": member_linus(read=1, read_at=at(5, 12.304), version=1228, notifications=True),
                "invitation": None,
            },
        ),
    ),
    "members.list": (
        Example(
            "grace",
            {"room": ROOM},
            {
                "members": [
                    {"member": member_grace(), "user": grace()},
                    {"member": member_linus(), "user": linus()},
                ],
                "next": None,
            },
        ),
    ),
    "members.read": (
        Example(
            "linus",
            {"room": ROOM, "seq": 4, "forward": True},
            {"member": member_linus(read=4, read_at=at(23), version=1238, notifications=True), "unread": 2},
        ),
    ),
    "members.set_notifications": (
        Example(
            "linus",
            {"room": ROOM, "notifications": False},
            {"member": member_linus(read=4, read_at=at(23), version=1239, notifications=False)},
        ),
    ),
    "rooms.find": (
        Example(
            "grace",
            {"scope": "mine", "limit": 1},
            {
                "rooms": [
                    {
                        "room": room(),
                        "member": member_grace(notifications=True),
                        "unread": 0,
                        "message": custom(),
                        "peer": None,
                    }
                ],
                "next": "WyIwMWExZmQzMSJd",
            },
        ),
    ),
    "rooms.get": (
        Example(
            "linus",
            {"room": ROOM},
            {
                "room": room(),
                "member": member_linus(read=4, read_at=at(23), version=1239, notifications=False),
                "unread": 2,
                "message": custom(),
                "peer": None,
            },
        ),
    ),
    "rooms.change": (
        Example(
            "grace",
            {
                "room": ROOM, "topic_line": "Today: loops.", "settings": {"posting": "admins"},
                "data": {"color": "teal"}, "custom": {"course": {"term": 4}},
            },
            {"room": _CHANGED},
        ),
    ),
    "members.set_role": (
        Example(
            "grace",
            {"room": ROOM, "user": LINUS, "role": "admin"},
            {"member": member_linus(role="admin", read=4, read_at=at(23), version=1242)},
        ),
    ),
    "members.change": (
        Example(
            "grace",
            {"room": ROOM, "user": LINUS, "custom": {"seat": {"row": 4}, "late": None}},
            {
                "member": member_linus(
                    role="admin", read=4, read_at=at(23), custom={"seat": {"row": 4}}, version=1243
                )
            },
        ),
    ),
    "rooms.archive": (Example("grace", {"room": ROOM}, _after(30, 1243, "archived")),),
    "rooms.unarchive": (Example("grace", {"room": ROOM}, _after(31, 1244)),),
    "members.remove": (Example("linus", {"room": ROOM, "user": "me"}, None),),
    "rooms.delete": (Example("grace", {"room": DEN}, None),),
    "rooms.restore": (
        Example(
            "operator",
            {"room": DEN},
            {
                "room": den(updated=at(36), version=88)
            },
        ),
    ),
}  # fmt: skip
