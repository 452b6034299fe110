"""Applications that the installation serves. Stream: the application's id (topic ``apps``)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec
from msgspec.structs import replace

from events.core.clock import Time
from events.core.derived_ids import DEFAULT_APP
from events.core.records import Changes, Entity, Event, EventType, Key, Record, State
from events.core.revert_rules import NotRevertible


class AppSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How an application is run."""

    #: Whether anybody may register; otherwise only the application's own server makes users.
    registration: bool = False
    #: Hours without use after which a log-in ends; 0: it ends with its token, as the installation has it.
    session_hours: int = 0


class AppKey(msgspec.Struct, frozen=True, kw_only=True):
    """One of the valid API keys of an application, by which its clients name it. It is public; its secret is not."""

    #: Id of the sealed secret in the vault.
    secret: str
    since: Time
    #: When it ends; None: it is the present one.
    until: Time | None = None

    def holds(self, now: Time) -> bool:
        """Whether it is valid at this time."""
        return self.until is None or now < self.until


class App(Entity, frozen=True, kw_only=True):
    """An application: tenants of one installation, each with users, rooms and messages of its own."""

    kind: ClassVar = "app"
    key_fields: ClassVar = ("id",)

    #: ``default``, or a UUID.
    id: str
    name: str
    #: ``erased`` is for good: it serves nobody, and its rows go.
    state: Literal["active", "suspended", "erased"]
    #: Why it was suspended or erased; None: it is not, or nobody said.
    reason: str | None
    #: ``AppKey`` by API key, the oldest first: none, one, or two after a roll.
    keys: dict[str, Any]
    #: Tokens that were issued before are not good any more.
    tokens_before: Time | None
    #: ``AppSettings``, all of them.
    settings: dict[str, Any]
    #: The plan that it has chosen; None: none.
    plan: str | None
    #: When the last of its rows were gone; None: it is not erased, or some are there yet.
    cleared: Time | None
    #: How many teams it has; without any, nobody asks who is in which.
    teams: int
    #: None: the default one, of which nothing says when it came.
    created: Time | None
    updated: Time | None
    version: int


def outlives(topic: str, type: str) -> bool:
    """Whether an event of an application means something after its erasure: what operators did to the application
    itself does, and the keys by which they did it. All else is passed over by whoever folds the log."""
    return topic == "apps" and (type.startswith("app.") or type == "key.used")


def app_key(app: str) -> Key:
    return ("app", app)


def settings_of(settings: dict[str, Any]) -> AppSettings:
    """An application's settings, typed. Raises msgspec.ValidationError for what are none."""
    return msgspec.convert(settings, AppSettings)


def keys_of(app: App) -> dict[str, AppKey]:
    """An application's keys, typed, the oldest first. Raises msgspec.ValidationError for what are none."""
    return msgspec.convert(app.keys, dict[str, AppKey])


def default_app() -> App:
    """The default application as it is before its first event."""
    return App(
        id=DEFAULT_APP, name="Default", state="active", reason=None, keys={}, tokens_before=None,
        settings=msgspec.to_builtins(AppSettings(registration=True)), plan=None, cleared=None, teams=0, created=None,
        updated=None, version=-1,
    )  # fmt: skip


def loaded_app(state: State, id: str) -> App | None:
    """The application in ``state``; the default one is always there. Raises KeyError when the key was not loaded."""
    entity = state[app_key(id)]
    if isinstance(entity, App):
        return entity
    return default_app() if id == DEFAULT_APP else None


class AppCreated(Event, frozen=True, kw_only=True):
    name: str
    #: The first API key.
    key: str
    #: Id of its sealed secret in the vault, never the secret.
    secret: str


class AppRenamed(Event, frozen=True, kw_only=True):
    name: str


class AppSettingsChanged(Event, frozen=True, kw_only=True):
    #: All settings from here on.
    settings: dict[str, Any]


class AppKeyRolled(Event, frozen=True, kw_only=True):
    """A new API key; the one before it is valid for some time yet, and all older ones are not."""

    #: The new API key.
    key: str
    #: Id of its sealed secret in the vault, never the secret.
    secret: str
    #: Until when the key before it is valid; None: there was none, or it ends at once.
    old_until: Time | None
    #: Ids of the secrets of keys that have ended, which the vault forgets.
    dropped: list[str]


class AppSuspended(Event, frozen=True, kw_only=True):
    #: Why, for other operators; None: not told.
    reason: str | None


class AppResumed(Event, frozen=True, kw_only=True):
    """The application is served again."""


class AppTokensRevoked(Event, frozen=True, kw_only=True):
    #: Tokens that were issued before are not good any more.
    before: Time


class AppErased(Event, frozen=True, kw_only=True):
    """The application is closed for good. Its other events stand in the log and mean nothing any more: whoever folds
    the log passes over them."""

    #: Why, for other operators; None: not told.
    reason: str | None


class AppErasureCompleted(Event, frozen=True, kw_only=True):
    """The rows of an erased application are gone."""

    #: How many went, by table.
    rows: dict[str, int]


class AppPlanChosen(Event, frozen=True, kw_only=True):
    #: Id of the plan that holds from here on; None: none does.
    plan: str | None


def keys(record: Record) -> tuple[Key, ...]:
    return (app_key(record.stream),)


def as_created(record: Record[AppCreated]) -> App:
    """The application as it was first made."""
    event = record.data
    return App(
        id=record.stream, name=event.name, state="active", reason=None,
        keys={event.key: _key(event.secret, record.time)}, tokens_before=None,
        settings=msgspec.to_builtins(AppSettings()), plan=None, cleared=None, teams=0, created=record.time,
        updated=record.time,
        version=record.offset,
    )  # fmt: skip


def _key(secret: str, since: Time) -> dict[str, Any]:
    key: dict[str, Any] = msgspec.to_builtins(AppKey(secret=secret, since=since))
    return key


def created(record: Record[AppCreated], state: State) -> Changes:
    app = as_created(record)
    return {app.key: app}


def _changed(record: Record, state: State, /, **fields: Any) -> Changes:
    app = loaded_app(state, record.stream)
    if app is None:
        return {}
    return {app.key: replace(app, **fields, updated=record.time, version=record.offset)}


def renamed(record: Record[AppRenamed], state: State) -> Changes:
    return _changed(record, state, name=record.data.name)


def settings_changed(record: Record[AppSettingsChanged], state: State) -> Changes:
    return _changed(record, state, settings=msgspec.to_builtins(settings_of(record.data.settings)))


def key_rolled(record: Record[AppKeyRolled], state: State) -> Changes:
    app, event = loaded_app(state, record.stream), record.data
    if app is None:
        return {}
    kept = {} if event.old_until is None else dict(list(app.keys.items())[-1:])
    for name, one in kept.items():
        kept[name] = {**one, "until": event.old_until}
    return _changed(record, state, keys={**kept, event.key: _key(event.secret, record.time)})


def suspended(record: Record[AppSuspended], state: State) -> Changes:
    return _changed(record, state, state="suspended", reason=record.data.reason)


def resumed(record: Record[AppResumed], state: State) -> Changes:
    return _changed(record, state, state="active", reason=None)


def tokens_revoked(record: Record[AppTokensRevoked], state: State) -> Changes:
    return _changed(record, state, tokens_before=record.data.before)


def erased(record: Record[AppErased], state: State) -> Changes:
    # Events of its teams are passed over from here on, whoever folds.
    return _changed(record, state, state="erased", reason=record.data.reason, keys={}, teams=0)


def erasure_completed(record: Record[AppErasureCompleted], state: State) -> Changes:
    return _changed(record, state, cleared=record.time)


def plan_chosen(record: Record[AppPlanChosen], state: State) -> Changes:
    return _changed(record, state, plan=record.data.plan)


_KEY, _NEXT = "kk_mzxw6ytboi4dcmrtgq2tmnzyha", "kk_orugs4zanfzsa3tporuw4zzaoq"
_SECRET, _OTHER = "019aa000-0000-7000-8000-000000000021", "019aa000-0000-7000-8000-000000000022"
_TIME = "2026-11-22T08:15:30.123Z"

#: Why it is not taken back.
_CHANGE, _HANDED_OUT = "an operator changes it again: apps.change", "the key may have been handed out"

ROWS = (
    EventType(
        name="app.created", struct=AppCreated, topics=("apps",), keys=keys, fold=created, makes=("app",),
        about="An application was made, with its first API key.",
        sample=AppCreated(name="Harbour", key=_KEY, secret=_SECRET),
        revert=NotRevertible("an application is suspended or erased: apps.suspend, apps.erase"),
    ),
    EventType(
        name="app.renamed", struct=AppRenamed, topics=("apps",), keys=keys, fold=renamed,
        about="An application was called otherwise.", sample=AppRenamed(name="Harbour Chat"),
        revert=NotRevertible(_CHANGE),
    ),
    EventType(
        name="app.settings_changed", struct=AppSettingsChanged, topics=("apps",), keys=keys, fold=settings_changed,
        about="How an application is run changed.", sample=AppSettingsChanged(settings={"registration": True}),
        revert=NotRevertible(_CHANGE),
    ),
    EventType(
        name="app.key_rolled", struct=AppKeyRolled, topics=("apps",), keys=keys, fold=key_rolled,
        about="An application got a new API key; the one before it is valid for some time yet, older ones are not.",
        sample=AppKeyRolled(key=_NEXT, secret=_OTHER, old_until=_TIME, dropped=[]),
        revert=NotRevertible(_HANDED_OUT),
    ),
    EventType(
        name="app.suspended", struct=AppSuspended, topics=("apps",), keys=keys, fold=suspended,
        about="An application is not served any more, until it is resumed.",
        sample=AppSuspended(reason="The bill was not paid."), revert=NotRevertible("apps.resume does"),
    ),
    EventType(
        name="app.resumed", struct=AppResumed, topics=("apps",), keys=keys, fold=resumed,
        about="A suspended application is served again.", sample=AppResumed(),
        revert=NotRevertible("apps.suspend does"),
    ),
    EventType(
        name="app.tokens_revoked", struct=AppTokensRevoked, topics=("apps",), keys=keys, fold=tokens_revoked,
        about="Tokens of an application that were issued before a time are not good any more.",
        sample=AppTokensRevoked(before=_TIME), revert=NotRevertible("who held such a token has been told"),
    ),
    EventType(
        name="app.erased", struct=AppErased, topics=("apps",), keys=keys, fold=erased,
        about="An application is closed for good, and its rows go; what the log has of it means nothing any more.",
        sample=AppErased(reason="The contract has ended."),
        revert=NotRevertible("an erased application stays erased: its rows and keys are gone"),
    ),
    EventType(
        name="app.erasure_completed", struct=AppErasureCompleted, topics=("apps",), keys=keys, fold=erasure_completed,
        about="The rows of an erased application are gone, so many of each table.",
        sample=AppErasureCompleted(rows={"users": 2, "rooms": 1, "messages": 40}),
        revert=NotRevertible("it says what was done"),
    ),
    EventType(
        name="app.plan_chosen", struct=AppPlanChosen, topics=("apps",), keys=keys, fold=plan_chosen,
        about="Another plan holds for an application, or none.",
        sample=AppPlanChosen(plan="019aa000-0000-7000-8000-000000000023"),
        revert=NotRevertible("an operator chooses again: apps.choose_plan"),
    ),
)  # fmt: skip
