"""How much a relay takes, as its installation is set."""

from __future__ import annotations

from infra.base.settings import Settings, SettingsError
from push.relay.core.limits import RelayLimits

#: The setting of each limit that has one.
LIMITS = {
    "channels": "channel_server_channels",
    "members": "channel_server_members",
    "frame_bytes": "channel_frame_bytes",
    "queue_frames": "channel_queue_frames",
    "queue_bytes": "channel_queue_bytes",
    "frames_second": "channel_frames_second",
    "bytes_second": "channel_bytes_second",
    "ticket_seconds": "channel_token_seconds",
}


def relay_limits(settings: Settings) -> RelayLimits:
    """The limits. Raises SettingsError, by the variable, for one that is too low or cannot hold beside another."""
    try:
        return RelayLimits(**{limit: getattr(settings, name) for limit, name in LIMITS.items()})
    except ValueError as error:
        limit, _, said = str(error).partition(": ")
        raise SettingsError(f"KLATSCH_{LIMITS[limit].upper()}: {said}") from error
