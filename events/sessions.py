"""Sessions: what a token stands for. Part of the user's stream (topic ``users``)."""

from __future__ import annotations

from typing import ClassVar

from msgspec.structs import replace

from events.core.clock import Time
from events.core.records import Changes, Entity, Event, EventType, Key, Record, State
from events.core.revert_rules import NotRevertible
from events.users import loaded_user, user_key


class Session(Entity, frozen=True, kw_only=True):
    """A log-in of a user. Its token is valid until it expires or is closed."""

    kind: ClassVar = "session"
    key_fields: ClassVar = ("user", "id")

    user: str
    id: str
    opened: Time
    #: When the latest of its tokens ends.
    expires: Time
    closed: Time | None
    #: Whether it ends only after a time without use: ``expires`` is moved on, and its tokens end later.
    sliding: bool = False
    #: What the device on which it was opened calls itself; None: it did not say.
    device: str | None = None
    #: When it was last noted to be in use; None: a session of before this was noted.
    used: Time | None = None
    #: Offset of its opening: sessions are listed in this order, as clocks of machines differ.
    since: int
    version: int


def session_key(user: str, session: str) -> Key:
    return ("session", user, session)


class SessionOpened(Event, frozen=True, kw_only=True):
    session: str
    expires: Time
    #: Whether it ends only after a time without use.
    sliding: bool = False
    #: What the device calls itself.
    device: str | None = None


class SessionRenewed(Event, frozen=True, kw_only=True):
    session: str
    #: When the new token ends; earlier ones end when they said.
    expires: Time


class SessionUsed(Event, frozen=True, kw_only=True):
    """A session was in use: noted now and then, not with every request."""

    session: str
    #: When it ends if it is not used any more.
    expires: Time


class SessionClosed(Event, frozen=True, kw_only=True):
    session: str


def opened_keys(record: Record[SessionOpened]) -> tuple[Key, ...]:
    return (user_key(record.stream), session_key(record.stream, record.data.session))


def opened(record: Record[SessionOpened], state: State) -> Changes:
    """Opens the session, and notes the log-in: in the user's data, as S0 asks, and as the moment last seen (S2)."""
    event = record.data
    session = Session(
        user=record.stream, id=event.session, opened=record.time, expires=event.expires, closed=None,
        sliding=event.sliding, device=event.device, used=record.time, since=record.offset, version=record.offset,
    )  # fmt: skip
    changes: Changes = {session.key: session}
    user = loaded_user(state, record.stream)
    if user is not None:
        data = {**user.data, "last_login": record.time}
        seen = max(user.seen or record.time, record.time)
        changes[user.key] = replace(user, data=data, seen=seen, updated=record.time, version=record.offset)
    return changes


def keys(record: Record[SessionRenewed | SessionUsed | SessionClosed]) -> tuple[Key, ...]:
    return (session_key(record.stream, record.data.session),)


def loaded_open(state: State, user: str, session: str) -> Session | None:
    """The session in ``state``; None when there is none, or it was closed. KeyError when it was not loaded."""
    entity = state[session_key(user, session)]
    return entity if isinstance(entity, Session) and entity.closed is None else None


def renewed(record: Record[SessionRenewed | SessionUsed], state: State) -> Changes:
    event = record.data
    session = loaded_open(state, record.stream, event.session)
    if session is None:
        return {}
    expires = max(session.expires, event.expires)
    return {session.key: replace(session, expires=expires, used=record.time, version=record.offset)}


def closed(record: Record[SessionClosed], state: State) -> Changes:
    event = record.data
    session = loaded_open(state, record.stream, event.session)
    if session is None:
        return {}
    return {session.key: replace(session, closed=record.time, version=record.offset)}


#: Why it is not taken back.
_PROOF = "it proves who somebody is"

ROWS = (
    EventType(
        name="session.opened", struct=SessionOpened, topics=("users",), keys=opened_keys, fold=opened,
        about="A user logged in.", version=2,
        sample=SessionOpened(
            session="019aa000-0000-7000-8000-000000000003", expires="2026-12-21T08:00:00.000Z", sliding=True,
            device="Ada's phone",
        ),
        revert=NotRevertible(_PROOF),
    ),
    EventType(
        name="session.renewed", struct=SessionRenewed, topics=("users",), keys=keys, fold=renewed,
        about="A session goes on: it has a new token, which ends later.",
        sample=SessionRenewed(
            session="019aa000-0000-7000-8000-000000000003", expires="2026-12-21T09:00:00.000Z"
        ),
        revert=NotRevertible(_PROOF),
    ),
    EventType(
        name="session.used", struct=SessionUsed, topics=("users",), keys=keys, fold=renewed,
        about="A session was in use, and ends later. Noted at most 24 times in the length of a session.",
        sample=SessionUsed(
            session="019aa000-0000-7000-8000-000000000003", expires="2026-12-21T10:00:00.000Z"
        ),
        revert=NotRevertible(_PROOF),
    ),
    EventType(
        name="session.closed", struct=SessionClosed, topics=("users",), keys=keys, fold=closed,
        about="A user logged out, or the session was revoked: its token is void.",
        sample=SessionClosed(session="019aa000-0000-7000-8000-000000000003"),
        revert=NotRevertible(_PROOF),
    ),
)  # fmt: skip
