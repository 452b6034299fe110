"""Decisions about applications: keys that end one after the other, and what is refused. Tests ``events/apps.py`` and
``producers/apps.py``."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import to_builtins

from events.apps import (
    App,
    AppCreated,
    AppErased,
    AppErasureCompleted,
    AppKey,
    AppKeyRolled,
    AppRenamed,
    AppResumed,
    AppSettingsChanged,
    AppSuspended,
    AppTokensRevoked,
    app_key,
    keys_of,
)
from events.core.clock import after
from events.core.derived_ids import DEFAULT_APP
from producers.apps import (
    AppSettingsPatch,
    ChangeApp,
    CompleteErasure,
    CreateApp,
    EraseApp,
    ResumeApp,
    RevokeAppTokens,
    RollKey,
    SuspendApp,
)
from tests.events.given import TIME
from tests.producers.given import Given

FIRST, SECOND, THIRD = (f"kk_{letter * 26}" for letter in "abc")
MADE = AppCreated(name="Harbour", key=FIRST, secret="v1")


def app_of(given: Given, id: str = "s") -> App:
    found = given.log.state[app_key(id)]
    assert isinstance(found, App)
    return found


def rolled(key: str, secret: str, until: str | None, *dropped: str) -> AppKeyRolled:
    return AppKeyRolled(key=key, secret=secret, old_until=until, dropped=list(dropped))


def test_an_application_is_made_with_its_first_key() -> None:
    given = Given().when(CreateApp(app="s", name="Harbour", key=FIRST, secret="v1")).then(MADE)
    app = app_of(given)
    assert (app.name, app.state, app.settings) == ("Harbour", "active", {"registration": False, "session_hours": 0})
    assert keys_of(app) == {FIRST: AppKey(secret="v1", since=TIME.format(0))}
    given.when(CreateApp(app="s", name="Other", key=SECOND, secret="v2"), id="again").refused("taken")
    Given().when(CreateApp(app="s", name=" \u200b", key=FIRST, secret="v1")).refused("invalid")


def test_two_keys_are_valid_for_a_time_and_a_third_drops_the_oldest() -> None:
    given, until = Given(MADE), after(TIME.format(0), 60)
    given.when(RollKey(app="s", key=SECOND, secret="v2", grace_seconds=60)).then(rolled(SECOND, "v2", until))
    old, new = keys_of(app_of(given)).values()
    assert (old.until, new.until) == (until, None)
    assert old.holds(after(until, -0.001)) and not old.holds(until) and new.holds(after(until, 3600))
    given.when(RollKey(app="s", key=THIRD, secret="v3", grace_seconds=60), id="more")
    given.then(rolled(THIRD, "v3", until, "v1"))
    assert list(app_of(given).keys) == [SECOND, THIRD]


def test_without_grace_a_key_ends_at_once() -> None:
    given = Given(MADE, rolled(SECOND, "v2", TIME.format(9)))
    given.when(RollKey(app="s", key=THIRD, secret="v3", grace_seconds=0)).then(rolled(THIRD, "v3", None, "v1", "v2"))
    assert list(app_of(given).keys) == [THIRD]


def test_what_changes_is_what_differs() -> None:
    given = Given(MADE).when(ChangeApp(app="s", name="Quay", settings=AppSettingsPatch(registration=True)))
    given.then(AppRenamed(name="Quay"), AppSettingsChanged(settings={"registration": True, "session_hours": 0}))
    assert (app_of(given).name, app_of(given).settings) == ("Quay", {"registration": True, "session_hours": 0})
    given.when(ChangeApp(app="s", name="Quay", settings=AppSettingsPatch(registration=True)), id="again").then()
    given.when(ChangeApp(app="s", settings=AppSettingsPatch()), id="nothing").then()
    given.when(ChangeApp(app="s", name="\u202e"), id="wrong").refused("invalid")


def test_a_suspended_one_is_resumed() -> None:
    given = Given(MADE).when(SuspendApp(app="s", reason="Unpaid.")).then(AppSuspended(reason="Unpaid."))
    assert (app_of(given).state, app_of(given).reason) == ("suspended", "Unpaid.")
    given.when(SuspendApp(app="s"), id="again").then()
    given.when(ResumeApp(app="s"), id="back").then(AppResumed())
    assert (app_of(given).state, app_of(given).reason) == ("active", None)
    given.when(ResumeApp(app="s"), id="back again").then()
    Given(MADE).when(SuspendApp(app="s", reason="a\u2028b")).refused("invalid")


def test_tokens_are_revoked_up_to_now_and_not_given_back() -> None:
    given = Given(MADE).when(RevokeAppTokens(app="s"), second=5).then(AppTokensRevoked(before=TIME.format(5)))
    assert app_of(given).tokens_before == TIME.format(5)
    given.when(RevokeAppTokens(app="s", before=TIME.format(4)), second=6, id="earlier").then()
    given.when(RevokeAppTokens(app="s", before=TIME.format(8)), second=7, id="to come").refused("invalid")


def test_the_default_one_is_there_without_an_event_and_is_not_suspended() -> None:
    given = Given(stream=DEFAULT_APP).when(SuspendApp(app=DEFAULT_APP)).refused("forbidden")
    given.when(ChangeApp(app=DEFAULT_APP, name="Demo"), id="name").then(AppRenamed(name="Demo"))
    app = app_of(given, DEFAULT_APP)
    assert (app.name, app.created, app.keys) == ("Demo", None, {})
    assert app.settings == {"registration": True, "session_hours": 0}
    given.when(RollKey(app=DEFAULT_APP, key=FIRST, secret="v1", grace_seconds=60), id="key").then(
        rolled(FIRST, "v1", None)
    )
    assert list(app_of(given, DEFAULT_APP).keys) == [FIRST]


@pytest.mark.parametrize(
    "command",
    [
        ChangeApp(app="s", name="x"), RollKey(app="s", key=FIRST, secret="v", grace_seconds=0), SuspendApp(app="s"),
        ResumeApp(app="s"), RevokeAppTokens(app="s"), EraseApp(app="s", confirm="s"), CompleteErasure(app="s", rows={}),
    ],
)  # fmt: skip
def test_of_one_that_is_not_there_all_is_refused(command: Any) -> None:
    Given().when(command).refused("not_found")


@pytest.mark.parametrize("confirm", ["s", "Harbour"])
def test_an_erased_one_has_no_keys_and_nothing_is_done_to_it_any_more(confirm: str) -> None:
    given = Given(MADE, rolled(SECOND, "v2", TIME.format(9))).when(EraseApp(app="s", confirm=confirm, reason="Done."))
    app = app_of(given.then(AppErased(reason="Done.")))
    assert (app.name, app.state, app.reason, app.keys, app.cleared) == ("Harbour", "erased", "Done.", {}, None)
    given.when(EraseApp(app="s", confirm=confirm), id="again").then()
    for command in (
        ChangeApp(app="s", name="x"), RollKey(app="s", key=THIRD, secret="v", grace_seconds=0), SuspendApp(app="s"),
        ResumeApp(app="s"), RevokeAppTokens(app="s"),
    ):  # fmt: skip
        given.when(command, id=type(command).__name__).refused("forbidden")
    given.when(CreateApp(app="s", name="Other", key=THIRD, secret="v"), id="anew").refused("taken")
    given.when(CompleteErasure(app="s", rows={"users": 3}), id="end", second=7)
    given.then(AppErasureCompleted(rows={"users": 3}))
    assert app_of(given).cleared == TIME.format(7)
    given.when(CompleteErasure(app="s", rows={}), id="end again").then()


def test_what_is_erased_is_named_twice() -> None:
    given = Given(MADE).when(EraseApp(app="s", confirm="harbour")).refused("invalid")
    given.when(EraseApp(app="s", confirm="s", reason="a\u2028b"), id="reason").refused("invalid")
    given.when(CompleteErasure(app="s", rows={}), id="early").refused("forbidden")
    assert app_of(given).state == "active"
    Given(stream=DEFAULT_APP).when(EraseApp(app=DEFAULT_APP, confirm=DEFAULT_APP)).refused("forbidden")
    suspended = Given(MADE, AppSuspended(reason=None)).when(EraseApp(app="s", confirm="s"))
    suspended.then(AppErased(reason=None))


def test_events_of_one_that_is_not_there_change_nothing() -> None:
    given = Given(
        AppRenamed(name="x"), rolled(FIRST, "v", None), AppSuspended(reason=None), AppTokensRevoked(before=TIME)
    )
    assert given.log.state[app_key("s")] is None


def test_a_key_that_ends_stays_typed() -> None:
    app = app_of(Given(MADE, rolled(SECOND, "v2", TIME.format(9))))
    assert to_builtins(keys_of(app)) == app.keys
