"""Limits of a relay as they are set. Tests ``api/grpc/relay_limits.py``."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from api.grpc.relay_limits import LIMITS, relay_limits
from infra.base.settings import Settings, SettingsError, load
from infra.embedded.ports import free_port
from push.relay.core.limits import RelayLimits
from tests.api.grpc.clients import client
from tests.api.grpc.test_channels import account, connect
from tests.parts import Parts
from tests.servers import ALL, installation, serving


def test_unless_they_are_set_they_are_the_relay_s_own() -> None:
    assert relay_limits(Settings()) == RelayLimits()
    assert relay_limits(load({"KLATSCH_CHANNEL_QUEUE_FRAMES": "7"})) == RelayLimits(queue_frames=7)
    # Each by its own: no two are mixed up.
    changed = {name: getattr(Settings(), name) + n for n, name in enumerate(LIMITS.values(), 1)}
    found = relay_limits(replace(Settings(), **changed))
    assert {name: getattr(found, limit) for limit, name in LIMITS.items()} == changed


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("channel_server_members", 0, "KLATSCH_CHANNEL_SERVER_MEMBERS: expected 1 or more, got 0"),
        ("channel_frame_bytes", 5_000_000, "KLATSCH_CHANNEL_FRAME_BYTES: expected at most 4194282, got 5000000"),
        ("channel_queue_bytes", 10, "KLATSCH_CHANNEL_QUEUE_BYTES: expected 65558 or more, the largest frame, got 10"),
        ("channel_token_seconds", 0.0, "KLATSCH_CHANNEL_TOKEN_SECONDS: expected more than 0, got 0.0"),
    ],
    ids=["members", "frame_bytes", "queue_bytes", "token_seconds"],
)
def test_what_cannot_hold_is_said_by_its_variable(name: str, value: float, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        relay_limits(replace(Settings(), **{name: value}))


async def test_a_relay_takes_what_is_set(parts: Parts) -> None:
    async with installation(parts) as settings:
        own = replace(settings, grpc_port=free_port(), channel_frame_bytes=10)
        async with serving(own, ALL | {"relay"}), client(own.grpc_address) as rpc:
            ada = await account(rpc, "ada")
            member = await connect(*await ada.listen((await ada.channel()).id))
            await member.say(b"x" * 11)
            large = await member.ended()
            assert (large.status, large.reason) == ("INVALID_ARGUMENT", "FRAME_TOO_LARGE")
            assert large.message == "data: expected at most 10 bytes, got 11"
