"""TLS of gRPC: with what a process serves it, and by what it knows the relays of others."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import grpc

from infra.base.settings import Settings, SettingsError


class PeerTls(NamedTuple):
    """How other relays are called where they serve over TLS."""

    credentials: grpc.ChannelCredentials
    #: The name that their certificates must have; empty: the host at which they are called.
    name: str


def server_credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """Of the certificate, which is read once; None without one. Raises SettingsError."""
    if not settings.grpc_certificate and not settings.grpc_key:
        return None
    certificate, key = _read(settings, "grpc_certificate"), _read(settings, "grpc_key")
    return grpc.ssl_server_credentials([(key, certificate)])


def peer_tls(settings: Settings) -> PeerTls | None:
    """None where neither a certificate nor an authority is set: then relays serve without TLS. Raises SettingsError."""
    if not settings.grpc_certificate and not settings.grpc_authority:
        return None
    # Any certificate may be a root, also one that somebody else has signed: then it alone is good.
    roots = _read(settings, "grpc_authority" if settings.grpc_authority else "grpc_certificate")
    return PeerTls(grpc.ssl_channel_credentials(roots), settings.grpc_name)


def _read(settings: Settings, field: str) -> bytes:
    variable, name = f"KLATSCH_{field.upper()}", getattr(settings, field)
    if not name:
        raise SettingsError(f"{variable}: expected a file (PEM), as certificate and key belong together, got none")
    try:
        content = Path(name).read_bytes()
    except OSError as error:
        raise SettingsError(f"{variable}: expected a file (PEM) that can be read, got {error}") from error
    # gRPC takes anything, and lets nobody in.
    if b"-----BEGIN " not in content:
        raise SettingsError(f"{variable}: expected PEM, got {len(content)} bytes of something else in {name}")
    return content
