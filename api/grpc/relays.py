"""How this process reaches servers of live channels, its own installation's relays among them."""

from __future__ import annotations

import asyncio
import logging

import grpc.aio

from api.support.channel_servers import Server
from api.support.problems import Problem
from infra.base.settings import Settings
from producers.engine.router import proof
from push.relay.peers import RelayPeer

log = logging.getLogger(__name__)

#: Connections that are kept; of more servers, the one that was asked least recently is left.
KEPT = 64


class Relays:
    """Connections to servers of channels by address, made when they are first asked."""

    def __init__(self, settings: Settings) -> None:
        self._proof = proof(settings)
        self._seconds = settings.channel_call_seconds
        self._peers: dict[str, RelayPeer] = {}

    async def start(self) -> None:
        """Nothing is connected yet."""

    async def stop(self) -> None:
        peers, self._peers = self._peers, {}
        await asyncio.gather(*(peer.close() for peer in peers.values()))

    async def add(self, server: Server, channel: int, name: str, limit: int) -> None:
        """The server serves the channel from now on. Raises Problem ``unavailable``."""
        try:
            await (await self._peer(inner_address(server))).add(channel, name, limit)
        except grpc.aio.AioRpcError as error:
            log.warning("%s does not take channel %d: %s %s", server.id, channel, error.code(), error.details())
            text = f"expected the server {server.id} to take channel {channel}, it did not: {error.code().name}"
            raise Problem("unavailable", text, retry_after=2) from error

    async def drop(self, server: Server, channel: int) -> bool:
        """The channel was deleted: its members are cut off. Returns whether the server was told; no server of others
        is, as S1 has no call for it."""
        address = relay_address(server)
        if not address:
            return False
        try:
            await (await self._peer(address)).drop(channel)
        except grpc.aio.AioRpcError as error:
            log.warning("%s is not told that channel %d was deleted: %s", server.id, channel, error.code())
            return False
        return True

    async def cut(self, address: str, user: str, version: int) -> bool:
        """The user is connected elsewhere by a later listen. Returns whether the server was told."""
        try:
            await (await self._peer(address)).cut(user, version)
        except grpc.aio.AioRpcError as error:
            log.warning("%s is not told that somebody is connected elsewhere: %s", address, error.code())
            return False
        return True

    async def _peer(self, address: str) -> RelayPeer:
        peer = self._peers.pop(address, None) or RelayPeer(address, self._proof, seconds=self._seconds)
        # The one asked last stands at the end.
        self._peers[address] = peer
        if len(self._peers) > KEPT:
            await self._peers.pop(next(iter(self._peers))).close()
        return peer


def relay_address(server: Server) -> str:
    """Where processes of the installation reach one of its relays, which says it in its id, ``...@host:port``; empty of
    a server of others."""
    return server.id.partition("@")[2]


def inner_address(server: Server) -> str:
    """The same, of a server of others where its clients reach it."""
    return relay_address(server) or server.address
