"""Ids that follow from a name of somebody else's (RFC 9562 5.5): the same name gives the same id, so that nobody has to
claim it first."""

from __future__ import annotations

import re
from uuid import UUID, uuid5

#: The application in which everything stands that names no other.
DEFAULT_APP = "default"
_OURS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: Namespace of these ids.
_OUTSIDE = UUID("5f0f6c0e-6f0c-5c53-9a3b-3d0c2f2a7c19")


def derived_id(app: str, kind: str, external: str) -> str:
    """The id of what an application knows as ``external``, of a kind (``user``, ``room``): a UUIDv5.

    ``app`` and ``kind`` hold no slash, so two applications never mean the same.
    """
    return str(uuid5(_OUTSIDE, f"{app}/{kind}/{external}"))


def named_room(app: str, room: str) -> str:
    """The id of a room that an application calls so. An id of ours names itself, and so do names in the default
    application, whose rooms had them as ids before there were others."""
    return room if app == DEFAULT_APP or _OURS.fullmatch(room) else derived_id(app, "room", room)
