"""Visual characters: those who receive the user's profile changes receive them."""

from __future__ import annotations

from projectors.audience.core import CONTACTS, Audience

AUDIENCES: dict[str, Audience] = {
    "visual.created": CONTACTS,
    "visual.changed": CONTACTS,
}
