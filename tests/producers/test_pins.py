"""Decisions about pins: pinning, its bound, what a deletion does to a pin, and taking back."""

from __future__ import annotations

from typing import Any

from events.members import MemberJoined
from events.messages import MessageDeleted, MessageRestored
from events.pins import MessagePinned, MessageUnpinned, Pin, pin_key
from events.rooms import Room, RoomArchived, room_key
from producers.messages import DeleteMessage
from producers.pins import PINS, PinMessage, UnpinMessage
from producers.revertible import RevertInRoom
from tests.events.given import TIME
from tests.producers.given import Given
from tests.producers.scenes import DIRECT, PUBLIC, join, posted, room

PIN, UNPIN = PinMessage(room="s", message="m"), UnpinMessage(room="s", message="m")
PINNED, UNPINNED = MessagePinned(message="m"), MessageUnpinned(message="m")
GONE = MessageDeleted(message="m")


def said(*more: Any) -> Given:
    """Ada's room with bob and a message ``m``, and what happened then."""
    return room(PUBLIC, "ada", "bob", more=(posted("m", 1), *more))


def pinned(given: Given) -> int:
    found = given.log.state[room_key("s")]
    assert isinstance(found, Room)
    return found.pins


def set_back(was: str, became: str) -> RevertInRoom:
    return RevertInRoom(room="s", kind="pin", id="m", was={"state": was}, became={"state": became})


def test_a_pin_says_who_and_when() -> None:
    given = said().when(PIN, second=7).then(PINNED)
    pin = given.log.state[pin_key("s", "m")]
    assert isinstance(pin, Pin) and (pin.state, pin.by, pin.pinned) == ("pinned", "ada", TIME.format(7))
    assert pinned(given) == 1


def test_pinning_what_is_pinned_changes_nothing() -> None:
    given = said(PINNED).when(PIN).then()
    assert pinned(given) == 1
    assert pinned(given.when(UNPIN, id="a").then(UNPINNED).when(UNPIN, id="b").then()) == 0
    given.when(PIN, id="c").then(PINNED)


def test_only_messages_of_the_room_that_are_shown() -> None:
    said(GONE).when(PIN).refused("not_found")
    said(GONE).when(UNPIN).then()
    said().when(PinMessage(room="s", message="nobody's")).refused("not_found")
    said().when(UnpinMessage(room="s", message="nobody's")).refused("not_found")
    elsewhere = said()
    elsewhere.log.append(PUBLIC, join("ada", "owner"), posted("far", 1), stream="t")
    elsewhere.when(PinMessage(room="s", message="far")).refused("not_found")


def test_who_may() -> None:
    said().when(PIN, actor="bob").refused("forbidden")
    said(PINNED).when(UNPIN, actor="bob").refused("forbidden")
    said().when(PIN, actor="eve").refused("not_found")
    said(RoomArchived()).when(PIN).refused("archived")
    direct = Given(DIRECT, MemberJoined(user="ada", role="member"), MemberJoined(user="bob", role="member"))
    direct.log.append(posted("m", 1), stream="s")
    direct.when(PIN, actor="bob").then(PINNED).when(UNPIN, actor="ada").then(UNPINNED)


def test_a_room_has_a_bounded_number() -> None:
    given = room(PUBLIC, "ada", more=tuple(posted(f"m{n}", n, f"t{n}") for n in range(1, PINS + 2)))
    for n in range(1, PINS + 1):
        given.when(PinMessage(room="s", message=f"m{n}"), key=f"k{n}").then(MessagePinned(message=f"m{n}"))
    last = PinMessage(room="s", message=f"m{PINS + 1}")
    given.when(last).refused("too_many")
    given.when(PinMessage(room="s", message="m1")).then()
    given.when(UnpinMessage(room="s", message="m1")).then(MessageUnpinned(message="m1"))
    given.when(last).then(MessagePinned(message=f"m{PINS + 1}"))
    assert pinned(given) == PINS


def test_what_is_deleted_is_unpinned() -> None:
    given = said(PINNED).when(DeleteMessage(room="s", message="m")).then(UNPINNED, GONE)
    assert pinned(given) == 0
    back = RevertInRoom(room="s", kind="message", id="m", was={"deleted": True}, became={"deleted": False})
    said(PINNED).when(back).then(UNPINNED, GONE)


def test_a_pin_is_taken_back() -> None:
    said(PINNED).when(set_back("unpinned", "pinned")).then(UNPINNED)
    said(PINNED, UNPINNED).when(set_back("pinned", "unpinned")).then(PINNED)
    said(PINNED, UNPINNED).when(set_back("unpinned", "pinned")).then()
    said(PINNED, UNPINNED, GONE).when(set_back("pinned", "unpinned")).refused("not_found")
    said(PINNED, UNPINNED, GONE, MessageRestored(message="m")).when(set_back("pinned", "unpinned")).then(PINNED)
    said().when(RevertInRoom(room="t", kind="pin", id="m", was={"state": "pinned"}, became={"state": "unpinned"})
    ).refused("not_found")  # fmt: skip
