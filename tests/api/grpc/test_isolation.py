"""Over gRPC, too, other applications have no live channels, and nobody logs in who is of another one. Tests
``api/grpc/channels.py`` and ``api/grpc/users.py``."""

from __future__ import annotations

import secrets
from typing import Any

from infra.base.settings import Settings
from push.relay.core_service_pb2 import (
    DESCRIPTOR,
    Channel,
    LoginRequest,
    RegisterRequest,
    ReportRequest,
)
from tests.api.applications import made, person
from tests.api.conftest import minted
from tests.api.grpc.clients import Client
from tests.api.test_isolation import Side
from tests.api.test_isolation_cursors import PASSWORD, registered
from tests.client import World


def asked(name: str, id: int) -> Any:
    """What a method of channels is asked about one of them."""
    if name == "Report":
        return ReportRequest(channels=[Channel(id=id)])
    return Channel(name="Raid", limit=5) if name == "Create" else Channel(id=id)


async def test_no_method_of_channels_is_there_for_another_application(
    rpc: Client, world: World, installed: Settings
) -> None:
    ada, app = await world.person("ada"), await made(world, minted(installed))
    there = (await ada.do("channels.create", name="Raid", limit=5))["channel"]["id"]
    caller = await person(world, app, "caller", "http")
    for method in DESCRIPTOR.services_by_name["ChannelService"].methods:
        # Who acts for nobody is told so, whatever is asked for; only services report.
        of_server = "PERMISSION_DENIED" if method.name == "Report" else "INVALID_ARGUMENT"
        for token, status in ((caller.token, "PERMISSION_DENIED"), (app.server, of_server)):
            one, none = [
                await rpc.refused(f"ChannelService/{method.name}", asked(method.name, id), token)
                for id in (there, 4_000_000_000)
            ]
            assert one == none and one.status == status, (method.name, one, none)


async def test_nobody_logs_in_who_is_of_another_application(rpc: Client, world: World, installed: Settings) -> None:
    operator = minted(installed)
    ada = await registered(world, operator, Side(await made(world, operator)), "ada")
    nobody = f"ada-{secrets.token_hex(5)}"
    one, none = [
        await rpc.refused("UserService/Login", LoginRequest(user_id=name, password=PASSWORD))
        for name in (ada.username, nobody)
    ]
    assert one == none and one.status == "UNAUTHENTICATED"
    # The name is free here.
    await rpc("UserService/Register", RegisterRequest(user_id=ada.username, password=PASSWORD))
    token = (await rpc("UserService/Login", LoginRequest(user_id=ada.username, password=PASSWORD))).token
    assert (await world.call("users.me", {}, token=token))["user"]["id"] != ada.id
