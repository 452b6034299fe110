"""What the page on backups promises: a lost Postgres is made again from Kafka, and nobody notices.
Tests ``docs/howto/back-up.md``."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import aiohttp

from infra.base import postgres
from tests import servers
from tests.parts import Parts

ADA = {"username": "ada", "password": "difference engine"}


async def test_postgres_is_made_again_from_kafka(parts: Parts, tmp_path: Path) -> None:
    async with servers.installation(parts) as settings:
        async with servers.process(settings, servers.ALL, tmp_path / "before") as server:
            await server.ready()
            async with aiohttp.ClientSession(server.url) as http:
                token = (await _post(http, "/v1/users", None, ADA))["token"]
                room = (await _post(http, "/v1/rooms", token, {"type": "public", "name": "Tea"}))["room"]["id"]
                first = await _say(http, token, room, "m1")
            await server.end(signal.SIGTERM)
        await postgres.drop(settings)
        await postgres.install(settings)
        async with servers.process(settings, servers.ALL, tmp_path / "after") as server:
            await server.ready()
            async with aiohttp.ClientSession(server.url) as http:
                # The snapshot waits for the tables; the log-in then finds the user and the hash.
                snapshot = await _get(http, "/v1/sync", token)
                assert [entry["message"] for entry in snapshot["rooms"]] == [first]
                again = (await _post(http, "/v1/sessions", None, ADA))["token"]
                assert await _say(http, again, room, "m1") == first
                assert (await _say(http, again, room, "m2"))["seq"] == 2


async def _say(http: aiohttp.ClientSession, token: str, room: str, name: str) -> Any:
    body = {"token": name, "content": {"text": name}}
    return (await _post(http, f"/v1/rooms/{room}/messages", token, body))["message"]


async def _post(http: aiohttp.ClientSession, path: str, token: str | None, body: Any) -> Any:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with http.post(path, json=body, headers=headers) as response:
        assert response.status == 201, await response.text()
        return await response.json()


async def _get(http: aiohttp.ClientSession, path: str, token: str) -> Any:
    async with http.get(path, headers={"Authorization": f"Bearer {token}"}) as response:
        assert response.status == 200, await response.text()
        return await response.json()
