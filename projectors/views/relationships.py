"""Relationships, from the one side and from the other."""

from __future__ import annotations

from events.relationships import Relationship
from projectors.views.core import Component, View


def relationship_view(relationship: Relationship) -> View:
    """What ``user`` is to ``other``, as ``user`` sees it."""
    return {
        "user": relationship.user,
        "other": relationship.other,
        "type": relationship.type,
        "created": relationship.created,
        "updated": relationship.updated,
        "version": relationship.version,
    }


def incoming_relationship_view(relationship: Relationship) -> View | None:
    """The same as ``other`` sees it: friend, or None; a block looks like nothing."""
    return relationship_view(relationship) if relationship.type == "friend" else None


VIEWS = {"Relationship": Component(relationship_view, Relationship)}
