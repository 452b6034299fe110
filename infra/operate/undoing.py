"""What takes an event back: the one table, event type -> the fields that it sets, or why nothing does. Pure."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from events.free import same
from events.records import Entity, Key, Record
from events.rooms import Room
from producers.restore import SetBack, SetBackInRoom, SetBackOfUser, fields_of, key_of

Kind = Literal["room", "member", "invitation", "message", "user", "relationship", "visual"]


class Back(NamedTuple):
    """An event whose effect is on some fields of one entity."""

    kind: Kind
    fields: tuple[str, ...]
    #: Field of the event's data that names the entity; empty: the stream does.
    id: str = ""


class Stays(NamedTuple):
    """An event that is not taken back."""

    because: str


_PROOF = "it proves who somebody is"
_CLAIM = "the name or address may be another's by now"
_ASKED = "whoever may can invite again"
_WHERE = "it only says how far somebody has read, or been here"

UNDOING: dict[str, Back | Stays] = {
    "log.opened": Stays("it is the log's own"),
    "key.used": Stays("it changed nothing"),
    "handle.claimed": Stays(_CLAIM),
    "handle.confirmed": Stays(_CLAIM),
    "handle.released": Stays(_CLAIM),
    "user.registered": Stays("users stay; what they did is taken back"),
    "user.registration_abandoned": Stays(_CLAIM),
    "user.profile_changed": Back("user", ("name", "data")),
    "user.email_changed": Stays(_CLAIM),
    "user.email_abandoned": Stays(_CLAIM),
    "user.password_changed": Stays(_PROOF),
    "user.seen": Stays(_WHERE),
    "user.visual_chosen": Back("user", ("visual",)),
    "user.added_by_chosen": Back("user", ("added_by",)),
    "session.opened": Stays(_PROOF),
    "session.renewed": Stays(_PROOF),
    "session.closed": Stays(_PROOF),
    "relationship.set": Back("relationship", ("type",), "other"),
    "visual.created": Stays("nobody sees a visual that nobody links"),
    "visual.changed": Back("visual", ("model_data", "emotion_data"), "visual"),
    "room.created": Back("room", ("state",)),
    "room.renamed": Back("room", ("name",)),
    "room.described": Back("room", ("description",)),
    "room.settings_changed": Back("room", ("settings",)),
    "room.data_changed": Back("room", ("data",)),
    "room.archived": Back("room", ("state",)),
    "room.unarchived": Back("room", ("state",)),
    "room.deleted": Back("room", ("state",)),
    "room.restored": Back("room", ("state",)),
    "member.joined": Back("member", ("state",), "user"),
    "member.left": Back("member", ("state", "role"), "user"),
    "member.role_changed": Back("member", ("role",), "user"),
    "member.read": Stays(_WHERE),
    "member.notifications_set": Back("member", ("notifications",), "user"),
    "member.invited": Back("invitation", ("state",), "user"),
    "invitation.declined": Stays(_ASKED),
    "invitation.withdrawn": Stays(_ASKED),
    "message.posted": Back("message", ("deleted",), "message"),
    "message.edited": Back("message", ("content", "data"), "message"),
    "message.deleted": Back("message", ("deleted",), "message"),
    "message.restored": Back("message", ("deleted",), "message"),
    "message.emotion_detected": Stays("a service found it out, and does so again"),
}


def entity_of(record: Record) -> Key | None:
    """The entity that the event is about; None where it is not taken back."""
    row = UNDOING[record.type]
    return None if isinstance(row, Stays) else key_of(_command(record, row, {}, {}))


def set_back(record: Record, before: Entity | None, after: Entity | None) -> SetBack | str:
    """The command that takes the event back, or why there is none; from its entity just before and after it."""
    row = UNDOING[record.type]
    if isinstance(row, Stays):
        return row.because
    if isinstance(after, Room) and record.type == "room.created" and after.type == "direct":
        return "the same two always get the same direct room"
    old, new = fields_of(before, row.kind), fields_of(after, row.kind)
    changed = [name for name in row.fields if name in old and not same(old[name], new.get(name))]
    if not changed:
        return "it changed nothing"
    return _command(record, row, {name: old[name] for name in changed}, {name: new[name] for name in changed})


def _command(record: Record, row: Back, was: dict[str, Any], became: dict[str, Any]) -> SetBack:
    id = str(getattr(record.data, row.id)) if row.id else record.stream
    if row.kind in ("room", "member", "invitation", "message"):
        return SetBackInRoom(room=record.stream, kind=row.kind, id=id, was=was, became=became)
    return SetBackOfUser(user=record.stream, kind=row.kind, id=id, was=was, became=became)  # type: ignore[arg-type]
