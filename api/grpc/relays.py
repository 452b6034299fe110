"""How this process reaches servers of live channels, its own installation's relays among them."""

from __future__ import annotations

import asyncio
import logging

import grpc
import grpc.aio

from api.grpc.certificates import PeerTls, peer_tls
from api.support.channel_servers import Server
from api.support.problems import Problem
from infra.base.settings import Settings
from producers.engine.router import proof
from push.relay.peers import RelayPeer

log = logging.getLogger(__name__)

#: Connections that are kept; of more servers, the one that was asked least recently is left.
KEPT = 64


#: What is likely to be wrong, for who reads the log.
_HINTS = {
    grpc.StatusCode.PERMISSION_DENIED: " (has it the installation's KLATSCH_SECRET?)",
    grpc.StatusCode.UNAVAILABLE: " (do its KLATSCH_ADVERTISE and port lead to it, and is TLS on at both or neither?)",
}


class Relays:
    """Connections to servers of channels by address, made when they are first asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tls: PeerTls | None = None
        self._peers: dict[tuple[str, bool], RelayPeer] = {}

    async def start(self) -> None:
        """Nothing is connected yet. Raises SettingsError for a certificate that is none."""
        self._tls = peer_tls(self._settings)

    async def stop(self) -> None:
        peers, self._peers = self._peers, {}
        await asyncio.gather(*(peer.close() for peer in peers.values()))

    async def add(self, server: Server, channel: int, name: str, limit: int) -> None:
        """The server serves the channel from now on. Raises Problem ``unavailable``."""
        try:
            await (await self._of(server)).add(channel, name, limit)
        except grpc.aio.AioRpcError as error:
            log.warning(
                "%s does not take channel %d, and is asked last for a while: %s %s%s", server.id, channel,
                error.code().name, error.details(), _HINTS.get(error.code(), ""),
            )  # fmt: skip
            text = f"expected a server to take channel {channel}, the one that was asked did not; listen again"
            raise Problem("unavailable", text, retry_after=2) from error

    async def drop(self, server: Server, channel: int) -> bool:
        """The channel was deleted: its members are cut off. Returns whether the server was told; no server of others
        is, as S1 has no call for it."""
        if not relay_address(server):
            return False
        try:
            await (await self._of(server)).drop(channel)
        except grpc.aio.AioRpcError as error:
            log.warning("%s is not told that channel %d was deleted: %s", server.id, channel, error.code())
            return False
        return True

    async def cut(self, address: str, user: str, version: int) -> bool:
        """The user is connected elsewhere by a later listen. Returns whether the server was told."""
        try:
            await (await self._peer(address, True)).cut(user, version)
        except grpc.aio.AioRpcError as error:
            log.warning("%s is not told that somebody is connected elsewhere: %s", address, error.code())
            return False
        return True

    async def _of(self, server: Server) -> RelayPeer:
        own = relay_address(server)
        return await self._peer(own or server.address, bool(own))

    async def _peer(self, address: str, own: bool) -> RelayPeer:
        """``own``: whether it is a relay of the installation. A server of others is called without TLS, and does not
        learn the proof of the installation's processes."""
        peer = self._peers.pop((address, own), None) or self._made(address, own)
        # The one asked last stands at the end.
        self._peers[address, own] = peer
        if len(self._peers) > KEPT:
            await self._peers.pop(next(iter(self._peers))).close()
        return peer

    def _made(self, address: str, own: bool) -> RelayPeer:
        seconds = self._settings.channel_call_seconds
        if not own:
            return RelayPeer(address, "", seconds=seconds)
        if self._tls is None:
            return RelayPeer(address, proof(self._settings), seconds=seconds)
        return RelayPeer(
            address, proof(self._settings), seconds=seconds, credentials=self._tls.credentials, name=self._tls.name
        )


def relay_address(server: Server) -> str:
    """Where processes of the installation reach one of its relays, which says it in its id, ``...@host:port``; empty of
    a server of others."""
    return server.id.partition("@")[2]
