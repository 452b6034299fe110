"""Decisions about who can use their account: what ends with it, and what cannot begin."""

from __future__ import annotations

from events.sessions import SessionClosed, SessionOpened
from events.users import User, UserDeactivated, UserReactivated, UserRegistered, UserTokensRevoked, user_key
from producers.deactivation import DeactivateUser, ReactivateUser, RevokeTokens
from producers.sessions import IssueSession, OpenSession
from tests.events.given import TIME
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


def test_revoked_are_tokens_and_sessions_of_before() -> None:
    given = Given(ADA, HERE, THERE).when(RevokeTokens(user="s", since=2, close=["here", "there"]), second=9)
    given.then(UserTokensRevoked(before=TIME.format(9)), SessionClosed(session="here"), SessionClosed(session="there"))
    user = given.log.state[user_key("s")]
    assert isinstance(user, User) and user.tokens_before == TIME.format(9) and user.updated < TIME.format(9)
    # Sessions that were opened at the time or later go on.
    later = RevokeTokens(user="s", before=TIME.format(2), since=2, close=["here", "there"])
    Given(ADA, HERE, THERE).when(later, second=9).then(
        UserTokensRevoked(before=TIME.format(2)), SessionClosed(session="here")
    )


def test_a_revocation_never_moves_back_and_is_of_the_past() -> None:
    revoked = UserTokensRevoked(before=TIME.format(5))
    for before in (5, 4):
        command = RevokeTokens(user="s", before=TIME.format(before), since=0, close=[])
        Given(ADA, revoked).when(command, second=9).then()
    Given(ADA).when(RevokeTokens(user="s", before=TIME.format(9), since=0, close=[]), second=8).refused("invalid")
    Given(ADA, HERE).when(RevokeTokens(user="s", since=0, close=[]), second=9).refused("outrun")
    Given().when(RevokeTokens(user="s", since=0, close=[])).refused("not_found")
