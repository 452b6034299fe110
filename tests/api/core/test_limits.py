"""Limits of calls: every operation over every transport is counted, by whom, what an answer says, and who is not."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, get_args
from uuid import uuid4

import aiohttp
import msgspec
import pytest

from api.core.limits import LimitName, Limits
from api.support.address import client_address
from events.core.clock import uuid7
from infra.base.settings import Settings
from tests.api.conftest import minted
from tests.client import OPERATIONS, Answer, World, visiting
from tests.parts import Parts
from tests.servers import installation, serving

#: Of each limit, so that a walk meets all of them.
MOST = 3
STRICT = {f"limit_{name}": f"{MOST}/3600" for name in get_args(LimitName)}
LIMITED = [name for name, row in OPERATIONS.items() if row.permission != "operator"]
OVER_HTTP = [name for name in LIMITED if not OPERATIONS[name].only_rpc]
WITH_TOKEN = [name for name in LIMITED if OPERATIONS[name].permission != "anyone"]


@pytest.fixture(scope="module")
async def strict(parts: Parts) -> AsyncIterator[Settings]:
    async with installation(parts) as made:
        yield msgspec.structs.replace(made, **STRICT)


@pytest.fixture(scope="module")
async def narrow(strict: Settings) -> AsyncIterator[World]:
    """A client of an installation in which everything may be done three times an hour."""
    async with serving(strict) as url, visiting(url) as world:
        yield world


def somebody(settings: Settings, role: str = "person") -> str:
    """A good token of a user whom nobody knows: counted as anybody's."""
    return minted(settings, user=str(uuid4()), session=uuid7(), role=role)


def token_for(settings: Settings, name: str) -> str:
    return somebody(settings, "service" if OPERATIONS[name].permission == "service" else "person")


async def ask(world: World, name: str, token: str | None, **params: str) -> Answer:
    """The operation with whatever fits its path; what it comes to does not matter."""
    operation = OPERATIONS[name]
    path = re.sub(r"\{[a-z]+\}", "nothing", operation.path)
    body = None if operation.method in ("GET", "DELETE") else b"{}"
    return await world.request(operation.method, path, token=token, body=body, params=params or None)


def left(headers: Mapping[str, str], limit: str, most: int = MOST) -> int:
    """What the headers say is left of a limit."""
    own, *app = headers["RateLimit-Policy"].split(", ")
    assert own == f'"{limit}";q={most};w=3600' and app in ([], ['"app";q=600000;w=60'])
    own, *others = headers["RateLimit"].split(", ")
    found = re.fullmatch(rf'"{limit}";r=(\d+);t=(\d+)', own)
    assert found is not None and 0 < int(found[2]) <= 3600, headers["RateLimit"]
    assert len(others) == len(app) and all(re.fullmatch(r'"app";r=\d+;t=\d+', one) for one in others)
    return int(found[1])


def test_there_are_operations_to_walk() -> None:
    assert len(LIMITED) > 40 and {OPERATIONS[name].counts_as for name in LIMITED} >= {
        "send", "write", "create", "relate", "read", "heavy", "register", "log_in",
    }  # fmt: skip


@pytest.mark.parametrize("name", [name for name in WITH_TOKEN if name in OVER_HTTP])
async def test_every_operation_counts_over_http_and_says_so(narrow: World, strict: Settings, name: str) -> None:
    token, limit = token_for(strict, name), OPERATIONS[name].counts_as
    for n in range(MOST):
        answer = await ask(narrow, name, token)
        assert answer.status != 429 and left(answer.headers, limit) == MOST - 1 - n
    answer = await ask(narrow, name, token)
    assert answer.status == 429 and left(answer.headers, limit) == 0
    refusal = answer.refusal()
    assert refusal.code == "rate_limited" and refusal.problem["limit"] == limit
    assert f"at most {MOST}" in refusal.problem["detail"] and f"KLATSCH_LIMIT_{limit.upper()}" in str(refusal.problem)
    assert 1000 < int(answer.headers["Retry-After"]) == refusal.problem["retry_after"] <= 1200
    # Another account is not concerned.
    assert (await ask(narrow, name, token_for(strict, name))).status != 429


def told_over_rpc(reply: dict[str, Any], limit: str) -> None:
    """The refusal of a reply says what the headers of an answer over HTTP do: it has no others."""
    error = reply["error"]
    problem = error["problem"]
    assert error["code"] == 111 and problem["type"] == "urn:klatsch:problem:rate_limited"
    assert (problem["status"], problem["limit"], problem["most"], problem["used"]) == (429, limit, MOST, MOST)
    assert 1000 < problem["retry_after"] <= 1200 and 2400 < problem["reset"] <= 3600


@pytest.mark.parametrize("name", WITH_TOKEN)
async def test_every_operation_counts_over_rpc(narrow: World, strict: Settings, name: str) -> None:
    socket = await narrow.socket(token_for(strict, name))
    for n in range(MOST + 1):
        reply = await socket.command("rpc", {"method": name, "data": {}})
        assert (reply.get("error", {}).get("code") == 111) == (n == MOST), reply
    told_over_rpc(reply, OPERATIONS[name].counts_as)
    await socket.close()


async def test_transports_share_what_is_left(narrow: World, strict: Settings) -> None:
    token = somebody(strict)
    socket = await narrow.socket(token)
    await socket.command("rpc", {"method": "rooms.find", "data": {}})
    assert left((await ask(narrow, "rooms.find", token)).headers, "read") == MOST - 2
    await socket.command("rpc", {"method": "users.me", "data": {}})
    assert (await ask(narrow, "rooms.get", token)).status == 429
    # Another limit is another matter.
    assert (await ask(narrow, "messages.search", token)).status == 422


async def test_the_past_counts_as_heavy(narrow: World, strict: Settings) -> None:
    token = somebody(strict)
    assert left((await ask(narrow, "rooms.find", token, as_of="2026-01-01T00:00:00Z")).headers, "heavy") == MOST - 1
    socket = await narrow.socket(token)
    for _ in range(MOST - 1):
        await socket.command("rpc", {"method": "rooms.find", "data": {"as_of": "2026-01-01T00:00:00Z"}})
    assert (await ask(narrow, "rooms.find", token, as_of="2026-01-01T00:00:00Z")).status == 429
    assert (await ask(narrow, "rooms.find", token)).status == 200


@pytest.mark.parametrize("name", [name for name in WITH_TOKEN if name in OVER_HTTP])
async def test_every_operation_says_so_to_who_has_no_token(narrow: World, name: str) -> None:
    async with visiting(narrow.url, f"127.0.2.{WITH_TOKEN.index(name) + 1}") as world:
        answer = await ask(world, name, None)
        assert answer.status == 401 and left(answer.headers, OPERATIONS[name].counts_as) == MOST - 1


async def test_answers_of_every_kind_say_so(narrow: World, strict: Settings) -> None:
    name = f"kinds-{uuid4().hex[:8]}"
    welcome = await narrow.call("users.register", {"username": name, "password": "correct horse"}, token=minted(strict))
    token, found = welcome["token"], list[int]()
    # Each limit has room for three.
    for method, path, body, limit, more in (
        ("GET", "/v1/users/me", None, "read", {}),
        ("GET", "/v1/rooms/nothing", None, "read", {}),
        ("GET", "/v1/rooms?limit=0", None, "read", {}),
        ("GET", "/v1/rooms", None, "read", {}),
        ("POST", "/v1/rooms", b'{"type":"private","name":"Den"}', "create", {}),
        ("POST", "/v1/rooms", b"{", "create", {}),
        ("POST", "/v1/rooms", b" " * 200_000 + b"{}", "create", {}),
        ("PUT", "/v1/users/me/password", b'{"current":"wrong","password":"battery staple"}', "write", {}),
        ("PATCH", "/v1/users/me", b'{"name":"Grace"}', "write", {"Idempotency-Key": "no key"}),
        ("DELETE", "/v1/sessions/current", None, "write", {}),
    ):
        answer = await narrow.request(method, path, token=token, body=body, headers=more)
        found.append(answer.status)
        assert left(answer.headers, limit) >= 0 and ("Retry-After" in answer.headers) == (answer.status == 429)
    assert found == [200, 404, 422, 429, 201, 400, 413, 403, 422, 204]


@pytest.mark.parametrize("token", [None, "garbage", ""])
async def test_without_a_good_token_the_address_counts(narrow: World, strict: Settings, token: str | None) -> None:
    """Loopback has more than one address; each test of this kind takes its own."""
    address = {None: "127.0.0.31", "garbage": "127.0.0.32", "": "127.0.0.33"}[token]
    async with visiting(narrow.url, address) as world:
        for n in range(MOST):
            answer = await ask(world, "users.me", token)
            assert answer.status == 401 and left(answer.headers, "read") == MOST - 1 - n
        assert (await ask(world, "rooms.get", token)).refusal().code == "rate_limited"
        # Who has a token is not counted with them.
        assert (await ask(world, "users.me", somebody(strict))).status != 429


@pytest.mark.parametrize(("name", "limit"), [("users.register", "register"), ("sessions.open", "log_in")])
async def test_what_needs_no_token_counts_by_address_whoever_asks(
    narrow: World, strict: Settings, name: str, limit: str
) -> None:
    async with visiting(narrow.url, f"127.0.0.{41 + len(name)}") as world:
        for n, token in enumerate((None, somebody(strict), somebody(strict))):
            assert left((await ask(world, name, token)).headers, limit) == MOST - 1 - n
        assert (await ask(world, name, None)).refusal().code == "rate_limited"
        socket = await world.socket(somebody(strict))
        reply = await socket.command("rpc", {"method": name, "data": {}})
        assert reply["error"]["problem"]["limit"] == limit
        await world.close()


async def test_operators_are_not_limited(narrow: World, strict: Settings) -> None:
    operator = minted(strict)
    for name in ("console.rooms", "users.register", "import.orders"):
        for _ in range(MOST + 2):
            answer = await ask(narrow, name, operator)
            assert answer.status in (200, 422) and "RateLimit" not in answer.headers


async def test_connections_are_counted(narrow: World, strict: Settings) -> None:
    token = somebody(strict)
    for _ in range(MOST):
        await (await narrow.socket(token)).close()
    async with narrow.http.ws_connect(f"{narrow.url}/v1/connection") as ws:
        await ws.send_json({"id": 1, "connect": {"token": token}})
        reply = await ws.receive_json(timeout=20)
        told_over_rpc(reply, "connect")
        assert reply["error"]["temporary"]
    headers = {"Authorization": f"Bearer {token}"}
    async with narrow.http.get(f"{narrow.url}/v1/stream", headers=headers) as stream:
        problem = await stream.json(content_type="application/problem+json")
        assert stream.status == 429 and problem["limit"] == "connect"
        assert int(stream.headers["Retry-After"]) == problem["retry_after"]


async def test_streams_are_counted(narrow: World, strict: Settings) -> None:
    headers = {"Authorization": f"Bearer {somebody(strict)}"}
    for n in range(MOST + 1):
        async with narrow.http.get(f"{narrow.url}/v1/stream", headers=headers) as stream:
            assert stream.status == (429 if n == MOST else 200)
            assert left(stream.headers, "connect") == max(0, MOST - 1 - n)
            assert ("Retry-After" in stream.headers) == (n == MOST)


async def test_streams_that_are_refused_say_what_is_left(narrow: World, strict: Settings) -> None:
    async with visiting(narrow.url, "127.0.0.34") as world:
        for n in range(MOST + 1):
            async with world.http.get(f"{world.url}/v1/stream", headers={"Authorization": "Bearer garbage"}) as stream:
                assert stream.status == (429 if n == MOST else 401)
                assert left(stream.headers, "connect") == max(0, MOST - 1 - n)
    for token, since, status in ((somebody(strict), "garbage", 400), (somebody(strict, "server"), "", 401)):
        headers, params = {"Authorization": f"Bearer {token}"}, {"since": since} if since else {}
        async with narrow.http.get(f"{narrow.url}/v1/stream", headers=headers, params=params) as stream:
            assert stream.status == status and left(stream.headers, "connect") == MOST - 1
    # An operator is not counted.
    headers = {"Authorization": f"Bearer {minted(strict)}"}
    async with narrow.http.get(f"{narrow.url}/v1/stream", headers=headers) as stream:
        assert stream.status == 401 and "RateLimit" not in stream.headers


async def test_snapshots_for_a_lost_place_are_counted(narrow: World, strict: Settings) -> None:
    """Whoever claims an epoch that never was gets a snapshot each time: as heavy as the one that is asked for."""
    welcome = await narrow.call("users.register", {"username": f"lost-{uuid4().hex[:8]}"}, token=minted(strict))
    token, user = welcome["token"], welcome["user"]["id"]
    for _ in range(MOST):
        await ask(narrow, "sync.get", token)
    headers = {"Authorization": f"Bearer {token}"}
    async with narrow.http.get(f"{narrow.url}/v1/stream?since=never:1", headers=headers) as stream:
        text = (await stream.read()).decode()
        assert stream.status == 200 and '"code":3013' in text and "event: snapshot" not in text
    async with narrow.http.ws_connect(f"{narrow.url}/v1/connection") as ws:
        subs = {f"user:{user}": {"recover": True, "epoch": "never", "offset": 1}}
        await ws.send_json({"id": 1, "connect": {"token": token, "subs": subs}})
        while (message := await ws.receive(timeout=20)).type is aiohttp.WSMsgType.TEXT:
            assert "snapshot" not in message.data
        assert ws.close_code == 3013


def test_all_off_by_one_setting(strict: Settings) -> None:
    limits = Limits(msgspec.structs.replace(strict, limits=False))
    assert {limits.count(name, None, "127.0.0.1") for name in get_args(LimitName)} == {None}


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"), ("fe80::1%eth0", "fe80::/64"), ("testclient", "testclient"), ("", ""),
    ],
)  # fmt: skip
def test_whom_an_address_stands_for(host: str, counted: str) -> None:
    assert client_address({"client": (host, 1234)}) == counted
    assert client_address({"client": None}) == ""
