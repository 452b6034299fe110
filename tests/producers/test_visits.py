"""Decisions about sessions that go on and visits that end; users from created to active (S2's states).
Tests ``producers/sessions.py`` and ``producers/users.py``."""

from __future__ import annotations

import pytest

from events.core.clock import after
from events.sessions import Session, SessionClosed, SessionOpened, SessionRenewed, session_key
from events.users import User, UserRegistered, UserSeen, user_key
from producers.sessions import CloseSession, OpenSession, RenewSession
from producers.users import SEEN_SECONDS, NoteSeen
from tests.events.given import TIME
from tests.producers.given import Given

REGISTERED = UserRegistered(username="ada", name="Ada", role="person", credential="c1", data={})
NOW = TIME.format(50)
EXPIRES, LATER = "2026-11-21T09:00:00.000Z", "2026-11-21T10:00:00.000Z"
OPENED = SessionOpened(session="i", expires=EXPIRES)


def user(given: Given) -> User:
    found = given.log.state[user_key("s")]
    assert isinstance(found, User)
    return found


def test_a_user_is_created_until_the_first_log_in() -> None:
    given = Given(REGISTERED)
    assert user(given).seen is None
    given.when(OpenSession(user="s", credential="c1", expires=EXPIRES), id="i", second=7)
    assert user(given).seen == TIME.format(7)


def test_a_visit_that_ended_is_noted_once() -> None:
    note = NoteSeen(user="s", seen=TIME.format(30))
    given = Given(REGISTERED).when(note, actor="system", second=50).then(UserSeen(seen=TIME.format(30)))
    assert user(given).seen == TIME.format(30) and user(given).updated == TIME.format(0)
    given.when(note, actor="system", id="again", second=50).then()


@pytest.mark.parametrize(("seconds", "noted"), [(-3600, False), (0, False), (SEEN_SECONDS - 0.001, False),
                                                (SEEN_SECONDS, True), (86400, True)])  # fmt: skip
def test_what_is_near_to_what_is_noted_makes_no_event(seconds: float, noted: bool) -> None:
    before = "2026-11-19T12:00:00.000Z"
    seen = after(before, seconds)
    Given(REGISTERED, UserSeen(seen=before)).when(NoteSeen(user="s", seen=seen), second=50).then(
        *([UserSeen(seen=seen)] if noted else [])
    )


def test_visits_that_cannot_be_noted() -> None:
    Given(REGISTERED).when(NoteSeen(user="s", seen=after(NOW, 0.001)), second=50).refused("invalid")
    Given(REGISTERED).when(NoteSeen(user="s", seen=NOW), second=50).then(UserSeen(seen=NOW))
    Given().when(NoteSeen(user="s", seen=NOW), second=50).refused("not_found")


def test_a_log_in_never_moves_last_seen_back() -> None:
    given = Given(REGISTERED, UserSeen(seen=TIME.format(40)), OPENED)
    assert user(given).seen == TIME.format(40)


def test_a_session_goes_on() -> None:
    renew = RenewSession(user="s", session="i", expires=LATER)
    given = Given(REGISTERED, OPENED).when(renew).then(SessionRenewed(session="i", expires=LATER))
    session = given.log.state[session_key("s", "i")]
    assert isinstance(session, Session) and (session.expires, session.opened) == (LATER, TIME.format(1))
    # Nothing makes it end earlier.
    for expires in (LATER, EXPIRES):
        given.when(RenewSession(user="s", session="i", expires=expires), id=expires).then()


def test_a_session_that_has_ended_does_not_go_on() -> None:
    renew = RenewSession(user="s", session="i", expires=LATER)
    Given(REGISTERED, OPENED, SessionClosed(session="i")).when(renew).refused("token_revoked")
    over = SessionOpened(session="i", expires=NOW)
    Given(REGISTERED, over).when(renew, second=50).refused("token_expired")
    Given(REGISTERED, over).when(renew, second=49).then(SessionRenewed(session="i", expires=LATER))
    Given(REGISTERED).when(renew).refused("not_found")
    # Its latest end counts, not its first.
    given = Given(REGISTERED, over, SessionRenewed(session="i", expires=EXPIRES))
    given.when(renew, second=55).then(SessionRenewed(session="i", expires=LATER))
    given.when(CloseSession(user="s", session="i"), id="close").then(SessionClosed(session="i"))
