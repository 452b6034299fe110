"""Decisions about erased accounts: what ends, what cannot begin again, and what is noted."""

from __future__ import annotations

from events.messages import MessageDeleted, MessagePosted
from events.rooms import RoomCreated
from events.sessions import SessionClosed, SessionOpened
from events.user_erasure import ERASED_NAME, UserErased, UserErasureNoted, erasure_of
from events.users import User, UserDeactivated, UserRegistered, user_key
from producers.commands import Command
from producers.credentials import ChangePassword
from producers.deactivation import ReactivateUser
from producers.messages import HideMessage
from producers.sessions import OpenSession
from producers.user_erasure import EraseUser, NoteErasure
from producers.users import ChangeProfile, ChooseVisual, NoteSeen
from tests.events.given import TIME
from tests.producers.given import Given

ADA = UserRegistered(
    username="ada", name="Ada", role="person", credential="c1", data={"city": "London"}, email="ada@example.org",
    external="u-17", avatar="https://a.example/a.png", bio="Notes", custom={"plan": "gold"},
)  # fmt: skip
HERE = SessionOpened(session="here", expires="2026-12-21T08:00:00.000Z")
KEEP, HIDE = UserErased(messages="keep"), UserErased(messages="hide")


def user_of(given: Given) -> User:
    user = given.log.state[user_key("s")]
    assert isinstance(user, User)
    return user


def test_it_ends_all_and_leaves_an_id() -> None:
    given = Given(ADA, HERE).when(EraseUser(user="s", messages="hide", since=1, close=["here"]), second=5)
    given.then(HIDE, SessionClosed(session="here"))
    user = user_of(given)
    assert (user.id, user.name, user.erased, user.deactivated) == ("s", ERASED_NAME, TIME.format(5), TIME.format(5))
    assert (user.username, user.email, user.external, user.credential) == ("", None, None, None)
    assert (user.avatar, user.bio, user.data, user.custom, user.seen) == (None, None, {}, {}, None)
    Given(ADA, HERE).when(EraseUser(user="s", messages="keep", since=0, close=[])).refused("outrun")
    Given().when(EraseUser(user="s", messages="keep", since=0, close=[])).refused("not_found")


def test_who_was_deactivated_keeps_the_time() -> None:
    given = Given(ADA, UserDeactivated()).when(EraseUser(user="s", messages="keep", since=1, close=[]), second=5)
    given.then(KEEP)
    assert user_of(given).deactivated == TIME.format(1)


def test_twice_is_once_and_more_may_go_later() -> None:
    keep, hide = (EraseUser(user="s", messages=one, since=0, close=[]) for one in ("keep", "hide"))
    Given(ADA, KEEP).when(keep).then()
    Given(ADA, HIDE).when(keep).then()
    Given(ADA, HIDE).when(hide).then()
    given = Given(ADA, KEEP, UserErasureNoted(rooms=1, hidden=0, done=True)).when(hide, second=9)
    given.then(HIDE)
    left = erasure_of(user_of(given))
    assert user_of(given).erased == TIME.format(1) and left is not None and left.done is None


def test_nothing_begins_again() -> None:
    refused: tuple[Command, ...] = (
        ReactivateUser(user="s"), ChangeProfile(user="s", name="B"), ChangeProfile(user="s", added_by="nobody"),
        ChooseVisual(user="s", visual="v"), ChangePassword(user="s", was=None, credential="c2", since=1, close=[]),
    )  # fmt: skip
    for command in refused:
        Given(ADA, KEEP).when(command).refused("erased")
    expires = "2026-12-21T08:00:00.000Z"
    Given(ADA, KEEP).when(OpenSession(user="s", credential=None, expires=expires), id="new").refused("forbidden")
    # What only asks, and the end of the last visit.
    Given(ADA, KEEP).when(ChangeProfile(user="s")).then()
    Given(ADA, KEEP).when(NoteSeen(user="s", seen=TIME.format(3)), second=5).then()


def test_what_is_noted_only_grows() -> None:
    def note(rooms: int, hidden: int, *, done: bool = False) -> NoteErasure:
        return NoteErasure(user="s", rooms=rooms, hidden=hidden, done=done)

    noted = UserErasureNoted(rooms=2, hidden=1000, done=False)
    Given(ADA, HIDE).when(note(2, 1000)).then(noted)
    Given(ADA, HIDE, noted).when(note(2, 500)).then()
    given = Given(ADA, HIDE, noted).when(note(2, 1500, done=True), second=9)
    given.then(UserErasureNoted(rooms=2, hidden=1500, done=True))
    left = erasure_of(user_of(given))
    assert left is not None and (left.rooms, left.hidden, left.done) == (2, 1500, TIME.format(9))
    Given(ADA, HIDE, UserErasureNoted(rooms=2, hidden=1500, done=True)).when(note(2, 1500, done=True)).then()
    Given(ADA).when(note(0, 0)).refused("not_found")


SAID = (
    RoomCreated(type="group", visibility="private", name="R", data={}),
    MessagePosted(message="m", seq=1, token="t", type="text", content={"text": "x"}, data={}),
)


def test_messages_of_theirs_go_wherever_they_stand() -> None:
    Given(*SAID).when(HideMessage(room="s", message="m", author="ada"), actor="system").then(
        MessageDeleted(message="m")
    )
    Given(*SAID, MessageDeleted(message="m")).when(HideMessage(room="s", message="m", author="ada")).then()
    for command in (
        HideMessage(room="s", message="m", author="bob"),
        HideMessage(room="s", message="other", author="ada"),
    ):
        Given(*SAID).when(command).refused("not_found")
