"""Decisions about passwords: who has proved what, and which sessions end with the old one."""

from __future__ import annotations

from typing import Any

import pytest

from events.sessions import Session, SessionClosed, SessionOpened, session_key
from events.users import User, UserPasswordChanged, UserProfileChanged, UserRegistered, user_key
from producers.credentials import ChangePassword
from producers.sessions import OpenSession
from tests.producers.given import Given

ADA = UserRegistered(username="ada", name="Ada", role="person", credential="c1", data={})
NOBODY = UserRegistered(username="ada", name="Ada", role="person", credential=None, data={})
BOT = UserRegistered(username="bot", name="Bot", role="service", credential=None, data={})
EXPIRES = "2026-12-21T08:00:00.000Z"
HERE, THERE = SessionOpened(session="here", expires=EXPIRES), SessionOpened(session="there", expires=EXPIRES)


def change(**fields: Any) -> ChangePassword:
    given: dict[str, Any] = {"user": "s", "was": "c1", "credential": "c2", "since": 2, "close": ["there"]}
    return ChangePassword(**{**given, **fields})


def test_the_password_and_the_other_sessions_change_together() -> None:
    given = Given(ADA, HERE, THERE).when(change())
    given.then(UserPasswordChanged(credential="c2", was="c1"), SessionClosed(session="there"))
    user, here = given.log.state[user_key("s")], given.log.state[session_key("s", "here")]
    assert isinstance(user, User) and user.credential == "c2"
    assert isinstance(here, Session) and here.closed is None
    # From here on the old password opens nothing.
    given.when(OpenSession(user="s", credential="c1", expires=EXPIRES), id="again").refused("unauthenticated")


def test_without_a_password_the_first_one_is_set() -> None:
    given = Given(NOBODY).when(change(was=None, since=0, close=[]))
    given.then(UserPasswordChanged(credential="c2", was=None))
    Given(NOBODY).when(change(was="c1", since=0, close=[])).refused("forbidden")


def test_another_password_meanwhile_is_not_overwritten() -> None:
    given = Given(ADA, HERE, UserPasswordChanged(credential="c9", was="c1"))
    given.when(change(close=[])).refused("forbidden")
    Given(ADA).when(change(was=None, since=0, close=[])).refused("forbidden")


def test_a_log_in_that_nobody_saw_is_not_missed() -> None:
    given = Given(ADA, HERE, THERE, SessionOpened(session="new", expires=EXPIRES)).when(change()).refused("outrun")
    given.when(change(since=3, close=["there", "new"]), id="more").then(
        UserPasswordChanged(credential="c2", was="c1"), SessionClosed(session="there"), SessionClosed(session="new")
    )


def test_sessions_that_ended_or_never_were_are_passed_over() -> None:
    closed = SessionClosed(session="there")
    Given(ADA, HERE, THERE, closed).when(change(close=["there", "nothing"])).then(
        UserPasswordChanged(credential="c2", was="c1")
    )


@pytest.mark.parametrize(
    ("before", "command", "code"),
    [((), change(since=0, close=[]), "not_found"), ((BOT,), change(was=None, since=0, close=[]), "forbidden"),
     ((ADA, UserProfileChanged(name="x")), change(since=0, close=[]), "outrun")],
)  # fmt: skip
def test_what_is_refused(before: tuple[Any, ...], command: ChangePassword, code: str) -> None:
    Given(*before).when(command).refused(code)
