"""``docs/reference/events.md``: every event type, its fields, where it stands, and who hears of it."""

from __future__ import annotations

from events import REGISTRY
from events.records import EventType
from infra.generate import contracts
from infra.generate.reference.markdown import code, codes, page, table
from infra.generate.reference.types import words
from infra.generate.shapes import Schema
from projectors.audience import AUDIENCES, CONTACTS, MEMBERS, NOBODY, SELF

_COMMON = (
    (NOBODY, "nobody"),
    (SELF, "the user"),
    (MEMBERS, "the room's members"),
    (CONTACTS, "the user and their contacts"),
)
#: Who hears of an event whose audience is a row of its own.
_SPECIAL = {
    "user.registered": "the user",
    "user.profile_changed": "the user and their contacts",
    "user.password_changed": "the user, without its fields",
    "relationship.set": "the user; the other too, of friendship only: a block looks like nothing",
    "member.joined": "the room's members, the new one with the room itself",
    "member.invited": "who is invited, with the invitation and the profile of who invites; and who invites",
    "invitation.declined": "who was invited, and who invited",
    "invitation.withdrawn": "who was invited, and who invited",
    "member.left": "the room's members, the one who left included",
    "member.read": "the room's members; in a room of more than 50 the reader only",
    "member.notifications_set": "the member",
    "room.restored": "the room's members, with the room and its last message",
    "message.restored": "the room's members; what the message holds comes along as `restored`",
    "message.emotion_detected": "the room's members, without the emotion where it is not shown",
}

_INTRO = """\
A record's value is a CloudEvents 1.0 envelope as JSON ([schema](../../schemas/envelope.json)); its `data` is one of the
events below. Fields may be added: ignore what you do not know. Nothing is ever removed or given another meaning; what
changes more than that gets a new version, named in `dataschema`, and old records stay as they are.
"""


def page_text() -> str:
    """The page."""
    rows = REGISTRY.events.values()
    listing = table(
        ("event", "topic", "what happened"),
        ((f"[`{row.name}`](#{anchor(row.name)})", codes(row.topics), row.about) for row in rows),
    )
    return page("Events", _INTRO, listing, "## The envelope", fields(contracts.envelope()), *map(_event, rows))


def anchor(name: str) -> str:
    """The anchor of a heading."""
    return "".join(sign for sign in name if sign.isalnum() or sign in "_-")


def _event(row: EventType) -> str:
    schema = contracts.event(row)
    links = f"[schema](../../{contracts.schema_path(row)}), [golden record](../../{contracts.golden_path(row)})"
    about = f"{row.about} Version {row.version}: {links}. Heard by: {_audience(row.name)}."
    return f"## {row.name}\n\n{about}\n\n{fields(schema) or 'No fields.'}"


def _audience(name: str) -> str:
    audience = AUDIENCES[name]
    return next((text for known, text in _COMMON if audience == known), None) or _SPECIAL[name]


def fields(schema: Schema) -> str:
    """The table of an object's members."""
    required = schema.get("required", ())
    return table(
        ("field", "type", "meaning"),
        (
            (code(name), words(one) + ("" if name in required else ", optional"), one.get("description", ""))
            for name, one in schema.get("properties", {}).items()
        ),
    )
