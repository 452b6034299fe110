"""Every code sample of the reference and of ``/docs`` does what is documented, in each language, on a real server.
Tests ``api/docs/samples.py`` and ``docs/reference/``."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.core.tokens import Role, mint
from api.docs.opening import SERVER, STEPS
from api.docs.requests import SampleRequest, operations, request
from api.docs.samples import LANGUAGES, Language, compact_json, curl, javascript, python
from events.core.clock import after, now, uuid7
from infra.base import postgres
from infra.base.settings import Settings
from infra.ops.generate.examples import EXAMPLES
from infra.ops.generate.examples.story import BARBARA
from tests.api.story import IDS
from tests.client import World, visiting
from tests.docs.conftest import ROOT
from tests.docs.examples import blocks
from tests.docs.samples.cast import Cast
from tests.docs.samples.prompts import prompt
from tests.docs.test_examples import need

DOCUMENT = json.loads((ROOT / "schemas" / "openapi.json").read_text())
REQUESTS = {one[2]["operationId"]: request(DOCUMENT, *one) for one in operations(DOCUMENT)}
#: What takes something away that others need, and the streams that wait for an operator, which stop the room: in order.
LATE = (
    "members.remove", "relationships.remove", "rooms.archive", "rooms.unarchive", "messages.delete",
    "invitations.decline", "channels.delete", "rooms.delete", "rooms.restore", "console.parked",
    "console.parked_stream", "console.retry",
    "users.set_team", "teams.remove", "plans.withdraw", "apps.erase", "apps.receipt",
    "users.change_password", "users.reset_password", "users.deactivate", "users.reactivate",
    "users.revoke_tokens", "users.erase", "users.erasure", "sessions.close",
)  # fmt: skip
#: What curl ends with where it is told to stop waiting.
CURL_STOPPED = 28
#: Of those who are nobody's account.
_ROLES: tuple[Role, ...] = ("operator", "server")
NEEDED = {"curl": ("bash", "curl", "jq"), "javascript": ("node",), "python": ()}


@pytest.fixture
async def world(installed: Settings) -> AsyncIterator[World]:
    async with visiting(f"http://{installed.address}") as world:
        yield world


def in_order() -> list[SampleRequest]:
    return sorted(REQUESTS.values(), key=lambda one: LATE.index(one.name) if one.name in LATE else -1)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.id)
async def test_every_sample_gives_its_status(
    language: Language, world: World, installed: Settings, tmp_path: Path
) -> None:
    for program in NEEDED[language.id]:
        need(program)
    operator, server = (
        mint(installed, user=role, session=uuid7(), role=role, issued=now(), expires=after(now(), 600))
        for role in _ROLES
    )
    cast = Cast(world, operator, server)
    await cast.arrive()
    wrong = []
    async with prompt(language.id, tmp_path) as shell:
        for one in in_order():
            await _before(one.name, cast, installed)
            who = EXAMPLES[one.name][0].who if one.name in EXAMPLES else "linus"
            names = {"klatsch": world.url, "token": cast.tokens[who], "limit": "2" if one.streams else "20"}
            ran = await shell.run(cast.said(one.name, language.write(one)), names)
            expected = CURL_STOPPED if one.streams and language.id == "curl" else 0
            if not ran.lines or ran.status != one.status or ran.exit != expected:
                wrong.append((one.name, one.status, ran))
    assert wrong == []


async def _before(name: str, cast: Cast, settings: Settings) -> None:
    """A server of channels reports before somebody is sent to it; a stream is parked before operators look at it, and
    mended before they retry: as by a wrong migration."""
    if name == "channels.listen":
        await cast.serve()
    if name == "teams.remove":
        # Nobody is in a team that goes.
        await cast.world.call("users.set_team", {"user": BARBARA, "team": None}, token=cast.tokens["server"])
    if name not in ("console.parked", "console.retry"):
        return
    connection = await postgres.connect(settings)
    try:
        if name == "console.retry":
            await connection.execute("alter table rooms drop constraint bad")
            return
        await connection.execute("alter table rooms add constraint bad check (name <> 'Interpreters') not valid")
    finally:
        await connection.close()
    await cast.park()


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.id)
async def test_the_way_to_a_token(language: Language, installed: Settings, tmp_path: Path) -> None:
    for program in NEEDED[language.id]:
        need(program)
    name = f"grace-{secrets.token_hex(3)}"
    steps = "\n".join(step.code[language.id] for step in STEPS)
    code = steps.replace(SERVER, f"http://{installed.address}").replace("grace", name)
    async with prompt(language.id, tmp_path) as shell:
        # The steps name the server themselves.
        ran = await shell.run(code if language.id != "curl" else f"unset -f curl\n{code}", {})
    assert ran.exit == 0, ran.lines
    assert sum(name in line for line in ran.lines) >= 1, ran.lines
    if language.id != "curl":
        assert ran.lines[0] == "201" and ran.lines[1].startswith("200 ")


def test_every_operation_has_a_sample_of_its_example() -> None:
    for name, one in REQUESTS.items():
        if one.body is not None:
            assert (
                one.body
                == DOCUMENT["paths"][one.path][one.method.lower()]["requestBody"]["content"]["application/json"][
                    "examples"
                ][EXAMPLES[name][0].name]["value"]
            )
        for language in LANGUAGES:
            assert one.method in language.write(one).upper() or one.method == "GET" or language.id == "curl"
    assert set(EXAMPLES) - set(REQUESTS) == {"presence.set", "channels.watch"}


def test_the_reference_has_the_samples_that_are_run() -> None:
    found = {block.text for block in blocks((ROOT / "docs" / "reference" / "commands.md").read_text())}
    written = {f"{one}\n" for step in STEPS for one in step.code.values()}
    for one in REQUESTS.values():
        written |= {f"{language.write(one)}\n" for language in LANGUAGES if one.name in EXAMPLES}
    assert found == written


def test_values_are_written_as_each_language_has_them() -> None:
    body: dict[str, object] = {
        "text": "it's `${x}` \\ \"\n",
        "none": None,
        "yes": True,
        "a-b": [1, {"long": "x" * 80}],
        "empty": {},
    }
    one = SampleRequest("x.y", "POST", "/v1/x", (), body, False, 201, False)
    assert json.loads(compact_json(body)) == body
    assert "'\\''s" in curl(one)
    assert '"a-b": [' in javascript(one) and "none: null" in javascript(one)
    assert '"none": None' in python(one) and '"yes": True' in python(one)


def test_the_first_sample_of_a_room_to_be_made_names_nobody() -> None:
    """Whoever copies it has nobody yet: another's id would make it fail as it stands."""
    one = REQUESTS["rooms.create"]
    assert one.body["type"] == "public" and not any(id_ in compact_json(one.body) for id_ in IDS)
