"""Asking all push nodes about somebody's connections: who they are, the group of owners knows."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import aiohttp
import msgspec
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata

from api.connections import CONNECTIONS_PATH
from infra.base import away
from infra.base.settings import Settings
from producers.engine.assignor import Claim
from producers.engine.router import PROOF_HEADER, proof
from push.delivery.inspection import Connections

#: Seconds that a node has for its answer: one that is there needs some milliseconds.
_SECONDS = 2.0


class NodeAnswer(NamedTuple):
    """What one process said."""

    address: str
    #: None where it has no role push, or did not answer.
    found: Connections | None
    #: Why it did not answer.
    error: str | None = None


async def addresses(admin: AIOKafkaAdminClient, settings: Settings) -> list[str]:
    """``host:port`` of each process with the role api or push: all of them are members of the group of owners."""
    try:
        (answer,) = await admin.describe_consumer_groups([f"{settings.prefix}.owners"])
    except away.KAFKA:
        return []
    found = []
    for _code, _group, _state, _kind, _protocol, members, *_ in answer.groups:
        for _member, _client, _host, metadata, *_ in members:
            try:
                data = ConsumerProtocolMemberMetadata.decode(metadata).user_data
                found.append(msgspec.json.decode(data, type=Claim).owner.address)
            # While a member joins, there is nothing to be read of it yet.
            except (msgspec.DecodeError, ValueError):
                continue
    return sorted(set(found))


async def ask(settings: Settings, nodes: list[str], user: str) -> list[NodeAnswer]:
    """Asks all of them at once."""
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, headers={PROOF_HEADER: proof(settings)}) as http:
        return list(await asyncio.gather(*(_ask(http, address, user) for address in nodes)))


async def _ask(http: aiohttp.ClientSession, address: str, user: str) -> NodeAnswer:
    try:
        async with http.get(f"http://{address}{CONNECTIONS_PATH}", params={"user": user}) as response:
            body = await response.read()
            if response.status == 404:
                return NodeAnswer(address, None)
            if response.status != 200:
                return NodeAnswer(address, None, f"expected 200, got {response.status}")
            return NodeAnswer(address, msgspec.json.decode(body, type=Connections))
    except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError) as error:
        return NodeAnswer(address, None, f"{type(error).__name__}: {error}")
