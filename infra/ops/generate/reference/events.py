"""``docs/reference/events.md``: every event type, its fields, where it stands, and who receives it."""

from __future__ import annotations

from events.core.records import EventType
from events.registry import REGISTRY
from infra.ops.generate import contracts
from infra.ops.generate.reference.markdown import code, codes, page, table
from infra.ops.generate.reference.types import words
from infra.ops.generate.shapes import Schema
from projectors.audience import AUDIENCES

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
    sets = f" Sets the room's {codes(row.sets)}." if row.sets else ""
    about = f"{row.about}{sets} Version {row.version}: {links}. Received by: {AUDIENCES[row.name].whom}."
    return f"## {row.name}\n\n{about}\n\n{fields(schema) or 'No fields.'}"


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
