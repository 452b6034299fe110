"""Certificates of gRPC, and who is called with which. Tests ``api/grpc/certificates.py`` and ``api/grpc/relays.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import trustme
from google.protobuf.empty_pb2 import Empty
from msgspec.structs import replace

from api.grpc.certificates import peer_tls, server_credentials
from api.grpc.relays import Relays
from api.support.channel_servers import Server
from api.support.problems import Problem
from infra.base.settings import Settings, SettingsError
from producers.engine.router import proof
from push.relay.guard import PROOF_METADATA
from tests.api.grpc.certified import self_signed

SETTINGS = Settings(secret="ab" * 32, channel_call_seconds=30.0)
NAME = "chat.example.org"


class Asked:
    """A server that takes channels, and notes with which proof it is asked."""

    def __init__(self) -> None:
        self.proofs: list[list[Any]] = []
        self.port = 0

    async def add(self, _: bytes, context: Any) -> Empty:
        self.proofs.append([value for key, value in context.invocation_metadata() if key == PROOF_METADATA])
        return Empty()


@asynccontextmanager
async def asked(settings: Settings = SETTINGS) -> AsyncIterator[Asked]:
    found, server = Asked(), grpc.aio.server()
    method: Any = grpc.unary_unary_rpc_method_handler(found.add, response_serializer=Empty.SerializeToString)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("ChatService", {"Add": method}),))
    credentials = server_credentials(settings)
    if credentials is None:
        found.port = server.add_insecure_port("127.0.0.1:0")
    else:
        found.port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    try:
        yield found
    finally:
        await server.stop(None)


async def add(settings: Settings, id: str, address: str) -> bool:
    """Whether a server takes a channel."""
    relays = Relays(settings)
    await relays.start()
    try:
        await relays.add(Server(id, address, "", "one"), 7, "seven", 3)
    except Problem as problem:
        if problem.code != "unavailable":
            raise
        return False
    finally:
        await relays.stop()
    return True


async def test_a_server_of_others_does_not_learn_the_proof() -> None:
    async with asked() as server:
        address = f"127.0.0.1:{server.port}"
        assert await add(SETTINGS, "019aa000-0000-7000-8000-0000000000ff", address)
        assert await add(SETTINGS, f"0a1b2c3d@{address}", "elsewhere.example.org:1")
    assert server.proofs == [[], [proof(SETTINGS)]]


async def test_a_certificate_that_is_signed_by_itself_is_known_by_itself(tmp_path: Path) -> None:
    settings = self_signed(SETTINGS, tmp_path, NAME)
    async with asked(settings) as server:
        id = f"0a1b2c3d@127.0.0.1:{server.port}"
        assert await add(replace(settings, grpc_name=NAME), id, "")
        assert not await add(settings, id, ""), "the name is not that of the address"
        assert not await add(replace(settings, grpc_name="other.example.org"), id, "")
        assert not await add(SETTINGS, id, ""), "without TLS"
        (tmp_path / "other").mkdir()
        other = self_signed(SETTINGS, tmp_path / "other", NAME)
        assert not await add(replace(other, grpc_name=NAME), id, ""), "of the same name, and another"
    assert server.proofs == [[proof(SETTINGS)]]


async def test_a_process_without_a_certificate_knows_the_authority(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    certificate, key, root = (tmp_path / name for name in ("one.pem", "one.key", "root.pem"))
    certificate.write_bytes(issued.cert_chain_pems[0].bytes())
    issued.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(root)
    settings = replace(SETTINGS, grpc_certificate=str(certificate), grpc_key=str(key))
    async with asked(settings) as server:
        id = f"0a1b2c3d@127.0.0.1:{server.port}"
        assert await add(replace(SETTINGS, grpc_authority=str(root)), id, "")
        # One that somebody else has signed is known by itself, too.
        assert await add(settings, id, "")


def test_without_a_certificate_there_is_no_tls() -> None:
    assert server_credentials(SETTINGS) is None and peer_tls(SETTINGS) is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"grpc_certificate": "{file}"}, "KLATSCH_GRPC_CERTIFICATE: expected PEM, got 5 bytes"),
        ({"grpc_certificate": "{pem}"}, "KLATSCH_GRPC_KEY: expected a file"),
        ({"grpc_key": "{file}"}, "KLATSCH_GRPC_CERTIFICATE: expected a file"),
        ({"grpc_certificate": "{pem}", "grpc_key": "{missing}"}, "KLATSCH_GRPC_KEY: expected a file .* No such file"),
        ({"grpc_certificate": "{pem}", "grpc_key": "{file}"}, "KLATSCH_GRPC_KEY: expected PEM, got 5 bytes"),
    ],
    ids=["no_pem", "no_key", "no_certificate", "missing", "key_no_pem"],
)
def test_what_is_no_certificate_is_said_by_its_variable(tmp_path: Path, fields: dict[str, str], said: str) -> None:
    (tmp_path / "file").write_text("hello")
    self_signed(SETTINGS, tmp_path, "pem")
    places = {"file": tmp_path / "file", "missing": tmp_path / "no", "pem": tmp_path / "pem.pem"}
    named = {name: value.format_map(places) for name, value in fields.items()}
    with pytest.raises(SettingsError, match=said):
        server_credentials(replace(SETTINGS, **named))


def test_an_authority_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="KLATSCH_GRPC_AUTHORITY: expected a file"):
        peer_tls(replace(SETTINGS, grpc_authority=str(tmp_path / "no")))
