"""Turns: commands that build on each other, keys, full batches, faults. And the cache beneath them."""

from __future__ import annotations

import msgspec
import pytest

from events.core.records import Entity, Key
from events.members import Member, member_key
from events.messages import Message, MessageDeleted, MessagePosted, message_key
from events.registry import REGISTRY
from events.rooms import Room, room_key
from producers.batch.cache import StateCache, receipt_key
from producers.batch.command_batch import BATCH_BYTES, CommandBatch, Internal
from producers.commands import Outcome, Refused
from producers.members import AddMember, MarkRead, RemoveMember
from producers.messages import DeleteMessage, PostMessage
from producers.rooms import ChangeRoom
from tests.producers.given import Log, group, order, say, types


def test_commands_of_one_turn_build_on_each_other() -> None:
    log = Log()
    answers = log.turn(
        order(group("ada", "bob"), id="1"), order(say("t"), actor="bob", id="2", key="t"),
        order(say("u"), actor="eve", id="3", key="u"), order(AddMember(room="r", user="eve"), actor="eve", id="4"),
        order(say("u"), actor="eve", id="5", key="u"),
    )  # fmt: skip
    assert types(log.records) == ["room.created", "member.joined", "member.joined", "message.posted", "member.joined",
                                  "message.posted"]  # fmt: skip
    assert isinstance(answers[2], Refused)
    last = answers[4]
    assert isinstance(last, Outcome) and last.position is not None and last.position.offset == 5
    assert [record.offset for record in log.records] == list(range(6))
    room = log.state[room_key("r")]
    # Between bob's message and eve's stands the notice that she joined.
    assert isinstance(room, Room) and (room.seq, room.members) == (3, 3)


def test_the_same_key_twice_in_a_turn_happens_once() -> None:
    log = Log()
    log.turn(order(group("ada")))
    first, again, other = log.turn(
        order(say("t"), id="1", key="t"), order(say("t", "y"), id="2", key="t"), order(say("u"), id="3", key="u")
    )
    assert isinstance(first, Outcome) and isinstance(again, Outcome) and isinstance(other, Outcome)
    assert list(first.records) == list(again.records) and not first.repeated and again.repeated
    with pytest.raises(LookupError, match=r"expected an event MessageDeleted, got \['MessagePosted'\]"):
        first.record(MessageDeleted)
    assert first.entity(Room, room_key("r")).seq == 1
    for kind, key in ((Member, room_key("r")), (Room, room_key("s"))):
        with pytest.raises(LookupError):
            first.entity(kind, key)
    assert other.record(MessagePosted).data.seq == 2


def test_what_is_to_be_refused_is_answered_if_its_key_was_used() -> None:
    log = Log()
    log.turn(order(group("ada")))
    barred = {"refusal": ("forbidden", "expected people who may talk with each other")}
    log.turn(order(say("t"), id="1", key="t"))
    again, new = log.turn(
        msgspec.structs.replace(order(say("t"), id="2", key="t"), **barred),
        msgspec.structs.replace(order(say("u"), id="3", key="u"), **barred),
    )
    assert isinstance(again, Outcome) and again.repeated and again.record(MessagePosted).data.seq == 1
    assert isinstance(new, Refused) and (new.code, new.detail) == barred["refusal"]
    # Refused, it is not remembered: once nothing stands in the way, it happens.
    (later,) = log.turn(order(say("u"), id="4", key="u"))
    assert isinstance(later, Outcome) and not later.repeated and later.records


def test_a_clients_key_is_remembered_also_where_nothing_happens() -> None:
    log = Log()
    log.turn(order(group("ada", "bob")))
    add = AddMember(room="r", user="bob")
    before = dict(log.state)
    first, without = log.turn(order(add, id="1", key="k", keep=True), order(add, id="2", key="other"))
    assert isinstance(first, Outcome) and not first.repeated and not first.changed
    assert types(first.records) == ["key.used"] and first.records[0].command == "AddMember:k"
    assert isinstance(without, Outcome) and not without.records
    assert {key: log.state.get(key) for key in before} == before
    # Bob leaves, and the first one comes again: late, and with the same key.
    log.turn(order(RemoveMember(room="r", user="bob"), actor="bob", id="3"))
    (again,) = log.turn(order(add, id="4", key="k", keep=True))
    assert isinstance(again, Outcome) and again.repeated and list(again.records) == list(first.records)
    member = log.state[member_key("r", "bob")]
    assert isinstance(member, Member) and member.state == "left"


def test_another_request_with_a_used_key_is_refused() -> None:
    log = Log()
    log.turn(order(group("ada")))
    log.turn(order(say("t"), id="1", key="t", keep=True, digest="aaaa1111"))
    same, reused, elsewhere, without = log.turn(
        order(say("t"), id="2", key="t", keep=True, digest="aaaa1111"),
        order(say("t", "other"), id="3", key="t", keep=True, digest="aaaa2222"),
        # Made with another secret, or of before there were any: that does not tell.
        order(say("t"), id="4", key="t", keep=True, digest="bbbb3333"),
        order(say("t"), id="5", key="t", keep=True),
    )
    assert isinstance(reused, Refused) and reused.code == "key_reused"
    for answer in (same, elsewhere, without):
        assert isinstance(answer, Outcome) and answer.repeated and answer.records[0].id == "1.0"


def test_the_digest_stands_on_a_commands_first_event() -> None:
    log = Log()
    (made,) = log.turn(order(group("ada", "bob"), key="k", keep=True, digest="aaaa1111"))
    assert isinstance(made, Outcome)
    assert [record.digest for record in made.records] == ["aaaa1111", None, None]


def test_a_repeated_outcome_tells_what_became_of_what_its_events_made() -> None:
    log = Log()
    log.turn(order(group("ada")))
    log.turn(order(say("t"), id="1", key="t"))
    log.turn(order(DeleteMessage(room="r", message="1"), id="2"))
    (again,) = log.turn(order(say("t"), id="3", key="t"))
    assert isinstance(again, Outcome) and again.repeated
    found = again.state[message_key("1")]
    assert isinstance(found, Message) and found.deleted


def test_keys_of_other_commands_actors_and_streams_are_others() -> None:
    log = Log()
    log.turn(order(group("ada", "bob")))
    answers = log.turn(
        order(say("k"), key="k", id="1"), order(say("k"), key="k", id="2", actor="bob"),
        order(ChangeRoom(room="r", name="N"), key="k", id="3"), order(MarkRead(room="r", seq=0), key="k", id="4"),
    )  # fmt: skip
    assert all(isinstance(answer, Outcome) and not answer.repeated and answer.records for answer in answers)


def turn(state: dict[Key, Entity | None]) -> CommandBatch:
    return CommandBatch("t", 0, 0, "klatsch/test", state, {})


def test_a_full_batch_leaves_the_rest_for_the_next_turn() -> None:
    log = Log()
    log.turn(order(group("ada")))
    found = turn(dict(log.state))
    big = {f"k{n}": "ü" * 1024 for n in range(3)}
    taken = 0
    one = order(say(str(taken)))
    while found.decide(one):
        taken += 1
        assert found.results[-1].error is None, found.results[-1]
        content = PostMessage(room="r", token=str(taken), type="custom", content={"x": "y" * 16_000}, data=big)
        one = order(content, id=str(taken))
        # A batch has room for only so many entities that were loaded.
        found._state[("message", str(taken))] = None
    assert 30 < taken < 60 and len(found.results) == taken == len(found.appends)
    assert sum(len(key) + len(value) for key, value in found.appends) <= BATCH_BYTES
    # A small one would fit, but what comes later must not overtake: the caller stops at the first that does not fit.
    assert [record.data.seq for record in found.records] == list(range(1, taken + 1))  # type: ignore[attr-defined]


def test_a_command_too_large_for_any_batch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("producers.batch.command_batch.BATCH_BYTES", 1000)
    log = Log()
    (answer,) = log.turn(order(group(*(f"user-{n}" for n in range(50)))))
    assert isinstance(answer, Refused) and answer.code == "too_large" and log.records == [] and log.state == {}


def test_a_fault_in_one_command_leaves_the_others_alone() -> None:
    log = Log()
    log.turn(order(group("ada")))
    # A key that was not loaded is a fault of ours, never taken for something that does not exist.
    found = turn({key: entity for key, entity in log.state.items() if key[0] != "member"} | {("message", "2"): None})
    assert found.decide(order(say("1"), id="1")) and found.decide(order(AddMember(room="r", user="ada"), id="2"))
    assert [type(answer.error) for answer in found.results] == [Internal, Internal]
    assert found.appends == [] and "KeyError" in str(found.results[0].error)


def test_records_in_the_batch_are_those_that_are_told() -> None:
    log = Log()
    log.turn(order(group("ada")))
    found = turn(dict(log.state) | {("message", "1"): None})
    assert found.decide(order(say("t"), id="1", key="t"))
    (key, value), (told,) = found.appends[0], found.records
    read = REGISTRY.decode(value, "t", 0, told.offset)
    assert msgspec.structs.replace(read, raw=b"{}") == told and key == b"r"


def test_what_the_read_models_lack_stays_whatever_comes() -> None:
    log = Log()
    log.turn(order(group("ada")), order(say("t"), id="1", key="t"))
    cache = StateCache(clean=1)
    for found in log.records:
        cache.commit({key: log.state[key] for key in REGISTRY.keys(found) if key in log.state}, [found])
    posted = log.records[-1]
    cache.add({("user", str(n)): None for n in range(10)})
    cache.projected(posted.offset)
    assert cache.missing([room_key("r"), member_key("r", "ada")]) == [] and cache.dirty == 3
    assert cache.receipt(receipt_key(posted)) == [posted] and cache.receipt(receipt_key(log.records[0])) is None
    cache.projected(posted.offset + 1)
    assert cache.dirty == 0 and len(cache) == 1 and cache.receipt(receipt_key(posted)) is None
    cache.clear()
    assert len(cache) == 0 and cache.dirty == 0


def test_what_was_used_last_stays_longest() -> None:
    cache = StateCache(clean=2)
    keys = [("user", str(n)) for n in range(3)]
    cache.add({keys[0]: None, keys[1]: None})
    cache.view([keys[0]])
    cache.add({keys[2]: None})
    cache.projected(0)
    assert cache.missing(keys) == [keys[1]]
    with pytest.raises(KeyError):
        cache.view(keys)


def test_a_receipt_holds_all_events_of_its_command_until_the_last_is_projected() -> None:
    log = Log()
    log.turn(order(group("ada", "bob"), key="k"))
    cache = StateCache()
    cache.commit(dict(log.state), log.records)
    for upto in range(len(log.records)):
        cache.projected(upto)
        assert cache.receipt(receipt_key(log.records[0])) == log.records, upto
    cache.projected(len(log.records))
    assert cache.receipt(receipt_key(log.records[0])) is None
