"""Made-up logs: the same each time, and such as producers could have written."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from events.members import MemberJoined, MemberRead
from events.messages import MessageEdited, MessagePosted
from events.rooms import RoomCreated
from events.users import UserRegistered
from infra.ops.irc.logs import BadLog
from tests.bench.story import Happening, Shape, Story

SHAPE = Shape(users=20, rooms=5, members=4, crowds=(15,), reader=3)


def told(shape: Shape, messages: int, seed: int = 1) -> list[Happening]:
    story = Story(shape, seed)
    return [*story.beginning(), *story.going_on(messages)]


def check(happenings: list[Happening]) -> None:
    """Rooms come before members, members before what they say, edit and read; numbers have no gaps."""
    users, members, authors = set[str](), set[tuple[str, str]](), dict[str, str]()
    seqs = Counter[str]()
    for happening in happenings:
        room, actor, event = happening.stream, happening.actor, happening.event
        match event:
            case UserRegistered():
                users.add(room)
            case RoomCreated():
                assert actor in users
            case MemberJoined():
                assert event.user in users
                assert (room, event.user) not in members
                members.add((room, event.user))
            case MessagePosted():
                assert (room, actor) in members
                seqs[room] += 1
                assert event.seq == seqs[room]
                authors[event.message] = actor
            case MessageEdited():
                assert authors[event.message] == actor
            case MemberRead():
                assert (room, event.user) in members
                assert event.seq <= seqs[room]
            case _:
                raise AssertionError(f"unexpected {event}")


def test_a_story_is_the_same_each_time() -> None:
    assert told(SHAPE, 300) == told(SHAPE, 300)
    assert told(SHAPE, 300) != told(SHAPE, 300, seed=2)


def test_what_happens_could_have_happened() -> None:
    happenings = told(SHAPE, 300)
    check(happenings)
    kinds = Counter(type(happening.event) for happening in happenings)
    assert kinds[MessagePosted] == 300
    assert min(kinds[MessageEdited], kinds[MemberRead]) > 0
    ids = [happening.id for happening in happenings]
    assert len(set(ids)) == len(ids)
    assert [happening.at for happening in happenings] == sorted(happening.at for happening in happenings)


def test_rooms_have_the_members_that_were_asked_for() -> None:
    story = Story(SHAPE)
    list(story.beginning())
    assert [len(story.members[room]) for room in story.rooms] == [15, 4, 4, 4, 4]
    assert all(story.users[0] in story.members[room] for room in story.rooms[:3])


def test_a_story_goes_on_where_it_was_left() -> None:
    story = Story(SHAPE)
    found = [*story.beginning(), *islice(story.going_on(1000), 50), *story.going_on(30)]
    check(found)
    assert story.messages == sum(isinstance(happening.event, MessagePosted) for happening in found)


def test_lines_of_irc_are_said_over_and_over_in_new_rooms(tmp_path: Path) -> None:
    (tmp_path / "2010-01-01.txt").write_text(
        "[10:00] <ada> hello\n=== bob [b@host] has joined #x\n[10:01] <bob> hi \x02ada\n"
    )
    story = Story(Shape(irc=tmp_path))
    happenings = [*story.beginning(), *story.going_on(5)]
    check(happenings)
    said = [(happening.stream, happening.event.content["text"]) for happening in happenings
            if isinstance(happening.event, MessagePosted)]  # fmt: skip
    assert said == [
        ("irc-0", "hello"),
        ("irc-0", "hi ada"),
        ("irc-1", "hello"),
        ("irc-1", "hi ada"),
        ("irc-2", "hello"),
    ]
    assert len(story.users) == 2


def test_logs_in_which_nobody_speaks_are_refused(tmp_path: Path) -> None:
    (tmp_path / "2010-01-01.txt").write_text("=== bob [b@host] has joined #x\n")
    with pytest.raises(BadLog, match="found none"):
        list(Story(Shape(irc=tmp_path)).going_on(1))
