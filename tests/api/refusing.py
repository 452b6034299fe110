"""Operations that refuse, and one call of them over each transport: no more of an installation than refusing needs."""

from __future__ import annotations

import time
from typing import Any, NamedTuple, cast

import jwt
import msgspec
import pytest
from msgspec.structs import replace
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from api.core import http, tokens
from api.core.calls import KEY_LOOKUPS, Call
from api.core.calls import Services as RealServices
from api.core.limits import Limits
from api.core.moments import AsOf
from api.core.operation import NoPast, Operation, Request
from api.core.rpc import RpcBackend
from api.support.apps import AppSecret, shown_secret
from api.support.heavy import Heavy
from api.support.limiter import Limiter
from api.support.plans import NO_PLAN, HeldPlan
from events.apps import App, default_app
from events.core.clock import after, now
from events.core.positions import Shard, Vector
from infra.base.settings import Settings
from push.presence.presence_hub import PresenceHub
from push.protocol.backend import ConnectionIdentity, RpcError

SETTINGS = Settings(secret="5e" * 32, limit_write="20/1000", heavy_reads=1, heavy_reads_user=1, heavy_seconds=0.01)
USER, SESSION = "ada", "here"


class Progress:
    """Read models that have nothing; what they wait for comes with the end of the sessions that are ``coming``."""

    fresh = True

    def __init__(self) -> None:
        self.revoked: set[str] = set()
        self.coming: set[str] = set()

    async def wait(self, vector: Vector, seconds: float) -> bool:
        self.revoked |= self.coming
        return bool(self.coming)


class Producers:
    """What was acknowledged to everybody."""

    def __init__(self) -> None:
        self.acknowledged: Vector = {}

    async def recent(self, user: str) -> tuple[Vector, set[Shard]]:
        return dict(self.acknowledged), set()


#: An application that is suspended, and one in use, with the secret of its key.
SUSPENDED, APP, KEY, SECRET = "suspended-app", "app", "kk_" + "a" * 26, b"s" * 32
#: A key that this process has not met.
COLD = "kk_" + "b" * 26


class Apps:
    """Both of them, beside the default one."""

    async def get(self, app: str) -> App | None:
        return replace(default_app(), id=app, state="suspended" if app == SUSPENDED else "active")

    def is_unknown(self, key: str) -> bool:
        return key not in (KEY, COLD)

    def knows(self, key: str) -> bool:
        return key == KEY

    async def by_key(self, key: str) -> AppSecret | None:
        return AppSecret(APP, SECRET) if key == KEY else None


class AppUsers:
    """An application has no users yet."""

    async def look(self, app: str, user: str) -> None:
        return None


class Plans:
    """No application has one."""

    async def of(self, app: str) -> HeldPlan:
        return NO_PLAN


class Feed:
    """All of the log is known."""

    async def heads(self) -> Vector:
        return {}


class Services:
    """As much of the services as refusing needs."""

    count = RealServices.count

    def __init__(self) -> None:
        self.settings = SETTINGS
        self.limits = Limits(SETTINGS)
        self.heavy = Heavy(SETTINGS)
        self.progress = Progress()
        self.producers = Producers()
        self.apps = Apps()
        self.plans = Plans()
        self.app_users = AppUsers()
        self.feed = Feed()
        self.key_lookups = Limiter(KEY_LOOKUPS)


class Act(Request, frozen=True, kw_only=True):
    room: str
    n: int = 0


class Look(Request, frozen=True, kw_only=True):
    pass


class Sent(NamedTuple):
    """A call as both transports can have it."""

    operation: str = "act"
    values: dict[str, Any] = {"room": "tea"}
    key: Any = None
    position: Any = None
    #: Instead of the encoded values.
    body: bytes | None = None
    #: Over HTTP: instead of a good one, and what follows the path.
    token: str | None = ""
    query: str = ""
    #: Over HTTP: for whom an application's server calls.
    acting: str | None = None


class Said(NamedTuple):
    """A refusal as a client gets it."""

    problem: dict[str, Any]
    #: Code of the RPC reply, status of the HTTP answer.
    code: int
    headers: dict[str, str] = {}


class Scene:
    """A process with a few operations. ``error`` is what ``act`` raises."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.services = Services()
        operations = [
            Operation("act", "POST", "/act/{room}", "user", Act, self._act, "", {}),
            Operation("look", "GET", "/look", "user", Look, self._act, "", {}, as_of=self._then),
            Operation("look.now", "GET", "/now", "user", Look, self._act, "", {}, as_of=NoPast("it is of now")),
            Operation(
                "look.far", "GET", "/far", "user", Look, self._read, "", {}, heavy=True, as_of=NoPast("it is far")
            ),
            Operation("operate", "POST", "/operate", "operator", Look, self._act, "", {}),
        ]
        self.operations = {operation.name: operation for operation in operations}
        self._routes = {route.name: route for route in http.routes(cast(Any, self.services), operations)}
        self._rpc = RpcBackend(cast(Any, self.services), operations, PresenceHub())

    async def _act(self, call: Call, request: Request) -> dict[str, Any]:
        if self.error is not None:
            raise self.error
        return {}

    async def _read(self, call: Call, request: Request) -> dict[str, Any]:
        return {"rows": await call.rows("SELECT 1")}

    async def _then(self, call: Call, request: Request, then: AsOf) -> dict[str, Any]:
        return {}

    async def over_http(self, sent: Sent) -> Said:
        """The refusal over HTTP; fails for an answer that is none."""
        response = await self._answered(sent, {"type": "http.request", "more_body": False})
        assert response.media_type == "application/problem+json", response.body
        return Said(msgspec.json.decode(response.body), response.status_code, dict(response.headers))

    async def left_over_http(self, sent: Sent) -> Response:
        """What comes of it when the client goes before its body has come."""
        return await self._answered(sent, {"type": "http.disconnect"})

    async def _answered(self, sent: Sent, message: dict[str, Any]) -> Response:
        operation, values = self.operations[sent.operation], dict(sent.values)
        params = {name: values.pop(name) for name in operation.path_parameters}
        body, query = sent.body if sent.body is not None else msgspec.json.encode(values), sent.query
        if operation.method == "GET":
            query, body = query + "&".join(f"{name}={value}" for name, value in values.items()), b""
        token = good_token() if sent.token == "" else sent.token
        headers = {"authorization": token and f"Bearer {token}", "idempotency-key": sent.key,
                   "klatsch-position": sent.position, "klatsch-user": sent.acting}  # fmt: skip
        scope = {
            "type": "http", "method": operation.method, "path": operation.path, "query_string": query.encode(),
            "path_params": params, "client": ("127.0.0.1", 1234), "scheme": "http", "state": {},
            "headers": [(name.encode(), value.encode()) for name, value in headers.items() if value is not None],
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            return {**message, "body": body}

        response: Response = await self._routes[sent.operation].endpoint(HttpRequest(scope, receive))
        return response

    async def over_rpc(self, sent: Sent) -> Said:
        """The refusal over RPC; fails for an answer."""
        beside = {"idempotency_key": sent.key, "position": sent.position}
        values = {**sent.values, **{name: value for name, value in beside.items() if value is not None}}
        data = sent.body if sent.body is not None else msgspec.json.encode(values)
        identity = ConnectionIdentity(user=USER, session=SESSION, expires=2e9, address="127.0.0.1")
        with pytest.raises(RpcError) as caught:
            await self._rpc.rpc(identity, sent.operation, data, "connection")
        return Said(msgspec.json.decode(caught.value.problem), caught.value.reply_code)


def good_token(**claims: Any) -> str:
    """A token of the user."""
    given = {"user": USER, "session": SESSION, "role": "person", "issued": now(), "expires": after(now(), 600)}
    return tokens.mint(SETTINGS, **{**given, **claims})


def server_token(key: str = KEY) -> str:
    """A token of the application's own server."""
    moment = int(time.time())
    claims = {"server": True, "iat": moment, "exp": moment + 600}
    return jwt.encode(claims, shown_secret(SECRET), "HS256", headers={"kid": key})


#: What HTTP has in headers and parameters.
_MEMBERS = {"Idempotency-Key": "idempotency_key", "Klatsch-Position": "position"}


def as_members(problem: dict[str, Any]) -> dict[str, Any]:
    """A problem document without its request's id, and with the places that it has over RPC."""
    problem = {name: value for name, value in problem.items() if name != "request_id"}
    problem["detail"] = _as_words(problem["detail"])
    if "errors" in problem:
        problem["errors"] = [_as_member(fault) for fault in problem["errors"]]
    return problem


def _as_words(text: str) -> str:
    for header, member in _MEMBERS.items():
        text = text.replace(f"{header}: ", f"{member}: ")
    return text.replace("no parameter of this name", "no member of this name")


def _as_member(fault: dict[str, str]) -> dict[str, str]:
    place = fault.get("parameter") or _MEMBERS.get(fault.get("header", ""))
    pointer = fault.get("pointer", f"/{place}")
    return {"pointer": pointer, "expected": _as_words(fault["expected"]), "actual": fault["actual"]}
