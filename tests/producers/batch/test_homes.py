"""What stands in one application does not exist for another. Tests ``producers/batch/homes.py``."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from events.apps import app_key
from events.handles import email_handle, handle_parts, username_handle
from events.plans import plan_key
from events.rooms import room_key
from events.users import user_key
from producers import registry
from producers.batch.command_batch import Internal
from producers.commands import ANY_APP, Command, Outcome, Refused
from producers.plans import PlanCommand
from tests.producers.given import Log, order
from tests.producers.test_commands import BEFORE, EXAMPLES

#: Commands that begin a stream, or are given to one that has no application: all handles say it, channels have one.
BEGINNING = frozenset({
    "RegisterUser", "AbandonRegistration", "CreateRoom", "CreateChannel", "DeleteChannel", "NumberUser", "ClaimHandle",
})  # fmt: skip
OTHERS = sorted(BEFORE.keys() - BEGINNING)


def given(name: str, app: str) -> tuple[Log, Command]:
    """What stands before a command, all in one application; and the command."""
    before, command = BEFORE[name]
    log = Log()
    for actor, id, earlier in before:
        log.turn(order(earlier, actor=actor, id=id, app=app))
    return log, command or EXAMPLES[name]


def answer(log: Log, command: Command, app: str) -> Outcome | Exception:
    [found] = log.turn(order(command, actor="u", id="y", second=1, app=app))
    return found


@pytest.mark.parametrize("name", OTHERS)
def test_a_stream_of_another_application_is_as_one_that_is_not_there(name: str) -> None:
    log, command = given(name, "one")
    found, nothing = answer(log, command, "other"), answer(Log(), command, "other")
    assert isinstance(found, Outcome | Refused) and not isinstance(found, Internal), repr(found)
    if isinstance(found, Outcome):
        assert isinstance(nothing, Outcome) and not found.records and not nothing.records
    else:
        assert isinstance(nothing, Refused) and (found.code, found.detail) == (nothing.code, nothing.detail)


@pytest.mark.parametrize("name", sorted(BEFORE))
def test_a_command_names_what_its_stream_is_about(name: str) -> None:
    row, command = registry.COMMANDS_BY_NAME[name], BEFORE[name][1] or EXAMPLES[name]
    if row.topic == "handles" or name.endswith("Channel") or name == "NumberUser":
        return
    if isinstance(command, PlanCommand):
        # Of no application: its stream is its own.
        assert plan_key(command.plan) in row.keys(order(command, actor="u"))
        return
    about = {"users": user_key, "rooms": room_key, "apps": app_key}[row.topic](row.stream(command))
    assert about in row.keys(order(command, actor="u"))


@pytest.mark.parametrize("name", sorted(BEFORE))
def test_events_of_a_stream_have_the_application_of_its_first(name: str) -> None:
    row = registry.COMMANDS_BY_NAME[name]
    # A handle says its application, and an application is its own.
    app = {"handles": "default", "apps": EXAMPLES["CreateApp"].app}.get(row.topic, "one")  # type: ignore[attr-defined]
    log, command = given(name, app)
    found = answer(log, command, ANY_APP if name in OTHERS else app)
    assert isinstance(found, Outcome) and found.records, repr(found)
    assert {record.app for record in log.records} == {app}


def test_the_app_of_a_new_stream_is_its_callers() -> None:
    for app, expected in (("one", "one"), (ANY_APP, "default"), ("default", "default")):
        log = Log()
        answer(log, EXAMPLES["CreateRoom"], app)
        assert {record.app for record in log.records} == {expected}


@pytest.mark.parametrize("name", sorted(name for name in BEFORE if registry.COMMANDS_BY_NAME[name].topic != "apps"))
def test_in_an_erased_application_nothing_happens_whoever_asks(name: str) -> None:
    """What a stream holds is as unknown as another application's, also to operators; and none begins."""
    app = "default" if registry.COMMANDS_BY_NAME[name].topic == "handles" else "one"
    for asking in (app, ANY_APP):
        log, command = given(name, app)
        before = list(log.records)
        log.erased = frozenset({app, "default"})
        found = answer(log, command, asking)
        assert isinstance(found, Outcome | Refused) and not isinstance(found, Internal), repr(found)
        assert log.records == before and not (isinstance(found, Outcome) and found.records)


def test_what_was_done_by_key_is_not_told_again_in_an_erased_application() -> None:
    log = Log()
    one = order(EXAMPLES["CreateRoom"], actor="u", id="y", key="k", app="one")
    [made], [again] = log.turn(one), log.turn(one)
    assert isinstance(made, Outcome) and isinstance(again, Outcome) and again.repeated
    log.erased = frozenset({"one"})
    [refused] = log.turn(one)
    assert isinstance(refused, Refused), repr(refused)


@pytest.mark.parametrize("app", ["default", "019aa000-0000-7000-8000-00000000000a"])
def test_a_handle_says_its_application(app: str) -> None:
    assert handle_parts(username_handle("Ada", app)) == (app, "username", "ada")
    assert handle_parts(email_handle("a/b:c@example.org", app)) == (app, "email", "a/b:c@example.org")


def test_a_name_is_free_in_another_application() -> None:
    log = Log()
    for app, user in (("default", "a"), ("one", "b")):
        claim = EXAMPLES["ClaimHandle"]
        mine = replace(claim, handle=username_handle("ada", app), user=user)
        assert isinstance(answer(log, mine, app), Outcome)
    assert {record.app for record in log.records} == {"default", "one"}


def test_a_key_that_another_application_has_used_tells_nothing() -> None:
    """All servers without a user have one name."""
    log, command = given("ChangeRoom", "one")
    [first] = log.turn(order(command, actor="server", id="y", key="k", second=1, app="one", via="app"))
    assert isinstance(first, Outcome) and first.records
    [again] = log.turn(order(command, actor="server", id="z", key="k", second=2, app="one", via="app"))
    assert isinstance(again, Outcome) and again.repeated
    [other] = log.turn(order(command, actor="server", id="w", key="k", second=3, app="other", via="app"))
    assert isinstance(other, Refused) and other.code == "not_found"
