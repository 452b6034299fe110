"""Every refusal is the same over every transport: those of each step, and those of operations, by their registries."""

from __future__ import annotations

import ast
import asyncio
import inspect
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from time import monotonic
from types import FunctionType
from typing import Any, Literal, NamedTuple

import pytest
from aiokafka.errors import KafkaStorageError
from asyncpg import DiskFullError
from prometheus_client import REGISTRY

from api.core import dispatch, http, rpc
from api.core.calls import KEY_LOOKUPS, Call
from api.core.dispatch import STEPS, Dispatcher
from api.core.limits import Part
from api.core.operation import convert, permit
from api.core.tokens import Identity
from api.support import problems
from api.support.heavy import Heavy
from api.support.problems import PROBLEMS, Problem
from events.core.clock import after, now
from events.core.faults import wrong
from events.core.positions import Shard
from infra.ops.generate.outcomes import refusals
from producers.commands import Refused, Unavailable
from push.delivery import bounds
from tests.api.codes import codes_of
from tests.api.refusing import (
    COLD,
    SESSION,
    SETTINGS,
    SUSPENDED,
    USER,
    Scene,
    Sent,
    as_members,
    good_token,
    server_token,
)

#: Functions that refuse, by the step that calls them.
SOURCES: dict[str, tuple[Any, ...]] = {
    "identify": (http._HttpInbound.identify, rpc._RpcInbound.identify),
    "count": (Part.check,),
    "permit": (permit,),
    "read": (http._HttpInbound.read, rpc._RpcInbound.__init__, rpc._RpcInbound.read),
    "check_form": (dispatch._check_form,),
    "convert": (convert,),
    "take_turn": (Dispatcher._take_turn,),
    "wait": (dispatch._wait,),
    "run": (dispatch._run, Call._still_open, Heavy.turn),
    "printed": (http._printed, rpc._printed),
}


class Case(NamedTuple):
    """A refusal of a step, and how it comes to it."""

    step: str
    code: str
    sent: Sent
    #: What is so while it is called.
    arranged: Callable[[Scene], AbstractAsyncContextManager[Any]] = lambda scene: nullcontext()
    #: The only transport that can come to it.
    only: Literal["http", "rpc"] | None = None


@asynccontextmanager
async def spent(scene: Scene) -> AsyncIterator[None]:
    """All calls of the user are used up."""
    identity = Identity(USER, SESSION, "person", 2e9)
    for _ in range(20):
        scene.services.limits.count("write", identity, "")
    yield


@asynccontextmanager
async def searched(scene: Scene) -> AsyncIterator[None]:
    """As many API keys were looked for lately from the address as may be."""
    scene.services.key_lookups.take("127.0.0.1", monotonic(), KEY_LOOKUPS.most)
    yield


@asynccontextmanager
async def closed(scene: Scene) -> AsyncIterator[None]:
    """The session is closed."""
    scene.services.progress.revoked.add(SESSION)
    yield


@asynccontextmanager
async def closed_meanwhile(scene: Scene) -> AsyncIterator[None]:
    """The session is closed by what the read models come to know while the call waits for them."""
    scene.services.producers.acknowledged = {Shard("users", 0): 5}
    scene.services.progress.coming = {SESSION}
    yield


@asynccontextmanager
async def behind(scene: Scene) -> AsyncIterator[None]:
    """The read models do not have what was acknowledged to the user."""
    scene.services.producers.acknowledged = {Shard("rooms", 0): 5}
    yield


def reading(user: str) -> Callable[[Scene], AbstractAsyncContextManager[Any]]:
    """Somebody reads much already."""
    return lambda scene: scene.services.heavy.turn(user)


LATE = after(now(), 7200)
EARLY = after(now(), -7200)

CASES = [
    Case("identify", "unauthenticated", Sent(token="nonsense"), only="http"),
    Case("identify", "token_expired", Sent(token=good_token(issued=EARLY, expires=after(EARLY, 60))), only="http"),
    Case("identify", "token_not_yet_valid", Sent(token=good_token(issued=LATE, expires=after(LATE, 60))), only="http"),
    Case("identify", "token_revoked", Sent(), closed),
    Case("identify", "suspended", Sent(token=good_token(app=SUSPENDED)), only="http"),
    # Only an application's server acts for others, and for its own users.
    Case("identify", "forbidden", Sent(acting="bob"), only="http"),
    Case("identify", "not_found", Sent(token=server_token(), acting="bob"), only="http"),
    Case("identify", "overloaded", Sent(token=server_token(COLD)), searched, only="http"),
    Case("count", "rate_limited", Sent(), spent),
    Case("permit", "unauthenticated", Sent(token=None), only="http"),
    Case("permit", "forbidden", Sent("operate", {})),
    Case("permit", "invalid", Sent(token=server_token()), only="http"),
    Case("read", "malformed", Sent(body=b'{"n": ')),
    Case("read", "malformed", Sent(body=b"[]")),
    Case("read", "malformed", Sent(body=b"\xff")),
    # The push connection bounds frames before that.
    Case("read", "too_large", Sent(body=b" " * (SETTINGS.body_bytes + 1)), only="http"),
    # An object has a member once.
    Case("read", "invalid", Sent("look", {}, query="a=1&a=2"), only="http"),
    Case("read", "not_found", Sent("no.operation"), only="rpc"),
    Case("check_form", "invalid", Sent(key="a b")),
    Case("check_form", "invalid", Sent(key="x" * 129)),
    # A parameter of HTTP is text.
    Case("check_form", "invalid", Sent("look", {"as_of": 5}), only="rpc"),
    Case("convert", "invalid", Sent(values={"room": "tea", "n": "many"})),
    Case("convert", "invalid", Sent(values={"room": "tea", "m": 1})),
    Case("convert", "invalid", Sent("look", {"as": "x"})),
    Case("wait", "invalid", Sent(position="here")),
    Case("wait", "invalid", Sent(position="rooms/99/1")),
    Case("wait", "lagging", Sent(position="rooms/0/100")),
    Case("run", "invalid", Sent("look", {"as_of": "yesterday"})),
    Case("run", "invalid", Sent("look.now", {"as_of": "2026-01-01T00:00:00Z"})),
    Case("run", "lagging", Sent("look", {}), behind),
    Case("run", "token_revoked", Sent("look", {}), closed_meanwhile),
    Case("run", "rate_limited", Sent("look.far", {}), reading(USER)),
    Case("run", "overloaded", Sent("look.far", {}), reading("somebody else")),
]


def test_the_steps_are_those_of_the_code() -> None:
    """In their order, and each refuses with what its functions raise."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(Dispatcher.dispatch)))
    names = {step.name for step in STEPS}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = [(node.end_lineno, _name(node.func)) for node in calls if _name(node.func) in names]
    ordered = [name for _, name in sorted(called, key=lambda one: one[0] or 0)]
    assert list(dict.fromkeys(ordered)) == [step.name for step in STEPS]
    assert SOURCES.keys() == names
    for step in STEPS:
        functions: list[FunctionType] = list(SOURCES[step.name])
        assert refusals(*functions) == set(step.problems), step.name


def _name(function: ast.expr) -> str:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return str(name).removeprefix("_")


def test_every_refusal_of_a_step_has_a_case() -> None:
    assert {(case.step, case.code) for case in CASES} == {(step.name, code) for step in STEPS for code in step.problems}


def test_the_page_shows_the_steps() -> None:
    page = (Path(__file__).parents[3] / "docs" / "pipeline.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ") and "---" not in line][1:]
    assert rows == [
        f"| {n} | `{step.name}` | {step.about} | {', '.join(f'`{code}`' for code in step.problems)} |"
        for n, step in enumerate(STEPS, 1)
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.step}-{case.code}")
async def test_a_step_refuses_alike(case: Case) -> None:
    told = []
    for via in ("http", "rpc"):
        if case.only in (None, via):
            scene = Scene()
            async with case.arranged(scene):
                told.append(await (scene.over_http if via == "http" else scene.over_rpc)(case.sent))
    for said in told:
        assert said.problem["type"] == f"urn:klatsch:problem:{case.code}", said
    assert len({str(as_members(said.problem)) for said in told}) == 1, told


@pytest.mark.parametrize("code", PROBLEMS)
async def test_an_operation_refuses_alike(code: str) -> None:
    faults = [wrong("/n", "a number", "none")]
    scene, more = Scene(), {"limit": "write"} if code == "rate_limited" else {}
    scene.error = Problem(code, "expected this, got that", errors=faults, retry_after=7, **more)
    http_, rpc_ = await scene.over_http(Sent()), await scene.over_rpc(Sent())
    assert as_members(http_.problem) == as_members(rpc_.problem)
    assert http_.problem["errors"] == faults and http_.problem["retry_after"] == 7
    assert (http_.code, rpc_.code) == (PROBLEMS[code].status, PROBLEMS[code].rpc)
    assert http_.headers["retry-after"] == "7"


#: Whatever else may be raised: with each code that the source names, and what has none.
RAISED_ERRORS = [
    *(Refused(code, "expected this, got that") for code in sorted(codes_of(Refused))),
    *(Unavailable(code, "expected this, got that", 3.0) for code in sorted(codes_of(Unavailable))),
    bounds.FeedUnavailable("the hub has not been started"),
    Refused("no such code", "expected this, got that"),
    ConnectionRefusedError("Postgres"),
    DiskFullError("could not extend file"),
    KafkaStorageError(),
    ZeroDivisionError("a fault"),
]


@pytest.mark.parametrize("error", RAISED_ERRORS, ids=repr)
async def test_whatever_is_raised_is_told_alike(error: Exception) -> None:
    scene = Scene()
    scene.error = error
    http_, rpc_ = await scene.over_http(Sent()), await scene.over_rpc(Sent())
    assert as_members(http_.problem) == as_members(rpc_.problem)
    code = http_.problem["type"].rpartition(":")[2]
    assert code == problems.of(error).code
    assert (http_.code, rpc_.code) == (PROBLEMS[code].status, PROBLEMS[code].rpc)
    assert ("retry_after" in http_.problem) == ("retry-after" in http_.headers)


def counted(operation: str, transport: str, outcome: str) -> float:
    name, labels = "klatsch_request_seconds_count", {"operation": operation, "transport": transport, "outcome": outcome}
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_both_are_measured_with_their_outcome() -> None:
    scene = Scene()
    scene.error = Problem("taken", "expected another")
    places = [("act", via, "taken") for via in ("http", "rpc")]
    before = [counted(*place) for place in places]
    await scene.over_http(Sent())
    await scene.over_rpc(Sent())
    assert [counted(*place) for place in places] == [count + 1 for count in before]


async def test_who_has_gone_is_measured_and_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    """Over HTTP in the midst of the body; over RPC the connection ends and takes its calls with it."""
    places = [("act", via, "disconnected") for via in ("http", "rpc")]
    before = [counted(*place) for place in places]
    scene = Scene()
    assert (await scene.left_over_http(Sent())).status_code == 400
    scene.error = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await scene.over_rpc(Sent())
    assert [counted(*place) for place in places] == [count + 1 for count in before]
    assert not caplog.records


async def test_of_several_faults_both_tell_the_same_one() -> None:
    """The one of the earliest step, whatever else is wrong."""
    scene = Scene()
    scene.error = Problem("taken", "expected another")
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("taken", {}),
        ("position", {"position": "here"}),
        ("n", {"values": {"room": "tea", "n": "many"}}),
        ("idempotency_key", {"key": "a b"}),
        ("expected a token of", {"operation": "operate"}),
    ]
    sent = Sent()
    for expected, changed in wrong:
        sent = sent._replace(**changed)
        # The operator's operation has no room in its path.
        told = [await scene.over_http(sent), await scene.over_rpc(sent)]
        assert as_members(told[0].problem) == as_members(told[1].problem)
        shown = str(as_members(told[0].problem))
        assert expected in shown, shown
    async with closed(scene):
        for over in (scene.over_http, scene.over_rpc):
            assert "token_revoked" in (await over(sent)).problem["type"]
