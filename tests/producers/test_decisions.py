"""Every command of users and of what is theirs, and every refusal: given events, when a command, then events.
Tests ``producers/users.py``, ``producers/sessions.py``, ``producers/relationships.py`` and ``producers/visuals.py``."""

from __future__ import annotations

from typing import Any

import pytest

from events.core.records import Event
from events.handles import HandleClaimed, HandleConfirmed
from events.relationships import RelationshipSet
from events.sessions import SessionClosed, SessionOpened
from events.users import UserProfileChanged, UserRegistered, UserRegistrationAbandoned, UserVisualChosen
from events.visuals import VisualChanged, VisualCreated
from producers.handles import ClaimHandle, ConfirmHandle
from producers.relationships import SetRelationship
from producers.sessions import CloseSession, OpenSession
from producers.users import AbandonRegistration, ChangeProfile, ChooseVisual, RegisterUser
from producers.visuals import ChangeVisual, CreateVisual
from tests.producers.given import Given

LATER = "2026-12-21T08:00:00.000Z"
REGISTERED = UserRegistered(username="ada", name="Ada", role="person", credential="c1", data={"a": "b"})


def user(*more: Event) -> Given:
    return Given(REGISTERED, *more)


def test_register() -> None:
    command = RegisterUser(user="s", username="ada", name="Ada", credential="c1", data={"a": "b"}, expires=LATER)
    Given().when(command, id="i").then(REGISTERED, SessionOpened(session="i", expires=LATER))
    service = RegisterUser(user="s", username="bot", name="Bot", role="service")
    Given().when(service).then(
        UserRegistered(username="bot", name="Bot", role="service", credential=None, data={}, scopes=[])
    )
    user().when(command).refused("taken")
    Given(UserRegistrationAbandoned()).when(command).refused("taken")


def test_abandon() -> None:
    Given().when(AbandonRegistration(user="s")).then(UserRegistrationAbandoned())
    Given(UserRegistrationAbandoned()).when(AbandonRegistration(user="s")).then()
    user().when(AbandonRegistration(user="s")).refused("registered")


def test_change_profile() -> None:
    changed = user().when(ChangeProfile(user="s", name="X", data={"a": None, "c": "d", "gone": None}))
    changed.then(UserProfileChanged(name="X", data={"c": "d"}))
    user().when(ChangeProfile(user="s", name="X")).then(UserProfileChanged(name="X", data=None))
    user().when(ChangeProfile(user="s", data={})).then()
    user().when(ChangeProfile(user="s", name="Ada", data={"a": "b"})).then()
    user().when(ChangeProfile(user="s", avatar="https://a.example/a.png", bio="Hi")).then(
        UserProfileChanged(avatar="https://a.example/a.png", bio="Hi")
    )
    user().when(ChangeProfile(user="s", avatar=None, bio=None, custom={})).then()
    had = UserProfileChanged(avatar="https://a.example/a.png", bio="Hi", custom={"a": {"b": 1, "c": 2}})
    user(had).when(ChangeProfile(user="s", avatar=None, bio=None)).then(UserProfileChanged(avatar="", bio=""))
    user(had).when(ChangeProfile(user="s", custom={"a": {"b": None}})).then(UserProfileChanged(custom={"a": {"c": 2}}))
    user(had).when(ChangeProfile(user="s", custom={"a": None})).then(UserProfileChanged(custom={}))
    user(had).when(ChangeProfile(user="s", custom={"x": "y" * 6000})).refused("too_large")
    user(had).when(ChangeProfile(user="s", bio="\u200b")).refused("invalid")
    user(had).when(ChangeProfile(user="s", custom={"d": 1}, data={}, whole=True)).then(
        UserProfileChanged(custom={"d": 1}, data={})
    )
    user().when(ChangeProfile(user="s", data={f"k{n}": "x" for n in range(64)})).refused("too_large")
    for nobody in (Given(), Given(UserRegistrationAbandoned())):
        nobody.when(ChangeProfile(user="s", name="X")).refused("not_found")


def test_choose_a_visual() -> None:
    user().when(ChooseVisual(user="s", visual="v")).then(UserVisualChosen(visual="v"))
    user(UserVisualChosen(visual="v")).when(ChooseVisual(user="s", visual="v")).then()
    user(UserVisualChosen(visual="v")).when(ChooseVisual(user="s", visual=None)).then(UserVisualChosen(visual=None))
    Given().when(ChooseVisual(user="s", visual="v")).refused("not_found")


def test_sessions() -> None:
    opened = SessionOpened(session="i", expires=LATER)
    user().when(OpenSession(user="s", credential="c1", expires=LATER), id="i").then(opened)
    # The password was changed between its verification and now.
    user().when(OpenSession(user="s", credential="c0", expires=LATER)).refused("unauthenticated")
    Given().when(OpenSession(user="s", credential=None, expires=LATER)).refused("not_found")
    user(opened).when(CloseSession(user="s", session="i")).then(SessionClosed(session="i"))
    user(opened, SessionClosed(session="i")).when(CloseSession(user="s", session="i")).then()
    user(opened).when(CloseSession(user="s", session="j")).refused("not_found")


@pytest.mark.parametrize("was", ["friend", "block", None])
@pytest.mark.parametrize("to", ["friend", "block", None])
def test_relationships(was: Any, to: Any) -> None:
    before = [] if was is None else [RelationshipSet(other="bob", type=was, was=None)]
    set_ = user(*before).when(SetRelationship(user="s", other="bob", type=to))
    set_.then(*([] if to == was else [RelationshipSet(other="bob", type=to, was=was)]))


def test_relationships_that_are_refused() -> None:
    user().when(SetRelationship(user="s", other="s", type="friend")).refused("invalid")
    Given().when(SetRelationship(user="s", other="bob", type="friend")).refused("not_found")


def test_visuals() -> None:
    made = VisualCreated(visual="i", model_data={"a": 1}, emotion_data={"joy": {}})
    create = CreateVisual(user="s", model_data={"a": 1}, emotion_data={"joy": {}})
    user().when(create, id="i").then(made)
    chosen = CreateVisual(user="s", model_data={"a": 1}, emotion_data={"joy": {}}, choose=True)
    user().when(chosen, id="i").then(made, UserVisualChosen(visual="i"))
    change = ChangeVisual(user="s", visual="i", model_data={"a": 1}, emotion_data={})
    user(made).when(change).then(VisualChanged(visual="i", model_data=None, emotion_data={}))
    user(made).when(ChangeVisual(user="s", visual="i", model_data={"a": 1})).then()
    user(made).when(ChangeVisual(user="bob", visual="i", model_data={})).refused("not_found")
    user().when(ChangeVisual(user="s", visual="i", model_data={})).refused("not_found")
    Given().when(create).refused("not_found")


@pytest.mark.parametrize(
    ("model", "emotion", "code"),
    [({"x": "y" * 32 * 1024}, {}, "too_large"), ({}, {"x": {"y": "z" * 16 * 1024}}, "too_large"),
     ({}, {"joy": 1}, "invalid"), ({}, {"joy": None}, "invalid"), ({}, {"joy": "yes"}, "invalid")],
)  # fmt: skip
def test_what_is_no_visual(model: dict[str, Any], emotion: dict[str, Any], code: str) -> None:
    user().when(CreateVisual(user="s", model_data=model, emotion_data=emotion)).refused(code)
    made = VisualCreated(visual="v", model_data={}, emotion_data={})
    user(made).when(ChangeVisual(user="s", visual="v", model_data=model, emotion_data=emotion)).refused(code)


def test_handles() -> None:
    claimed, confirmed = HandleClaimed(user="ada"), HandleConfirmed(user="ada")
    claim = ClaimHandle(handle="s", user="ada")
    Given().when(claim).then(claimed)
    Given(claimed).when(claim).then()
    Given(claimed, confirmed).when(claim).then()
    Given(claimed).when(ClaimHandle(handle="s", user="bob")).refused("taken")
    # A claim is taken over as it was when its holder gave it up, and only from whom it is said to be.
    takeover = ClaimHandle(handle="s", user="bob", instead_of="ada", version=0)
    Given(claimed).when(takeover).then(HandleClaimed(user="bob"))
    Given(claimed, confirmed).when(takeover).refused("taken")
    Given(claimed, claimed).when(takeover).refused("taken")
    Given(claimed).when(ClaimHandle(handle="s", user="bob", instead_of="ada")).refused("taken")
    Given(HandleClaimed(user="eve")).when(takeover).refused("taken")
    Given(claimed).when(ConfirmHandle(handle="s", user="ada")).then(confirmed)
    Given(claimed, confirmed).when(ConfirmHandle(handle="s", user="ada")).then()
    Given(claimed).when(ConfirmHandle(handle="s", user="bob")).refused("taken")
    Given().when(ConfirmHandle(handle="s", user="ada")).refused("taken")


def test_a_refused_claim_says_who_holds_the_name() -> None:
    given = Given(HandleClaimed(user="ada"), stream="username:ada").when(ClaimHandle(handle="username:ada", user="bob"))
    given.refused("taken")
    more = getattr(given.answer, "more", {})
    assert (more["holder"], more["state"], more["claimed"]) == ("ada", "claimed", "2026-11-21T08:00:00.000Z")
