"""Decisions about who can use their account: what ends with it, and what cannot begin."""

from __future__ import annotations

from events.sessions import SessionClosed, SessionOpened
from events.users import User, UserDeactivated, UserReactivated, UserRegistered, user_key
from producers.deactivation import DeactivateUser, ReactivateUser
from producers.sessions import IssueSession, OpenSession
from tests.producers.given import Given

ADA = UserRegistered(username="ada", name="Ada", role="person", credential="c1", data={})
EXPIRES = "2026-12-21T08:00:00.000Z"
HERE, THERE = SessionOpened(session="here", expires=EXPIRES), SessionOpened(session="there", expires=EXPIRES)


def test_it_ends_with_all_sessions() -> None:
    given = Given(ADA, HERE, THERE).when(DeactivateUser(user="s", reason="Gone", since=2, close=["here", "there"]))
    given.then(UserDeactivated(reason="Gone"), SessionClosed(session="here"), SessionClosed(session="there"))
    # One that has ended by itself since.
    ended = Given(ADA, HERE).when(DeactivateUser(user="s", since=1, close=["here", "other"]))
    ended.then(UserDeactivated(), SessionClosed(session="here"))


def test_a_log_in_in_between_is_not_missed() -> None:
    Given(ADA, HERE).when(DeactivateUser(user="s", since=0, close=[])).refused("outrun")


def test_who_is_deactivated_opens_no_session() -> None:
    for command in (OpenSession(user="s", credential="c1", expires=EXPIRES), IssueSession(user="s", expires=EXPIRES)):
        Given(ADA, UserDeactivated()).when(command, id="new").refused("forbidden")
        Given(ADA, UserDeactivated(), UserReactivated()).when(command, id="new").then(
            SessionOpened(session="new", expires=EXPIRES)
        )


def test_twice_is_once() -> None:
    Given(ADA, UserDeactivated()).when(DeactivateUser(user="s", since=0, close=[])).then()
    Given(ADA).when(ReactivateUser(user="s")).then()
    Given(ADA, UserDeactivated()).when(ReactivateUser(user="s")).then(UserReactivated())
    for command in (DeactivateUser(user="s", since=0, close=[]), ReactivateUser(user="s")):
        Given().when(command).refused("not_found")


def test_since_when_is_known() -> None:
    given = Given(ADA).when(DeactivateUser(user="s", since=0, close=[]))
    user = given.log.state[user_key("s")]
    assert isinstance(user, User) and user.deactivated == user.updated
