"""S2's rooms, memberships and messages as the seed has them: dicts and sets, written from it and not from our code.

Which fields are set of a room, and what each is before, is taken from our events: the seed knows fewer.
"""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

from events.rooms import UNSAID

#: What a room is run by until somebody says otherwise.
SETTINGS: dict[str, Any] = {
    "notifications": True, "announcements": True, "posting": "members", "inviting": "members",
}  # fmt: skip
RANK = {"member": 0, "admin": 1, "owner": 2}


class No(Exception):
    """The seed does not allow it; the argument is the code of the refusal."""


class Deed(NamedTuple):
    """Who asks for what; ``fields`` of the method with that name."""

    who: str
    what: str
    room: str
    fields: dict[str, Any]


class Seed:
    """Rooms by id, each a dict; ``members``: user -> role, and what each of them has chosen and read."""

    def __init__(self) -> None:
        self.rooms: dict[str, dict[str, Any]] = {}

    def do(self, deed: Deed, id: str) -> str | None:
        """The code of the refusal, after which nothing has changed; None when it is done. ``id``: of what it makes."""
        try:
            getattr(self, deed.what)(deed.who, deed.room, id, **deed.fields)
        except No as refusal:
            return str(refusal)
        return None

    def create(self, who: str, room: str, id: str, type: str, others: list[str]) -> None:
        if (found := self.rooms.get(room)) is not None:
            if type != "direct":
                raise No("taken")
            for user in [who, *others]:
                self._enter(found, user, "member")
            return
        direct = type == "direct"
        made = self.rooms[room] = {
            **copy.deepcopy(UNSAID), "type": type, "name": "" if direct else "R", "state": "active",
            "settings": {**SETTINGS, "announcements": not direct}, "members": {}, "read": {},
            "notifications": {}, "messages": [], "edits": {},
        }  # fmt: skip
        for user in [who, *others]:
            self._enter(made, user, "owner" if user == who and not direct else "member")

    def _enter(self, room: dict[str, Any], user: str, role: str) -> None:
        if user not in room["members"]:
            room["members"][user] = role
            room["read"].setdefault(user, len(room["messages"]))
            room["notifications"].setdefault(user, room["settings"]["notifications"])

    def _inside(self, who: str, room: str) -> tuple[dict[str, Any], str]:
        """The room and the role there of who is in it; to all others there is none."""
        found = self.rooms.get(room)
        if found is None or found["state"] == "deleted" or who not in found["members"]:
            raise No("not_found")
        return found, found["members"][who]

    def _may(self, allowed: bool, room: dict[str, Any]) -> None:
        if not allowed:
            raise No("forbidden")
        if room["state"] == "archived":
            raise No("archived")

    def _append(self, room: dict[str, Any], author: str, id: str, type: str, content: dict[str, Any]) -> None:
        room["messages"].append({"id": id, "author": author, "type": type, "content": content, "deleted": False})
        # Also of their own coming and going.
        if author in room["members"] or content.get("user") == author:
            room["read"][author] = len(room["messages"])

    def _notice(self, room: dict[str, Any], author: str, id: str, type: str, content: dict[str, Any]) -> None:
        if room["settings"]["announcements"] and room["state"] == "active":
            self._append(room, author, id, type, content)

    def change(self, who: str, room: str, id: str, **fields: Any) -> None:
        found, role = self._inside(who, room)
        direct = found["type"] == "direct"
        self._may(direct or role != "member", found)
        # What is there may be written back.
        other = {name: value for name, value in fields.items() if name != "data" and found.get(name) != value}
        if direct and (
            other.keys() - {"settings"} or not other.get("settings", {}).items() <= found["settings"].items()
        ):
            raise No("invalid")
        for name in (fields.keys() & UNSAID.keys()) - {"settings", "data"}:
            found[name] = fields[name]
        found["settings"] |= fields.get("settings", {})
        found["data"] |= fields.get("data", {})

    def archive(self, who: str, room: str, id: str) -> None:
        self._owned(who, room)["state"] = "archived"

    def unarchive(self, who: str, room: str, id: str) -> None:
        self._owned(who, room)["state"] = "active"

    def delete(self, who: str, room: str, id: str) -> None:
        self._owned(who, room)["state"] = "deleted"

    def _owned(self, who: str, room: str) -> dict[str, Any]:
        found, role = self._inside(who, room)
        if role != "owner":
            raise No("forbidden")
        return found

    def restore(self, who: str, room: str, id: str) -> None:
        if room not in self.rooms:
            raise No("not_found")
        self.rooms[room]["state"] = "active"

    def add(self, who: str, room: str, id: str, user: str) -> None:
        found = self.rooms.get(room)
        if found is None or found["state"] == "deleted":
            raise No("not_found")
        members = found["members"]
        if who in members:
            if user in members:
                return
            self._may(
                found["type"] != "direct" and (members[who] != "member" or found["settings"]["inviting"] == "members"),
                found,
            )
        elif found["type"] == "public" and user == who:
            self._may(True, found)
        else:
            raise No("not_found")
        first = not members
        self._notice(found, who, id, "join", {"user": user})
        self._enter(found, user, "owner" if first else "member")

    def remove(self, who: str, room: str, id: str, user: str, successor: str | None) -> None:
        found = self.rooms.get(room)
        if found is None or (found["state"] == "deleted" and user != who):
            raise No("not_found")
        members = found["members"]
        if who not in members:
            if user == who and who in found["read"]:
                return
            raise No("not_found")
        if user != who and (
            members[who] == "member" or (user in members and RANK[members[user]] >= RANK[members[who]])
        ):
            raise No("forbidden")
        if user not in members:
            return
        heir = members[user] == "owner" and len(members) > 1
        if heir and (successor in (None, user) or successor not in members):
            raise No("no_successor")
        del members[user]
        self._notice(found, who, id, "leave", {"user": user})
        if heir:
            members[successor] = "owner"

    def set_role(self, who: str, room: str, id: str, user: str, role: str) -> None:
        found, mine = self._inside(who, room)
        self._may(mine == "owner", found)
        members = found["members"]
        if user not in members:
            raise No("not_found")
        if user == who and role != "owner":
            raise No("invalid")
        if members[user] == role:
            return
        if role == "owner":
            members[who] = "admin"
        members[user] = role
        self._notice(found, who, id, "system", {"event": "role_changed", "user": user, "role": role})

    def read(self, who: str, room: str, id: str, seq: int) -> None:
        found, _ = self._inside(who, room)
        if seq > len(found["messages"]):
            raise No("invalid")
        found["read"][who] = seq

    def notify(self, who: str, room: str, id: str, notifications: bool) -> None:
        found, _ = self._inside(who, room)
        found["notifications"][who] = notifications

    def say(self, who: str, room: str, id: str, text: str) -> None:
        found, role = self._inside(who, room)
        self._may(role != "member" or found["settings"]["posting"] == "members" or found["type"] == "direct", found)
        self._append(found, who, id, "text", {"text": text})

    def edit(self, who: str, room: str, id: str, message: str, text: str) -> None:
        found, role = self._inside(who, room)
        one = self._message(found, message)
        there = one is not None and not one["deleted"]
        posts = role != "member" or found["settings"]["posting"] == "members" or found["type"] == "direct"
        self._may(posts and (one is None or not there or one["author"] == who), found)
        if one is None or not there:
            raise No("not_found")
        if one["type"] != "text":
            raise No("invalid")
        if one["content"] != {"text": text}:
            found["edits"].setdefault(message, []).append(one["content"])
            one["content"] = {"text": text}

    def erase(self, who: str, room: str, id: str, message: str) -> None:
        found, role = self._inside(who, room)
        one = self._message(found, message)
        high = role != "member" and found["type"] != "direct"
        self._may(high or one is None or one["author"] == who, found)
        if one is None:
            raise No("not_found")
        one["deleted"] = True

    @staticmethod
    def _message(room: dict[str, Any], id: str) -> dict[str, Any] | None:
        found: list[dict[str, Any]] = [one for one in room["messages"] if one["id"] == id]
        return found[0] if found else None
