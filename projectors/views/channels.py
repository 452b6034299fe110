"""Live channels as everybody sees them."""

from __future__ import annotations

from events.channels import Channel, ChannelCounter, ChannelUser, Listening
from events.core.records import Entity
from projectors.views.core import Component, View


def channel_view(channel: Channel) -> View:
    """A live channel; who is in it now, its servers tell."""
    return {
        "id": channel.id,
        "name": channel.name,
        "limit": channel.limit,
        "owner": channel.owner,
        "created": channel.created,
        "version": channel.version,
    }


VIEWS = {"Channel": Component(channel_view, Channel)}

HIDDEN: dict[type[Entity], str] = {
    ChannelUser: "a number is shown with whoever is in a channel, and in the answer to a listen",
    ChannelCounter: "what is given out next is nobody's business",
    Listening: "where somebody listens, the channel shows",
}
