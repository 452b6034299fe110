"""Decisions about sessions that end where they are not used."""

from __future__ import annotations

from events.sessions import Session, SessionClosed, SessionOpened, SessionRenewed, SessionUsed, session_key
from events.users import UserRegistered
from producers.sessions import IssueSession, OpenSession, RenewSession, UseSession
from tests.events.given import TIME
from tests.producers.given import Given

ADA = UserRegistered(username="ada", name="Ada", role="person", credential="c1", data={})
EXPIRES, LATER, LAST = "2026-12-21T08:00:00.000Z", "2026-12-22T08:00:00.000Z", "2026-12-23T08:00:00.000Z"
HERE = SessionOpened(session="x", expires=EXPIRES, sliding=True, device="Phone")


def session_of(given: Given) -> Session:
    session = given.log.state[session_key("s", "x")]
    assert isinstance(session, Session)
    return session


def test_it_is_opened_on_a_device() -> None:
    for command in (
        OpenSession(user="s", credential="c1", expires=EXPIRES, sliding=True, device="Phone"),
        IssueSession(user="s", expires=EXPIRES, sliding=True, device="Phone"),
    ):
        given = Given(ADA).when(command, id="x", second=5)
        given.then(HERE)
        session = session_of(given)
        assert (session.sliding, session.device, session.used) == (True, "Phone", TIME.format(5))
        Given(ADA).when(IssueSession(user="s", expires=EXPIRES, device="two\nlines")).refused("invalid")
    # As events of before say it: nothing of either.
    before = session_of(Given(ADA, SessionOpened(session="x", expires=EXPIRES)).when(RenewSession(
        user="s", session="x", expires=LATER
    ), second=7))  # fmt: skip
    assert (before.sliding, before.device, before.used) == (False, None, TIME.format(7))


def test_use_moves_its_end_on_and_never_back() -> None:
    given = Given(ADA, HERE).when(UseSession(user="s", session="x", expires=LATER), actor="system", second=9)
    given.then(SessionUsed(session="x", expires=LATER))
    assert (session_of(given).expires, session_of(given).used) == (LATER, TIME.format(9))
    used = SessionUsed(session="x", expires=LATER)
    Given(ADA, HERE, used).when(UseSession(user="s", session="x", expires=LATER)).then()
    Given(ADA, HERE, used).when(UseSession(user="s", session="x", expires=EXPIRES)).then()
    Given(ADA, HERE, used).when(RenewSession(user="s", session="x", expires=LAST), second=9).then(
        SessionRenewed(session="x", expires=LAST)
    )


def test_what_has_ended_is_not_used() -> None:
    over = SessionOpened(session="x", expires=TIME.format(3), sliding=True)
    command = UseSession(user="s", session="x", expires=LATER)
    Given(ADA, over).when(command, second=3).then()
    Given(ADA, HERE, SessionClosed(session="x")).when(command).then()
    Given(ADA).when(command).then()
