"""Pins as the room's members see them."""

from __future__ import annotations

from events.pins import Pin
from projectors.views.core import Component, View


def pin_view(pin: Pin) -> View:
    """Who pinned a message, and when."""
    return {
        "room": pin.room,
        "message": pin.message,
        "by": pin.by,
        "pinned": pin.pinned,
        "version": pin.version,
    }


VIEWS = {"Pin": Component(pin_view, Pin)}
