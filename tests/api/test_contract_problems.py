"""Each type of problem is provoked, and is the document that the contract shows: type, title, status and members.
Tests ``api/support/problems.py`` and ``infra/ops/generate/examples/problems.py``.

Those that need a part to be dead, busy or behind are made by the function that makes the server's: `of` of
the same exception, and `document`, both of `api.support.problems`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
from asyncpg import DiskFullError

from api.support import problems
from api.support.problems import PROBLEMS
from events.core.clock import after, now
from infra.base.settings import Settings
from infra.ops.generate import examples
from producers.commands import Refused, Unavailable
from tests.api.applications import made, person
from tests.api.conftest import minted
from tests.client import Person, Refusal, World, visiting
from tests.parts import Parts
from tests.servers import installation, serving
from tests.sockets import raw

Document = dict[str, Any]


class Provoker:
    """One installation with small limits, and how to get each problem from it."""

    def __init__(self, world: World, settings: Settings) -> None:
        self.world, self.settings = world, settings

    async def of(self, method: str, path: str, **options: Any) -> Document:
        found: Document = (await self.world.request(method, path, **options)).refusal().problem
        return found

    async def of_raw(self, request: str) -> Document:
        async with raw(self.settings.port, request.replace("\n", "\r\n").encode()) as client:
            found: Document = msgspec.json.decode((await client.reply()).body)
        return found

    async def of_call(self, who: Person, name: str, /, **members: Any) -> Document:
        with pytest.raises(Refusal) as refused:
            await who.do(name, **members)
        return refused.value.problem

    async def invalid(self) -> Document:
        return await self.of("POST", "/v1/users", body=b'{"username": 7}')

    async def malformed(self) -> Document:
        return await self.of("POST", "/v1/users", body=b'{"username": ')

    async def unauthenticated(self) -> Document:
        return await self.of("GET", "/v1/users/me")

    async def token_expired(self) -> Document:
        past = after(now(), -7200)
        token = minted(self.settings, issued=past, expires=after(past, 60))
        return await self.of("GET", "/v1/users/me", token=token)

    async def token_not_yet_valid(self) -> Document:
        token = minted(self.settings, issued=after(now(), 3600), expires=after(now(), 7200))
        return await self.of("GET", "/v1/users/me", token=token)

    async def token_revoked(self) -> Document:
        gone = await self.world.person()
        await gone.do("sessions.close", session="current")
        return await self.of("GET", "/v1/users/me", token=gone.token)

    async def forbidden(self) -> Document:
        return await self.of("GET", "/v1/console/figures", token=(await self.world.person()).token)

    async def suspended(self) -> Document:
        app = await made(self.world, operator := minted(self.settings))
        await self.world.call("apps.suspend", {"app": app.id}, token=operator)
        return await self.of("GET", "/v1/app/users?external_ids=a", token=app.server)

    async def erased(self) -> Document:
        operator, gone = minted(self.settings), await self.world.person()
        await self.world.call("users.erase", {"user": gone.id, "messages": "keep"}, token=operator)
        return await self.of("DELETE", f"/v1/users/{gone.id}/deactivation", token=operator)

    async def not_found(self) -> Document:
        return await self.of_call(await self.world.person(), "rooms.get", room="nowhere")

    async def method_not_allowed(self) -> Document:
        return await self.of("POST", "/openapi.json")

    async def declined(self) -> Document:
        grace, linus = await self.world.person(), await self.world.person(added_by="nobody")
        room = await grace.group(linus)
        await linus.do("invitations.decline", room=room)
        return await self.of_call(grace, "members.add", room=room, user=linus.id)

    async def too_many(self) -> Document:
        grace, linus = await self.world.person(), await self.world.person(added_by="nobody")
        await grace.group(linus)
        return await self.of_call(grace, "rooms.create", type="public", name="Second", members=[linus.id])

    async def in_use(self) -> Document:
        app = await made(self.world, minted(self.settings))
        team = (await self.world.call("teams.create", {"external_id": "a", "name": "A"}, token=app.server))["team"][
            "id"
        ]
        users = [{"external_id": str(n), "name": "A", "team": team} for n in range(12)]
        await self.world.call("users.upsert", {"users": users}, token=app.server)
        for n in range(3):
            person = Person(self.world, {"user": {"id": "", "username": ""}, "token": app.signed(sub=str(n))}, "http")
            await person.do("rooms.create", type="public", name="A")
        return await self.of("DELETE", f"/v1/teams/{team}", token=app.server)

    async def taken(self) -> Document:
        return await self.of_call(grace := await self.world.person(), "users.register", username=grace.username)

    async def key_reused(self) -> Document:
        grace = await self.world.person()
        room = await grace.group()
        await grace.say(room, "one", "key")
        return await self.of_call(grace, "messages.send", room=room, client_id="key", content={"text": "two"})

    async def archived(self) -> Document:
        grace = await self.world.person()
        room = await grace.group()
        await grace.do("rooms.archive", room=room)
        return await self.of_call(grace, "messages.send", room=room, client_id="key", content={"text": "one"})

    async def too_large(self) -> Document:
        grace = await self.world.person()
        content = {"x": "x" * 20_000}
        return await self.of_call(
            grace, "messages.send", room=await grace.group(), client_id="key", type="custom", content=content
        )

    async def too_slow(self) -> Document:
        return await self.of_raw('POST /v1/users HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 100\n\n{"username":')

    async def misdirected(self) -> Document:
        return await self.of_raw("GET /healthz HTTP/1.1\nHost: chat.example\n\n")

    async def upgrade_required(self) -> Document:
        return await self.of("GET", "/v1/connection")

    async def head_too_large(self) -> Document:
        return await self.of_raw(f"GET /healthz HTTP/1.1\nHost: 127.0.0.1\nX-A: {'x' * 40_000}\n\n")

    async def rate_limited(self) -> Document:
        grace = await self.world.person()
        room = await grace.group()
        for _ in range(3):
            await grace.say(room)
        return await self.of_call(grace, "messages.send", room=room, client_id="key", content={"text": "one"})

    async def limit_reached(self) -> Document:
        return await self.of_call(await self.limited(rooms=0), "rooms.create", type="private", name="Den")

    async def quota_used(self) -> Document:
        grace = await self.limited(messages_day=0)
        room = (await grace.do("rooms.create", type="private", name="Den"))["room"]["id"]
        return await self.of_call(grace, "messages.send", room=room, client_id="key", content={"text": "one"})

    async def limited(self, **limits: int) -> Person:
        """Somebody of an application whose plan has these limits."""
        app = await made(self.world, operator := minted(self.settings))
        fields = {"name": "Pro", "tier": "pro", "limits": limits}
        plan = (await self.world.call("plans.define", fields, token=operator))["plan"]["id"]
        await self.world.call("apps.choose_plan", {"app": app.id, "plan": plan}, token=operator)
        return await person(self.world, app, "grace", "http")

    async def lagging(self) -> Document:
        grace = await self.world.person()
        return await self.of(
            "GET", "/v1/users/me", token=grace.token, headers={"Klatsch-Position": "rooms/0/100000000000"}
        )


#: The exception with which a part that is dead, busy or behind makes itself known to the API.
RENDERED: dict[str, Exception] = {
    "no_successor": Refused("no_successor", "expected a member to pass the ownership on to; try again"),
    "internal": ZeroDivisionError("a fault"),
    "overloaded": Unavailable("overloaded", "shard rooms/3: 1000 commands are waiting"),
    "parked": Unavailable("parked", "stream x waits for an operator", retry_after=30.0),
    "no_owner": Unavailable("no_owner", "shard rooms/3 has no owner at the moment", retry_after=1.0),
    "unavailable": ConnectionRefusedError("Postgres"),
    "insufficient_storage": DiskFullError("could not extend file: No space left on device"),
    "unknown": Unavailable("unknown", "no outcome within 10 s; it may have happened, or may yet"),
}


@pytest.fixture(scope="module")
async def provoker(parts: Parts) -> AsyncIterator[Provoker]:
    async with installation(parts) as settings:
        small = msgspec.structs.replace(settings, body_seconds=0.5, limit_send="3/1000", invitations_between=1)
        async with serving(small) as url, visiting(url) as world:
            yield Provoker(world, small)


def test_every_problem_has_an_example_and_is_provoked() -> None:
    assert examples.PROBLEMS.keys() == PROBLEMS.keys()
    assert {name for name in PROBLEMS if hasattr(Provoker, name)} == PROBLEMS.keys() - RENDERED.keys()


@pytest.mark.parametrize("code", sorted(PROBLEMS.keys() - RENDERED.keys()))
async def test_the_server_gives_the_documented_problem(provoker: Provoker, code: str) -> None:
    provoke: Callable[[], Awaitable[Document]] = getattr(provoker, code)
    same(await provoke(), code)


@pytest.mark.parametrize("code", RENDERED)
def test_a_part_that_is_away_gives_the_documented_problem(code: str) -> None:
    same(problems.document(problems.of(RENDERED[code])), code)


def test_seconds_to_wait_have_one_form() -> None:
    """Wherever a wait comes from, int or float: JSON shows whole seconds without a fraction."""
    for given, shown in ((1, b"1"), (30.0, b"30"), (0.25, b"0.25")):
        found = problems.document(problems.Problem("overloaded", retry_after=given))["retry_after"]
        assert msgspec.json.encode(found) == shown
    waits = [example["retry_after"] for example in examples.PROBLEMS.values() if "retry_after" in example]
    assert waits and all(isinstance(wait, int) for wait in waits)


def same(answer: Document, code: str) -> None:
    example = examples.PROBLEMS[code]
    assert {name: answer.get(name) for name in ("type", "title", "status")} == {
        name: example[name] for name in ("type", "title", "status")
    }
    assert answer["detail"] and example.keys() <= answer.keys(), (answer, example)
    assert ("retry_after" in answer) == ("retry_after" in example)
