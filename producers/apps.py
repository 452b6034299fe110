"""Decisions about applications. Keys and secrets are made by the API; here are the keys, and the secrets' ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from events.apps import (
    App,
    AppCreated,
    AppErased,
    AppErasureCompleted,
    AppKeyRolled,
    AppPlanChosen,
    AppRenamed,
    AppResumed,
    AppSettings,
    AppSettingsChanged,
    AppSuspended,
    AppTokensRevoked,
    app_key,
    keys_of,
    loaded_app,
)
from events.core.clock import Time, after
from events.core.derived_ids import DEFAULT_APP
from events.core.faults import wrong
from events.core.records import Event, Key, State
from producers.commands import Command, CommandEnvelope, CommandType, Refused
from producers.deactivation import voided_before
from producers.limits import Id, ShownName, TopicLine, whole
from producers.names import check_line, check_name

#: How an API key begins, and its whole form.
KEY_MARK = "kk_"
API_KEY = f"{KEY_MARK}[a-z2-7]{{26}}"
#: An API key: 128 bits in base32, which is read without confusion of capitals.
ApiKey = Annotated[str, whole(API_KEY, "an API key: kk_ and 26 of the characters a-z 2-7", shown=True)]
#: Seconds that the key before a new one may stay valid: 30 days.
GRACE_SECONDS = 30 * 86_400
Grace = Annotated[int, msgspec.Meta(ge=0, le=GRACE_SECONDS)]


#: A year.
SESSION_HOURS = 8760
SessionHours = Annotated[int, msgspec.Meta(ge=0, le=SESSION_HOURS)]


class AppCommand(Command, frozen=True, kw_only=True):
    """A command to an application."""

    app: Id


class CreateApp(AppCommand, frozen=True, kw_only=True):
    """Make an application with its first API key."""

    name: ShownName
    key: ApiKey
    #: Id of the key's sealed secret in the vault.
    secret: Id


class AppSettingsPatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What changes of an application's settings; what is not named stays."""

    #: Whether anybody may register; otherwise only the application's own server makes users.
    registration: bool | None = None
    #: Hours without use after which a log-in ends; 0: it ends with its token, as the installation has it.
    session_hours: SessionHours | None = None


class ChangeApp(AppCommand, frozen=True, kw_only=True):
    name: ShownName | None = None
    settings: AppSettingsPatch | None = None


class RollKey(AppCommand, frozen=True, kw_only=True):
    """Give an application a new API key; the present one stays valid for ``grace_seconds``."""

    key: ApiKey
    secret: Id
    grace_seconds: Grace


class SuspendApp(AppCommand, frozen=True, kw_only=True):
    reason: TopicLine | None = None


class ResumeApp(AppCommand, frozen=True, kw_only=True):
    """Serve a suspended application again."""


class RevokeAppTokens(AppCommand, frozen=True, kw_only=True):
    """Make all tokens void that were issued before a time; None: before the order."""

    before: Time | None = None


class EraseApp(AppCommand, frozen=True, kw_only=True):
    """Close an application for good, and remove all that it has."""

    #: Its name or id once more.
    confirm: ShownName
    reason: TopicLine | None = None


class CompleteErasure(AppCommand, frozen=True, kw_only=True):
    """Note that the rows of an erased application are gone; by the process that removed them."""

    #: How many went, by table.
    rows: dict[str, int]


class ChoosePlan(AppCommand, frozen=True, kw_only=True):
    """Let another plan hold for an application. That there is such a plan, which is offered, is found out before, on
    the read model."""

    #: None: no plan.
    plan: Id | None = None


def _keys(envelope: CommandEnvelope[AppCommand]) -> Sequence[Key]:
    return (app_key(envelope.command.app),)


def missing_app(id: str) -> Refused:
    """What is said of an application that is not there."""
    return Refused("not_found", f"expected an application, found none with id {id}")


def present(state: State, id: str) -> App:
    """An application that must be there. Raises Refused ``not_found``."""
    app = loaded_app(state, id)
    if app is None:
        raise missing_app(id)
    return app


def lasting(state: State, id: str) -> App:
    """The application, which is not erased."""
    app = present(state, id)
    if app.state == "erased":
        raise Refused("forbidden", f"expected an application in use or suspended, got {id}, which is erased for good")
    return app


def create(envelope: CommandEnvelope[CreateApp], state: State) -> list[Event]:
    command = envelope.command
    if loaded_app(state, command.app) is not None:
        raise Refused("taken", f"expected the id of no application, got {command.app}, which is one's")
    check_name("name", command.name)
    return [AppCreated(name=command.name, key=command.key, secret=command.secret)]


def change(envelope: CommandEnvelope[ChangeApp], state: State) -> list[Event]:
    command = envelope.command
    app = lasting(state, command.app)
    events: list[Event] = []
    if command.name is not None and command.name != app.name:
        check_name("name", command.name)
        events.append(AppRenamed(name=command.name))
    if command.settings is not None:
        changes = {name: value for name, value in msgspec.to_builtins(command.settings).items() if value is not None}
        settings = {**msgspec.to_builtins(AppSettings()), **app.settings, **changes}
        if settings != app.settings:
            events.append(AppSettingsChanged(settings=settings))
    return events


def roll(envelope: CommandEnvelope[RollKey], state: State) -> list[Event]:
    command = envelope.command
    held = list(keys_of(lasting(state, command.app)).values())
    # The older one of two has had its time.
    kept = held[-1:] if command.grace_seconds else []
    old_until = after(envelope.time, command.grace_seconds) if kept else None
    dropped = [one.secret for one in held[: len(held) - len(kept)]]
    return [AppKeyRolled(key=command.key, secret=command.secret, old_until=old_until, dropped=dropped)]


def suspend(envelope: CommandEnvelope[SuspendApp], state: State) -> list[Event]:
    command = envelope.command
    app = lasting(state, command.app)
    if app.id == DEFAULT_APP:
        # Everything that names no application stands in it: the demo, the tools' own accounts, all of before.
        raise Refused("forbidden", "expected an application that was made; the default one cannot be suspended")
    if command.reason is not None:
        check_line("reason", command.reason)
    return [] if app.state == "suspended" else [AppSuspended(reason=command.reason)]


def resume(envelope: CommandEnvelope[ResumeApp], state: State) -> list[Event]:
    return [] if lasting(state, envelope.command.app).state == "active" else [AppResumed()]


def revoke_tokens(envelope: CommandEnvelope[RevokeAppTokens], state: State) -> list[Event]:
    command = envelope.command
    before = voided_before(command.before, envelope.time, lasting(state, command.app).tokens_before)
    return [] if before is None else [AppTokensRevoked(before=before)]


def erase(envelope: CommandEnvelope[EraseApp], state: State) -> list[Event]:
    command = envelope.command
    app = present(state, command.app)
    if app.id == DEFAULT_APP:
        raise Refused("forbidden", "expected an application that was made; the default one cannot be erased")
    if command.confirm not in (app.id, app.name):
        raise Refused("invalid", errors=[wrong("/confirm", "the application's name or id", command.confirm)])
    if command.reason is not None:
        check_line("reason", command.reason)
    if app.state == "erased":
        return []
    return [AppErased(reason=command.reason)]


def complete_erasure(envelope: CommandEnvelope[CompleteErasure], state: State) -> list[Event]:
    app = present(state, envelope.command.app)
    if app.state != "erased":
        raise Refused("forbidden", f"expected an erased application, got {app.id}, which is {app.state}")
    return [] if app.cleared is not None else [AppErasureCompleted(rows=envelope.command.rows)]


def choose_plan(envelope: CommandEnvelope[ChoosePlan], state: State) -> list[Event]:
    command = envelope.command
    return [] if lasting(state, command.app).plan == command.plan else [AppPlanChosen(plan=command.plan)]


COMMANDS = (
    CommandType(CreateApp, "apps", lambda c: c.app, _keys, create),
    CommandType(ChangeApp, "apps", lambda c: c.app, _keys, change),
    CommandType(RollKey, "apps", lambda c: c.app, _keys, roll),
    CommandType(SuspendApp, "apps", lambda c: c.app, _keys, suspend, lambda c: True),
    CommandType(ResumeApp, "apps", lambda c: c.app, _keys, resume, lambda c: True),
    CommandType(RevokeAppTokens, "apps", lambda c: c.app, _keys, revoke_tokens, lambda c: True),
    CommandType(EraseApp, "apps", lambda c: c.app, _keys, erase, lambda c: True),
    CommandType(CompleteErasure, "apps", lambda c: c.app, _keys, complete_erasure, lambda c: True),
    CommandType(ChoosePlan, "apps", lambda c: c.app, _keys, choose_plan),
)
