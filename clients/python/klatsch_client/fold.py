"""What a snapshot and the deltas after it make true. Pure: no network, no clock.

1. A delta whose offset is below the vector's for its shard is in the state already; each delta moves the vector.
2. An entity's ``version`` is the offset of its latest event. Of two views of one entity the higher version stays, and
   an event at or below it is in it: views that come along (``include``) may be newer than the delta.
3. What happens in a room that is not held is not for this state: it was left, or comes with the next join.
4. What was news while a further page was on its way is folded once more after it (``refold``).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict, TypeVar, cast

from klatsch_client import contract as c

#: Messages that are held of a room: the latest ones. Older ones are read with ``rpc.messages.read``.
HELD = 200


class Watching(TypedDict):
    """Who has a room open."""

    count: int
    users: list[str]


class ChannelMember(TypedDict):
    """Somebody in a live channel."""

    #: The username.
    id: str
    #: The user's id.
    user: str
    #: What stands in what they say.
    number: int | None


@dataclass
class RoomEntry:
    """A room that the user is in."""

    room: c.Room
    #: The own membership, with ``read``.
    member: c.Member
    #: The other person of a direct room.
    peer: str | None
    #: The last message, and those that came since the snapshot, by ``seq``; at most HELD.
    messages: list[c.Message] = field(default_factory=list)
    #: All members, by user, once ``client.members`` was asked for them.
    members: dict[str, c.RoomMember] | None = None


@dataclass
class State:
    """All that a client holds."""

    me: c.Self
    #: Next offset of each shard: everything below is in this state.
    vector: dict[str, int]
    #: Place in the stream up to which this state goes.
    cursor: int
    epoch: str
    #: Profiles of others, by id.
    users: dict[str, c.User] = field(default_factory=dict)
    #: What the user is to others, by their ids.
    relationships: dict[str, c.Relationship] = field(default_factory=dict)
    #: Who holds the user for a friend, by their ids.
    friend_of: dict[str, c.Relationship] = field(default_factory=dict)
    #: By room.
    invitations: dict[str, c.Invitation] = field(default_factory=dict)
    rooms: dict[str, RoomEntry] = field(default_factory=dict)
    #: Who is there, by user; whoever is missing is offline.
    presence: dict[str, c.Presence] = field(default_factory=dict)
    #: Who types, by room.
    typing: dict[str, list[str]] = field(default_factory=dict)
    #: Who has a room open that is open here, by room.
    watching: dict[str, Watching] = field(default_factory=dict)
    #: Who is in the live channels that this connection watches, by channel.
    channels: dict[int, list[ChannelMember]] = field(default_factory=dict)
    #: Where the snapshot goes on; None: all of it is here.
    next: str | None = None


Rule = Callable[[State, Any, int], None]
View = TypeVar("View", bound=Mapping[str, Any])


def unread(entry: RoomEntry) -> int:
    """Unread messages of a room: derived, so that it cannot drift."""
    return max(0, entry.room["seq"] - entry.member["read"])


def from_snapshot(snapshot: c.Snapshot) -> State:
    """The state of a snapshot, or of its first page."""
    found = copy.deepcopy(snapshot)
    state = State(me=found["me"], vector=found["vector"], cursor=found["cursor"], epoch=found["epoch"])
    take_page(state, snapshot)
    return state


def take_page(state: State, page: c.Snapshot | c.SyncGetAnswer) -> None:
    """Takes in what a page of the snapshot holds."""
    found = copy.deepcopy(page)
    for user in found["users"]:
        _keep(state.users, user["id"], user)
    for one in found["relationships"]:
        _keep(state.relationships, one["other"], one)
    for one in found["friend_of"]:
        _keep(state.friend_of, one["user"], one)
    for invitation in found["invitations"]:
        _keep(state.invitations, invitation["room"], invitation)
    for entry in found["rooms"]:
        _enter(state, entry["room"], entry["member"], entry["message"], entry["peer"])
    state.next = found["next"]


def take_members(state: State, entry: RoomEntry, found: list[c.MemberWithUser]) -> None:
    """Takes all members of a room in."""
    shown = copy.deepcopy(found)
    entry.members = {one["member"]["user"]: one["member"] for one in shown}
    for one in shown:
        if one["user"]["id"] != state.me["id"]:
            _keep(state.users, one["user"]["id"], one["user"])


def has(state: State, delta: c.Delta) -> bool:
    """Whether a delta is in the state already."""
    shard, _, offset = delta["position"].rpartition("/")
    return int(offset) < state.vector.get(shard, 0)


def fold(state: State, delta: c.Delta) -> bool:
    """Takes one delta in; False when the state has it already."""
    if has(state, delta):
        return False
    shard, _, offset = delta["position"].rpartition("/")
    state.vector[shard] = int(offset) + 1
    refold(state, delta)
    return True


def refold(state: State, delta: c.Delta) -> None:
    """Folds a delta into entities that may have come after it: versions make that harmless."""
    told = copy.deepcopy(delta)
    # A newer server may tell of what this client does not know.
    if rule := RULES.get(told["type"]):
        rule(state, told, int(told["position"].rpartition("/")[2]))
    include = _include(told)
    for user in (*include.get("users", ()), *([include["user"]] if "user" in include else ())):
        if user["id"] != state.me["id"]:
            _keep(state.users, user["id"], user)


def _include(delta: Mapping[str, Any]) -> c.DeltaInclude:
    return cast(c.DeltaInclude, delta.get("include") or {})


def _keep(views: dict[str, View], key: str, view: View) -> None:
    """Rule 2 for whole views."""
    if key not in views or views[key]["version"] <= view["version"]:
        views[key] = view


def _change(view: Mapping[str, Any] | None, offset: int, **changes: Any) -> None:
    """Rule 2 for an event that changes some members of a view; nothing where there is no such view."""
    if view is not None and view["version"] < offset:
        cast(dict[str, Any], view).update(changes, version=offset)


def _change_room(entry: RoomEntry, offset: int, **changes: Any) -> None:
    _change(entry.room, offset, **changes)
    _hide(entry)


def _hide(entry: RoomEntry) -> None:
    """From its deletion on nothing is held of a room; all comes along when it is brought back."""
    if entry.room["state"] == "deleted":
        cast(dict[str, Any], entry.room).update(copy.deepcopy(c.GONE))
        entry.messages = []
        entry.members = None


def _enter(state: State, room: c.Room, member: c.Member | None, message: c.Message | None, peer: str | None) -> None:
    """A room with what is seen of it: anew, or newer views of what is held."""
    if member is None:
        return
    entry = state.rooms.setdefault(room["id"], RoomEntry(room, member, peer))
    entry.peer = entry.peer or peer
    _take(entry, room, member, message)


def _take(
    entry: RoomEntry, room: c.Room | None = None, member: c.Member | None = None, message: c.Message | None = None
) -> None:
    if room is not None and entry.room["version"] <= room["version"]:
        entry.room = room
    if member is not None and entry.member["version"] <= member["version"]:
        entry.member = member
    if message is not None:
        _keep_message(entry, message)
    _hide(entry)


def _keep_message(entry: RoomEntry, message: c.Message) -> None:
    """Rule 2 for a message, in the order of ``seq``."""
    at = len(entry.messages)
    while at and entry.messages[at - 1]["seq"] > message["seq"]:
        at -= 1
    known = entry.messages[at - 1] if at else None
    if known is None or known["id"] != message["id"]:
        entry.messages.insert(at, message)
    elif known["version"] <= message["version"]:
        entry.messages[at - 1] = message
    del entry.messages[:-HELD]


def _held(state: State, delta: Any) -> c.Message | None:
    entry, id = state.rooms.get(delta["stream"]), delta["data"]["message"]
    found = () if entry is None else (one for one in reversed(entry.messages) if one["id"] == id)
    return next(iter(found), None)


def _listed(entry: RoomEntry, user: str) -> list[c.RoomMember]:
    return [entry.members[user]] if entry.members and user in entry.members else []


def _nothing(state: State, delta: Any, offset: int) -> None:
    """Concerns no entity of the state."""


def _own(state: State, delta: c.UserEmailAbandonedDelta | c.UserPasswordChangedDelta, offset: int) -> None:
    # Nothing of it is shown; the profile has one event more.
    _change(state.me, offset)


def _profile(state: State, delta: Any, offset: int) -> None:
    changes = {name: value for name, value in delta["data"].items() if value is not None or name == "visual"}
    # Empty: none any more.
    changes |= {name: changes[name] or None for name in ("avatar", "bio") if name in changes}
    _show(state, delta, offset, changes)


def _deactivated(state: State, delta: Any, offset: int) -> None:
    _show(state, delta, offset, {"deactivated": delta["time"] if delta["type"] == "user.deactivated" else None})


def _erased(state: State, delta: c.UserErasedDelta, offset: int) -> None:
    """Nothing of the person is left; what they are called is a fixed word."""
    mine, time = delta["stream"] == state.me["id"], delta["time"]
    view: Any = state.me if mine else state.users.get(delta["stream"], {})
    changes: dict[str, Any] = {
        "username": "", "name": "Deleted user", "visual": None, "avatar": None, "bio": None, "data": {}, "custom": {},
        "deactivated": view.get("deactivated") or time, "erased": view.get("erased") or time,
    }  # fmt: skip
    own = {"email": None, "seen": None, "added_by": None, "external": None} if mine else {}
    _show(state, delta, offset, {**changes, **own})


def _show(state: State, delta: Any, offset: int, changes: dict[str, Any]) -> None:
    relationship = state.relationships.get(delta["stream"])
    if relationship is not None and relationship["type"] == "block":
        # From before the block: whom the user blocks shows as what came along with the block.
        return
    if delta["stream"] == state.me["id"]:
        _change(state.me, offset, **changes, updated=delta["time"])
    else:
        _change(state.users.get(delta["stream"]), offset, **changes)


def _email_changed(state: State, delta: c.UserEmailChangedDelta, offset: int) -> None:
    _change(state.me, offset, email=delta["data"]["email"], updated=delta["time"])


def _team_set(state: State, delta: c.UserTeamSetDelta, offset: int) -> None:
    _change(state.me, offset, team=delta["data"]["team"], updated=delta["time"])


def _added_by_chosen(state: State, delta: c.UserAddedByChosenDelta, offset: int) -> None:
    _change(state.me, offset, added_by=delta["data"]["added_by"], updated=delta["time"])


def _seen(state: State, delta: c.UserSeenDelta, offset: int) -> None:
    _change(state.me, offset, seen=max(state.me["seen"] or "", delta["data"]["seen"]))


def _session_opened(state: State, delta: c.SessionOpenedDelta, offset: int) -> None:
    time, data = delta["time"], {**state.me["data"], "last_login": delta["time"]}
    _change(state.me, offset, seen=max(state.me["seen"] or "", time), updated=time, data=data)


def _relationship_set(state: State, delta: c.RelationshipSetDelta, offset: int) -> None:
    user, other, type, time = delta["stream"], delta["data"]["other"], delta["data"]["type"], delta["time"]
    mine = user == state.me["id"]
    views, far = (state.relationships, other) if mine else (state.friend_of, user)
    view: c.Relationship = {
        "user": user, "other": other, "type": type, "created": time, "updated": time, "version": offset,
    }  # fmt: skip
    _keep(views, far, view)
    if views[far]["type"] is None:
        del views[far]
    if mine and type == "block":
        # Who blocks somebody no longer sees what that one is to them; it comes along when the block is lifted.
        state.friend_of.pop(far, None)
    if "friend_of" in (include := _include(delta)):
        _keep(state.friend_of, far, include["friend_of"])


def _room_changed(state: State, delta: Any, offset: int) -> None:
    if entry := state.rooms.get(delta["stream"]):
        _change_room(entry, offset, **delta["data"], updated=delta["time"])


def _room_is(to: str) -> Rule:
    def changed(state: State, delta: c.RoomRestoredDelta, offset: int) -> None:
        if entry := state.rooms.get(delta["stream"]):
            _change_room(entry, offset, state=to, updated=delta["time"])
            include = _include(delta)
            _take(entry, include.get("room"), include.get("member"), include.get("message"))

    return changed


def _invited(state: State, delta: c.MemberInvitedDelta, offset: int) -> None:
    entry, user, include = state.rooms.get(delta["stream"]), delta["data"]["user"], _include(delta)
    if "invitation" in include:
        _keep(state.invitations, delta["stream"], include["invitation"])
    elif user != state.me["id"] and entry is not None and entry.room["type"] == "direct":
        # Who is asked into a direct room is the other of it.
        entry.peer = entry.peer or user


def _answered(state: State, delta: Any, offset: int) -> None:
    """The own invitation into the room waits no more, unless it is a later one."""
    invitation = state.invitations.get(delta["stream"])
    if delta["data"]["user"] == state.me["id"] and invitation is not None and invitation["version"] < offset:
        del state.invitations[delta["stream"]]


def _said(
    state: State, entry: RoomEntry, delta: Any, offset: int, type: str, content: Mapping[str, Any], token: str = "",
    data: Mapping[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The message that an event makes, if it makes one; returns what else of the room changes by it."""
    id, seq, author, time = delta["data"].get("message"), delta["data"].get("seq"), delta["actor"], delta["time"]
    if id is None:
        return {}
    made = {
        "id": id, "room": delta["stream"], "seq": seq, "author": author, "token": token, "type": type,
        "content": content, "data": data or {}, "created": time, "updated": time, "edited": None, "deleted": None,
        "revision": 0, "version": offset,
    }  # fmt: skip
    if entry.room["state"] != "deleted":
        _keep_message(entry, cast(c.Message, made))
    if author == state.me["id"]:
        # Who says something, or acts, has read what was said before.
        _change(entry.member, offset, read=seq, read_at=time)
    for view in _listed(entry, author):
        _change(view, offset, read=seq, read_at=time)
    return {"seq": seq, "last": id, "updated": time}


def _joined(state: State, delta: c.MemberJoinedDelta, offset: int) -> None:
    user, role, include = delta["data"]["user"], delta["data"]["role"], _include(delta)
    if user == state.me["id"]:
        _answered(state, delta, offset)
        if "room" in include and "member" in include:
            # Without them the user has left again since.
            _enter(state, include["room"], include["member"], include.get("message"), include.get("peer"))
    elif entry := state.rooms.get(delta["stream"]):
        more = _said(state, entry, delta, offset, "join", {"user": user})
        owner = user if role == "owner" else entry.room["owner"]
        _change_room(entry, offset, members=entry.room["members"] + 1, owner=owner, **more)
        if entry.room["type"] == "direct":
            entry.peer = user
        if entry.members is not None:
            read, time = delta["data"].get("seq"), delta["time"]
            made: c.RoomMember = {
                "room": delta["stream"], "user": user, "role": role, "joined": time,
                "read": entry.room["seq"] if read is None else read, "read_at": time, "custom": {},
                "version": offset,
            }  # fmt: skip
            _keep(entry.members, user, include.get("joined") or made)


def _left(state: State, delta: c.MemberLeftDelta, offset: int) -> None:
    entry, user = state.rooms.get(delta["stream"]), delta["data"]["user"]
    if entry is None:
        return
    if user == state.me["id"]:
        # Not when the membership that is held is one of a later join.
        if entry.member["version"] < offset:
            del state.rooms[delta["stream"]]
        return
    # Before what is said, which moves the versions of the actor.
    gone = entry.members is not None and any(view["version"] < offset for view in _listed(entry, user))
    more = _said(state, entry, delta, offset, "leave", {"user": user})
    owner = None if entry.room["owner"] == user else entry.room["owner"]
    _change_room(entry, offset, members=entry.room["members"] - 1, owner=owner, **more)
    if gone and entry.members is not None:
        del entry.members[user]


def _role_changed(state: State, delta: c.MemberRoleChangedDelta, offset: int) -> None:
    entry, user, role = state.rooms.get(delta["stream"]), delta["data"]["user"], delta["data"]["role"]
    if entry is None:
        return
    before = entry.room["owner"]
    # Before what is said, which moves the versions of the actor.
    views: list[c.Member | c.RoomMember] = [*([entry.member] if user == state.me["id"] else ()), *_listed(entry, user)]
    for view in views:
        if view["version"] < offset:
            view["role"] = role
    more = _said(state, entry, delta, offset, "system", {"event": "role_changed", "user": user, "role": role})
    _change_room(entry, offset, owner=user if role == "owner" else None if before == user else before, **more)
    for view in views:
        _change(view, offset)


def _read(state: State, delta: c.MemberReadDelta, offset: int) -> None:
    entry, user = state.rooms.get(delta["stream"]), delta["data"]["user"]
    if entry is not None:
        mine = [entry.member] if user == state.me["id"] else []
        for view in (*mine, *_listed(entry, user)):
            _change(view, offset, read=delta["data"]["seq"], read_at=delta["time"])


def _notifications_set(state: State, delta: c.MemberNotificationsSetDelta, offset: int) -> None:
    if entry := state.rooms.get(delta["stream"]):
        _change(entry.member, offset, notifications=delta["data"]["notifications"])
        for view in _listed(entry, state.me["id"]):
            _change(view, offset)


def _custom_changed(state: State, delta: c.MemberCustomChangedDelta, offset: int) -> None:
    entry, user, custom = state.rooms.get(delta["stream"]), delta["data"]["user"], delta["data"]["custom"]
    if entry is None:
        return
    if user == state.me["id"]:
        # Also of a room that is deleted since, of which the rest is left out.
        _take(entry, member=_include(delta).get("member"))
        _change(entry.member, offset, custom=custom)
    for view in _listed(entry, user):
        _change(view, offset, custom=custom)


def _posted(state: State, delta: c.MessagePostedDelta, offset: int) -> None:
    if entry := state.rooms.get(delta["stream"]):
        data = delta["data"]
        more = _said(state, entry, delta, offset, data["type"], data["content"], data["token"], data["data"])
        _change_room(entry, offset, **more)


def _edited(state: State, delta: c.MessageEditedDelta, offset: int) -> None:
    if message := _held(state, delta):
        time, data, revision = delta["time"], delta["data"], message["revision"] + 1
        changes = {"content": data["content"], "data": data["data"], "revision": revision}
        _change(message, offset, **changes, edited=time, updated=time)


def _deleted(state: State, delta: c.MessageDeletedDelta, offset: int) -> None:
    _change(_held(state, delta), offset, content={}, data={}, deleted=delta["time"], updated=delta["time"])


def _restored(state: State, delta: c.MessageRestoredDelta, offset: int) -> None:
    entry, include = state.rooms.get(delta["stream"]), _include(delta)
    if entry is not None and "restored" in include and _held(state, delta):
        _keep_message(entry, include["restored"])


def _emotion_detected(state: State, delta: c.MessageEmotionDetectedDelta, offset: int) -> None:
    if message := _held(state, delta):
        data = {name: value for name, value in message["data"].items() if name != "emotion"}
        if delta["data"]["shown"]:
            data["emotion"] = delta["data"]["emotion"]
        _change(message, offset, data=data, updated=delta["time"])


def _pins(more: int) -> Rule:
    def changed(state: State, delta: c.MessagePinnedDelta | c.MessageUnpinnedDelta, offset: int) -> None:
        if entry := state.rooms.get(delta["stream"]):
            _change_room(entry, offset, pins=entry.room["pins"] + more)

    return changed


#: One rule for each type of delta.
RULES: dict[str, Rule] = {
    "user.registered": _nothing,
    "user.profile_changed": _profile,
    "user.email_changed": _email_changed,
    "user.email_abandoned": _own,
    "user.password_changed": _own,
    "user.seen": _seen,
    "user.visual_chosen": _profile,
    "user.added_by_chosen": _added_by_chosen,
    "user.deactivated": _deactivated,
    "user.reactivated": _deactivated,
    "user.tokens_revoked": _own,
    "user.erased": _erased,
    "user.erasure_noted": _own,
    "user.team_set": _team_set,
    "session.opened": _session_opened,
    "session.renewed": _nothing,
    "session.used": _nothing,
    "session.closed": _nothing,
    "relationship.set": _relationship_set,
    "visual.created": _nothing,
    "visual.changed": _nothing,
    "room.created": _nothing,
    **dict.fromkeys(c.ROOM_CHANGES, _room_changed),
    "room.archived": _room_is("archived"),
    "room.unarchived": _room_is("active"),
    "room.deleted": _room_is("deleted"),
    "room.restored": _room_is("active"),
    "member.invited": _invited,
    "invitation.declined": _answered,
    "invitation.withdrawn": _answered,
    "member.joined": _joined,
    "member.left": _left,
    "member.role_changed": _role_changed,
    "member.read": _read,
    "member.notifications_set": _notifications_set,
    "member.custom_changed": _custom_changed,
    "message.posted": _posted,
    "message.edited": _edited,
    "message.deleted": _deleted,
    "message.restored": _restored,
    "message.emotion_detected": _emotion_detected,
    "message.pinned": _pins(1),
    "message.unpinned": _pins(-1),
}
