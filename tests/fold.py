"""The reference client: what a snapshot and the deltas after it make true. The web client's ``fold.js`` is the same.

``state = snapshot_state(GET /v1/sync)``, then ``fold(state, delta)`` for each delta, in the order in which they come.
Four rules make this exact, however often a delta comes and however new the snapshot is:

1. A delta whose offset is below the vector's for its shard is in the state already. Each delta moves the vector, so one
   that comes twice changes nothing.
2. An entity's ``version`` is the offset of its latest event. Views that come along with a delta (``include``) may be
   newer than the delta: of two views of one entity the higher version stays, and an event at or below it is in it.
3. What happens in a room that is not held is not for this state: the room was left, or will come with the next join.
4. Who blocks somebody no longer sees what that one is to them, nor what they call themselves: a profile without it
   comes along with the block. When it is lifted, the profile and ``friend_of`` come along.
5. Further pages of the snapshot (``take_page``) hold at least all that was received before the request. What was news
   (rule 1) while one was on its way is folded once more after it (``refold``): a delta that found no entity then may be
   above the page. Rule 2 makes that harmless where it is not. What was no news is left out: of a room that was joined
   and left before the snapshot, the join alone may be among it, and would bring the room back.

Other people's ``version`` also moves with events that others do not receive, like a log-in. So it is only good for
telling which of two views is newer, and is no part of a comparison of states.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import msgspec

from events.core.positions import parse_position
from events.rooms import SETTERS
from projectors.views.rooms import GONE

Json = dict[str, Any]


class State(msgspec.Struct, kw_only=True):
    """All that a client holds."""

    #: The own profile.
    me: Json
    #: Profiles of others, by id: friends, the other of each direct room, and who else came along.
    users: dict[str, Json]
    #: What the user is to others, by their ids.
    relationships: dict[str, Json]
    #: Who holds the user for a friend, by their ids.
    friend_of: dict[str, Json]
    #: Invitations that wait for an answer, by room.
    invitations: dict[str, Json]
    #: By id: ``{"room", "member", "message", "peer"}``: the room, the own membership with ``read``, the last message,
    #: the other person of a direct room.
    rooms: dict[str, Json]
    #: Next offset of each shard: all below is in this state.
    vector: dict[str, int]
    #: Where the feed goes on.
    cursor: int
    epoch: str
    #: The cursor of the snapshot's next page; None when all of it is here.
    next: str | None


def snapshot_state(snapshot: Json) -> State:
    """The state of a snapshot (``GET /v1/sync``), or of its first page."""
    found = copy.deepcopy(snapshot)
    state = State(
        me=found["me"], users={}, relationships={}, friend_of={}, invitations={}, rooms={}, vector=found["vector"],
        cursor=found["cursor"], epoch=found["epoch"], next=None,
    )  # fmt: skip
    take_page(state, found)
    return state


def take_page(state: State, page: Json) -> None:
    """Takes in what a page of the snapshot holds; then what was news meanwhile is folded once more."""
    found = copy.deepcopy(page)
    for user in found["users"]:
        _keep(state.users, user["id"], user)
    for one in found["relationships"]:
        _keep(state.relationships, one["other"], one)
    for one in found["friend_of"]:
        _keep(state.friend_of, one["user"], one)
    for one in found["invitations"]:
        _keep(state.invitations, one["room"], one)
    for views in found["rooms"]:
        held = state.rooms.setdefault(views["room"]["id"], _entry(views))
        held["peer"] = held["peer"] or views["peer"]
        _take(held, views)
    state.next = found["next"]


def fold(state: State, delta: Json) -> bool:
    """Takes one delta in; False when the state has it already (rule 1)."""
    place = parse_position(delta["position"])
    shard = str(place.shard)
    if place.offset < state.vector.get(shard, 0):
        return False
    state.vector[shard] = place.offset + 1
    refold(state, delta)
    return True


def refold(state: State, delta: Json) -> None:
    """Folds a delta into entities that may have come after it (rules 2 and 5)."""
    place = parse_position(delta["position"])
    include = copy.deepcopy(delta.get("include") or {})
    FOLD[delta["type"]](state, {**delta, "offset": place.offset, "include": include})
    for user in (*include.get("users", ()), *filter(None, [include.get("user")])):
        if user["id"] != state.me["id"]:
            _keep(state.users, user["id"], user)


def unread(entry: Json) -> int:
    """Unread messages of a room: derived, so that nothing drifts."""
    return max(0, int(entry["room"]["seq"]) - int(entry["member"]["read"]))


def _entry(views: Json) -> Json:
    return {"peer": views.get("peer"), **{name: views[name] for name in ("room", "member", "message")}}


def _keep(views: dict[str, Json], key: str, view: Json) -> None:
    """Rule 2 for whole views."""
    if key not in views or views[key]["version"] <= view["version"]:
        views[key] = view


def _change(view: Json | None, event: Json, **changes: Any) -> None:
    """Rule 2 for an event that changes some fields of a view; nothing where there is no such view."""
    if view is not None and view["version"] < event["offset"]:
        view.update(changes, version=event["offset"])


def _change_room(entry: Json, event: Json, **changes: Any) -> None:
    """The same for a room. From its deletion on nothing is held of it; all comes along when it is brought back."""
    _change(entry["room"], event, **changes)
    _hide(entry)


def _hide(entry: Json) -> None:
    if entry["room"]["state"] == "deleted":
        entry["room"].update(copy.deepcopy(GONE))
        entry["message"] = None


def _nothing(state: State, event: Json) -> None:
    """Concerns no entity of the state."""


def _added_by_chosen(state: State, event: Json) -> None:
    _profile(state, event, added_by=event["data"]["added_by"])


def _invited(state: State, event: Json) -> None:
    room, user = event["stream"], event["data"]["user"]
    if "invitation" in event["include"]:
        _keep(state.invitations, room, event["include"]["invitation"])
    elif user != state.me["id"] and (entry := state.rooms.get(room)) and entry["room"]["type"] == "direct":
        # Who is asked into a direct room is the other of it.
        entry["peer"] = entry["peer"] or user


def _uninvited(state: State, event: Json) -> None:
    if event["data"]["user"] == state.me["id"]:
        _answered(state, event)


def _answered(state: State, event: Json) -> None:
    """The own invitation into the room waits no more, unless it is a later one."""
    invitation = state.invitations.get(event["stream"])
    if invitation is not None and invitation["version"] < event["offset"]:
        del state.invitations[event["stream"]]


def _profile(state: State, event: Json, **changes: Any) -> None:
    if state.relationships.get(event["stream"], {}).get("type") == "block":
        # From before the block: whom the user blocks shows under their username, as it came with the block.
        return
    if event["stream"] == state.me["id"]:
        _change(state.me, event, **changes, updated=event["time"])
    else:
        _change(state.users.get(event["stream"]), event, **changes)


def _profile_changed(state: State, event: Json) -> None:
    changes = {name: value for name, value in event["data"].items() if value is not None}
    # Empty: none any more.
    _profile(state, event, **changes | {name: changes[name] or None for name in ("avatar", "bio") if name in changes})


def _deactivated(state: State, event: Json) -> None:
    _profile(state, event, deactivated=event["time"])


def _reactivated(state: State, event: Json) -> None:
    _profile(state, event, deactivated=None)


def _erased(state: State, event: Json) -> None:
    """Nothing of the person is left; of oneself no more is known than what others see."""
    mine = event["stream"] == state.me["id"]
    view = state.me if mine else state.users.get(event["stream"], {})
    gone: Json = {
        "username": "", "name": "Deleted user", "visual": None, "avatar": None, "bio": None, "data": {}, "custom": {},
        "deactivated": view.get("deactivated") or event["time"], "erased": view.get("erased") or event["time"],
    }  # fmt: skip
    own: Json = {"email": None, "seen": None, "added_by": None, "external": None} if mine else {}
    _profile(state, event, **gone, **own)


def _team_set(state: State, event: Json) -> None:
    _profile(state, event, team=event["data"]["team"])


def _visual_chosen(state: State, event: Json) -> None:
    _profile(state, event, visual=event["data"]["visual"])


def _session_opened(state: State, event: Json) -> None:
    _change(state.me, event, seen=_later(state.me["seen"], event["time"]), updated=event["time"],
            data={**state.me["data"], "last_login": event["time"]})  # fmt: skip


def _email_changed(state: State, event: Json) -> None:
    _profile(state, event, email=event["data"]["email"])


def _email_abandoned(state: State, event: Json) -> None:
    # The address is as it was; the profile has one event more.
    _change(state.me, event)


def _password_changed(state: State, event: Json) -> None:
    # Nothing of it is shown; the profile has one event more.
    _change(state.me, event)


def _seen(state: State, event: Json) -> None:
    _change(state.me, event, seen=_later(state.me["seen"], event["data"]["seen"]))


def _later(one: str | None, other: str) -> str:
    return max(one or other, other)


def _relationship_set(state: State, event: Json) -> None:
    user, data, time = event["stream"], event["data"], event["time"]
    mine = user == state.me["id"]
    views, far = (state.relationships, data["other"]) if mine else (state.friend_of, user)
    view = {"user": user, "other": data["other"], "type": data["type"], "created": time, "updated": time}
    _keep(views, far, {**view, "version": event["offset"]})
    if views[far]["type"] is None:
        del views[far]
    if mine and data["type"] == "block":
        state.friend_of.pop(far, None)
    if "friend_of" in event["include"]:
        _keep(state.friend_of, far, event["include"]["friend_of"])


def _room_changed(state: State, event: Json) -> None:
    if entry := state.rooms.get(event["stream"]):
        _change_room(entry, event, **event["data"], updated=event["time"])


def _state_changed(to: str) -> Callable[[State, Json], None]:
    def changed(state: State, event: Json) -> None:
        entry = state.rooms.get(event["stream"])
        if entry is None:
            return
        _change_room(entry, event, state=to, updated=event["time"])
        _take(entry, event["include"])

    return changed


def _said(state: State, event: Json, type: str, content: Json, token: str = "", data: Json | None = None) -> Json:
    """The message that an event makes, if it makes one; returns what else of the room changes by it."""
    entry, told = state.rooms[event["stream"]], event["data"]
    if told.get("message") is None:
        return {}
    if entry["message"] is None or entry["message"]["version"] < event["offset"]:
        entry["message"] = {"id": told["message"], "room": event["stream"], "seq": told["seq"],
                            "author": event["actor"], "token": token, "type": type, "content": content,
                            "data": data or {}, "created": event["time"], "updated": event["time"], "edited": None,
                            "deleted": None, "revision": 0, "version": event["offset"]}  # fmt: skip
    if event["actor"] == state.me["id"]:
        # Who says something, or acts, has read what was said before.
        _change(entry["member"], event, read=told["seq"], read_at=event["time"])
    return {"seq": told["seq"], "last": told["message"], "updated": event["time"]}


def _joined(state: State, event: Json) -> None:
    if event["data"]["user"] != state.me["id"]:
        if entry := state.rooms.get(event["stream"]):
            owner = event["data"]["user"] if event["data"]["role"] == "owner" else entry["room"]["owner"]
            more = _said(state, event, "join", {"user": event["data"]["user"]})
            _change_room(entry, event, members=entry["room"]["members"] + 1, owner=owner, **more)
            if entry["room"]["type"] == "direct":
                entry["peer"] = event["data"]["user"]
        return
    _answered(state, event)
    if "room" in event["include"]:
        # Without it the user has left again since; the deltas until then are of a room that is not held.
        held = state.rooms.setdefault(event["stream"], _entry(event["include"]))
        held["peer"] = held["peer"] or event["include"].get("peer")
        _take(held, event["include"])


def _take(held: Json, include: Json) -> None:
    """Rule 2 for the views of an entry that came along."""
    for name in ("room", "member", "message"):
        view = include.get(name)
        if view is not None and (held[name] is None or held[name]["version"] <= view["version"]):
            held[name] = view
    _hide(held)


def _left(state: State, event: Json) -> None:
    entry = state.rooms.get(event["stream"])
    if entry is None:
        return
    if event["data"]["user"] == state.me["id"]:
        # Not when the membership that is held is one of a later join.
        if entry["member"]["version"] < event["offset"]:
            del state.rooms[event["stream"]]
        return
    owner = None if entry["room"]["owner"] == event["data"]["user"] else entry["room"]["owner"]
    more = _said(state, event, "leave", {"user": event["data"]["user"]})
    _change_room(entry, event, members=entry["room"]["members"] - 1, owner=owner, **more)


def _role_changed(state: State, event: Json) -> None:
    if entry := state.rooms.get(event["stream"]):
        user, role, before = event["data"]["user"], event["data"]["role"], entry["room"]["owner"]
        if user == state.me["id"] and entry["member"]["version"] < event["offset"]:
            entry["member"]["role"] = role
        more = _said(state, event, "system", {"event": "role_changed", "user": user, "role": role})
        _change_room(entry, event, owner=user if role == "owner" else None if before == user else before, **more)
        if user == state.me["id"]:
            _change(entry["member"], event)


def _read(state: State, event: Json) -> None:
    entry = state.rooms.get(event["stream"])
    # How far others have read is shown beside messages; it is no part of this state.
    if entry is not None and event["data"]["user"] == state.me["id"]:
        _change(entry["member"], event, read=event["data"]["seq"], read_at=event["time"])


def _notifications_set(state: State, event: Json) -> None:
    if entry := state.rooms.get(event["stream"]):
        _change(entry["member"], event, notifications=event["data"]["notifications"])


def _custom_changed(state: State, event: Json) -> None:
    entry = state.rooms.get(event["stream"])
    # What others have is no part of this state.
    if entry is not None and event["data"]["user"] == state.me["id"]:
        _take(entry, event["include"])
        _change(entry["member"], event, custom=event["data"]["custom"])


def _posted(state: State, event: Json) -> None:
    if entry := state.rooms.get(event["stream"]):
        data = event["data"]
        more = _said(state, event, data["type"], data["content"], data["token"], data["data"])
        _change_room(entry, event, **more)


def _last_message(state: State, event: Json, **changes: Any) -> None:
    """Changes the room's last message, if the event is about that one."""
    entry = state.rooms.get(event["stream"])
    if entry is not None and entry["message"] is not None and entry["message"]["id"] == event["data"]["message"]:
        _change(entry["message"], event, **changes, updated=event["time"])


def _edited(state: State, event: Json) -> None:
    entry = state.rooms.get(event["stream"])
    revision = entry["message"]["revision"] + 1 if entry is not None and entry["message"] is not None else 0
    data = {name: event["data"][name] for name in ("content", "data")}
    _last_message(state, event, **data, edited=event["time"], revision=revision)


def _deleted(state: State, event: Json) -> None:
    _last_message(state, event, content={}, data={}, deleted=event["time"])


def _restored(state: State, event: Json) -> None:
    entry, message = state.rooms.get(event["stream"]), event["include"].get("restored")
    if entry is None or entry["message"] is None or message is None or entry["message"]["id"] != message["id"]:
        return
    if entry["message"]["version"] <= message["version"]:
        entry["message"] = message


def _emotion_detected(state: State, event: Json) -> None:
    entry = state.rooms.get(event["stream"])
    if entry is None or entry["message"] is None:
        return
    data = {name: value for name, value in entry["message"]["data"].items() if name != "emotion"}
    if event["data"]["shown"]:
        data["emotion"] = event["data"]["emotion"]
    _last_message(state, event, data=data)


def _pins(more: int) -> Callable[[State, Json], None]:
    def changed(state: State, event: Json) -> None:
        if entry := state.rooms.get(event["stream"]):
            _change_room(entry, event, pins=entry["room"]["pins"] + more)

    return changed


#: One row for each type of delta; an event has a delta's fields and its ``offset``.
FOLD: dict[str, Callable[[State, Json], None]] = {
    "user.registered": _nothing,
    "user.profile_changed": _profile_changed,
    "user.email_changed": _email_changed,
    "user.email_abandoned": _email_abandoned,
    "user.password_changed": _password_changed,
    "user.seen": _seen,
    "user.visual_chosen": _visual_chosen,
    "user.added_by_chosen": _added_by_chosen,
    "user.deactivated": _deactivated,
    "user.reactivated": _reactivated,
    "user.tokens_revoked": _password_changed,
    "user.erased": _erased,
    "user.erasure_noted": _password_changed,
    "user.team_set": _team_set,
    "session.opened": _session_opened,
    "session.renewed": _nothing,
    "session.used": _nothing,
    "session.closed": _nothing,
    "relationship.set": _relationship_set,
    "visual.created": _nothing,
    "visual.changed": _nothing,
    "room.created": _nothing,
    **dict.fromkeys((row.name for row in SETTERS), _room_changed),
    "room.archived": _state_changed("archived"),
    "room.unarchived": _state_changed("active"),
    "room.deleted": _state_changed("deleted"),
    "room.restored": _state_changed("active"),
    "member.invited": _invited,
    "invitation.declined": _uninvited,
    "invitation.withdrawn": _uninvited,
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
