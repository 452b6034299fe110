"""Tickets for tests of the pure core."""

from __future__ import annotations

from push.relay.core.tickets import ChannelTicket


def ticket(user: int = 1, version: int = 1, channel: int = 1, timestamp: float = 1000.0) -> ChannelTicket:
    """Of the user with this number; its id is of its user and version."""
    return ChannelTicket(
        f"user-{user}",
        f"name{user}",
        user,
        channel,
        "here",
        "",
        version,
        f"{user}:{version}",
        timestamp,
        f"session-{user}",
    )
