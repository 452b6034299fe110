"""Messages as the room's members see them, and what they held before."""

from __future__ import annotations

from events.messages import Message, Revision
from projectors.views.core import Component, View


def message_view(message: Message) -> View:
    """A message as the room's members see it. Of a deleted one only its place and author are left."""
    return {
        "id": message.id,
        "room": message.room,
        "seq": message.seq,
        "author": message.author,
        "token": message.token,
        "type": message.type,
        "content": {} if message.deleted else message.content,
        "data": {} if message.deleted else dict(message.data),
        "created": message.created,
        "updated": message.updated,
        "edited": message.edited,
        "deleted": message.deleted,
        "revision": message.revision,
        "version": message.version,
    }


def revision_view(revision: Revision) -> View:
    """What a message held before an edit."""
    return {
        "number": revision.number,
        "content": revision.content,
        "data": dict(revision.data),
        "created": revision.created,
    }


VIEWS = {"Message": Component(message_view, Message), "Revision": Component(revision_view, Revision)}
