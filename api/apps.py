"""Applications that the installation serves: made, changed, suspended, and their keys. For operators; an application's
own server may revoke its tokens."""

from __future__ import annotations

from base64 import b32encode
from secrets import token_bytes
from typing import Any

import msgspec

from api.core.calls import Call
from api.core.operation import NoParameters, NoPast, Operation, Request
from api.rooms import keyed_id
from api.support import pages
from api.support.apps import shown_secret
from api.support.pages import Cursor, Limit
from api.support.problems import Problem
from api.support.times import as_kept
from events.apps import App, AppCreated, AppKeyRolled, app_key, as_created, default_app, settings_of
from events.core.clock import AnyTime, uuid7
from events.core.derived_ids import DEFAULT_APP
from infra.base.postgres import queries
from infra.base.rows import from_row
from producers.apps import (
    KEY_MARK,
    AppSettingsPatch,
    ChangeApp,
    CreateApp,
    Grace,
    ResumeApp,
    RevokeAppTokens,
    RollKey,
    SuspendApp,
    missing_app,
)
from producers.commands import Command, Refused
from producers.limits import Id, ShownName, TopicLine
from projectors.views import app_view

#: Bytes of an API key, and of its secret (HS256: RFC 7518 3.2 asks for 32 at least).
KEY_BYTES, SECRET_BYTES = 16, 32
#: Seconds that the key before a new one stays valid, unless the operator says otherwise.
DAY = 86_400


class CreateAppRequest(Request, frozen=True, kw_only=True):
    #: What operators see it called, and people before they log in; others may be called the same.
    name: ShownName


class GetAppRequest(Request, frozen=True, kw_only=True):
    app: Id


class ListAppsRequest(Request, frozen=True, kw_only=True):
    limit: Limit = 50
    cursor: Cursor | None = None


class ChangeAppRequest(Request, frozen=True, kw_only=True):
    app: Id
    #: What it is to be called; without it, the name stays.
    name: ShownName | None = None
    #: Settings that change; those that are not named stay.
    settings: AppSettingsPatch | None = None


class RollKeyRequest(Request, frozen=True, kw_only=True):
    app: Id
    #: For how long the present key stays valid, in seconds: 0 ends it at once.
    grace_seconds: Grace = DAY


class SuspendAppRequest(Request, frozen=True, kw_only=True):
    app: Id
    #: Why, for other operators.
    reason: TopicLine | None = None


class RevokeTokensRequest(Request, frozen=True, kw_only=True):
    app: Id
    #: Tokens that were issued before are void: a time that has come. Without it, now.
    before: AnyTime | None = None


def new_key() -> str:
    """An API key: ``kk_`` and 128 bits that nobody can guess."""
    return KEY_MARK + b32encode(token_bytes(KEY_BYTES)).decode().rstrip("=").lower()


async def create(call: Call, request: CreateAppRequest) -> dict[str, Any]:
    # The stream of a repeated command must be the same, so the id comes from the key.
    app, key = uuid7() if call.key is None else keyed_id(call, "app"), new_key()
    outcome = await call.used(CreateApp(app=app, name=request.name, key=key, secret=uuid7()), shows=())
    if outcome is None:
        secret = token_bytes(SECRET_BYTES)
        async with call.services.credential_store.keeping_sealed(secret, app) as id:
            outcome = await call.submit(CreateApp(app=app, name=request.name, key=key, secret=id), shows=())
        if outcome.repeated:
            # The same call beside this one came first.
            await call.services.credential_store.remove(id)
    record = outcome.record(AppCreated)
    return {"app": app_view(as_created(record)), **await _secret(call, app, record.data)}


async def roll(call: Call, request: RollKeyRequest) -> dict[str, Any]:
    store, key, shows = call.services.credential_store, new_key(), (app_key(request.app),)
    rolling = RollKey(app=request.app, key=key, secret=uuid7(), grace_seconds=request.grace_seconds)
    outcome = await call.used(rolling, shows=shows)
    if outcome is None:
        async with store.keeping_sealed(token_bytes(SECRET_BYTES), request.app) as id:
            outcome = await call.submit(msgspec.structs.replace(rolling, secret=id), shows=shows)
        if outcome.repeated:
            await store.remove(id)
    event = outcome.record(AppKeyRolled).data
    for dropped in event.dropped:
        await store.remove(dropped)
    await call.meet_own("apps")
    return {
        "app": app_view(outcome.entity(App, app_key(request.app))),
        **await _secret(call, request.app, event),
    }


async def _secret(call: Call, app: str, event: AppCreated | AppKeyRolled) -> dict[str, Any]:
    """A key and its secret, unsealed: the same when the call is repeated. Raises Problem, SealBroken."""
    secret = await call.services.credential_store.secret(event.secret, app)
    if secret is None:
        text = f"expected the secret of {event.key}, which the vault has not: newer keys have ended it; roll the key"
        raise Problem("not_found", text)
    return {"key": event.key, "secret": shown_secret(secret)}


async def find(call: Call, id: str) -> App:
    """An application, also one that was made a moment ago, anywhere. Raises Refused ``not_found``."""
    row = await call.sought(
        lambda: call.row(queries("apps")["by_id"], id), "apps",
        enough=lambda row: row is not None or id == DEFAULT_APP,
    )  # fmt: skip
    if row is not None:
        return from_row(App, row)
    if id != DEFAULT_APP:
        raise missing_app(id)
    return default_app()


async def get(call: Call, request: GetAppRequest) -> dict[str, Any]:
    return {"app": app_view(await find(call, request.app))}


async def about(call: Call, request: NoParameters) -> dict[str, Any]:
    app = await call.services.apps.get(call.app)
    if app is None:
        raise missing_app(call.app)
    return {"app": app.id, "name": app.name, "registration": settings_of(app.settings).registration}


async def list_(call: Call, request: ListAppsRequest) -> dict[str, Any]:
    after = place(request)
    first = [await find(call, DEFAULT_APP)] if after is None else []
    rows = await call.rows(queries("apps")["page"], after or "", request.limit - len(first) + 1)
    return page(request, [*first, *(from_row(App, row) for row in rows)])


def place(request: ListAppsRequest) -> str | None:
    """The id that the page comes after; None: the default one is the first of it. Raises Problem ``invalid``."""
    return None if request.cursor is None else pages.decode_id(request.cursor)


def page(request: ListAppsRequest, apps: list[App]) -> dict[str, Any]:
    """A page, from one application more than it may hold; the default one is before all others."""
    more = next_after(apps[request.limit - 1].id) if len(apps) > request.limit else None
    return {"apps": [app_view(one) for one in apps[: request.limit]], "next": more}


def next_after(id: str) -> str:
    """The cursor after an application."""
    return pages.encode("" if id == DEFAULT_APP else id)


async def done(
    call: Call, app: str, command: Command, *, unless: Problem | Refused | None = None
) -> dict[str, Any]:  # fmt: skip
    """The application as a command leaves it; ``unless``: as in ``Call.submit``. Raises as that does."""
    outcome = await call.submit(command, unless=unless, shows=(app_key(app),))
    # Once this is answered, it holds here; on other nodes when the news have come.
    await call.meet_own("apps")
    # The default one has no entity before its first event.
    found = outcome.state[app_key(app)]
    return {"app": app_view(found if isinstance(found, App) else default_app())}


async def change(call: Call, request: ChangeAppRequest) -> dict[str, Any]:
    return await done(call, request.app, ChangeApp(app=request.app, name=request.name, settings=request.settings))


async def suspend(call: Call, request: SuspendAppRequest) -> dict[str, Any]:
    return await done(call, request.app, SuspendApp(app=request.app, reason=request.reason))


async def resume(call: Call, request: GetAppRequest) -> dict[str, Any]:
    return await done(call, request.app, ResumeApp(app=request.app))


async def revoke_tokens(call: Call, request: RevokeTokensRequest) -> dict[str, Any]:
    if not call.reaches(request.app):
        # The default one is there without an event: no server may tell it from what is not.
        raise missing_app(request.app)
    before = None if request.before is None else as_kept(request.before, "/before")
    return await done(call, request.app, RevokeAppTokens(app=request.app, before=before))


_APP = {"app": "App"}
_SHOWN = {**_APP, "key": "string", "secret": "string"}

OPERATIONS = [
    Operation("apps.create", "POST", "/v1/apps", "operator", CreateAppRequest, create,
              "Make an application, with its first API key", _SHOWN, 201),
    Operation("apps.list", "GET", "/v1/apps", "operator", ListAppsRequest, list_,
              "The applications of the installation", {"apps": "[App]", "next": "cursor"}),
    Operation("apps.about", "GET", "/v1/app", "anyone", NoParameters, about,
              "What the caller's application is called, and whether one may register",
              {"app": "string", "name": "string", "registration": "boolean"},
              as_of=NoPast("it says what one can do now; operators read the past of an application with apps.get")),
    Operation("apps.get", "GET", "/v1/apps/{app}", "operator", GetAppRequest, get,
              "An application", _APP),
    Operation("apps.change", "PATCH", "/v1/apps/{app}", "operator", ChangeAppRequest, change,
              "Rename an application, or change its settings", _APP),
    Operation("apps.roll_key", "POST", "/v1/apps/{app}/keys", "operator", RollKeyRequest, roll,
              "Give an application a new API key and secret", _SHOWN, 201),
    Operation("apps.suspend", "POST", "/v1/apps/{app}/suspend", "operator", SuspendAppRequest, suspend,
              "Serve an application no longer", _APP),
    Operation("apps.resume", "POST", "/v1/apps/{app}/resume", "operator", GetAppRequest, resume,
              "Serve a suspended application again", _APP),
    Operation("apps.revoke_tokens", "POST", "/v1/apps/{app}/revoke-tokens", "app", RevokeTokensRequest,
              revoke_tokens, "Make the tokens of an application void", _APP),
]  # fmt: skip
