"""Views show each field or hide it by name: a field that is added later fails here until somebody decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from events.apps import App
from events.channels import Channel
from events.core.records import Entity
from events.messages import Revision
from events.pins import Pin
from events.plans import Plan
from events.registry import REGISTRY
from events.relationships import Relationship
from events.sessions import Session
from events.teams import Team
from events.visuals import Visual
from projectors import views
from tests.projectors.test_audience import SECRET, TIME, invitation, member, message, room, user

REVISION = Revision(message="m", number=0, content={"text": "hi"}, data={}, created=TIME, version=1)
PIN = Pin(room="r", message="m", state="pinned", by="ada", pinned=TIME, version=1)
CHANNEL = Channel(
    id=1, name="Raid", limit=5, owner="ada", state="created", created=TIME, deleted=None, version=1
)  # fmt: skip
SESSION = Session(user="ada", id="s", opened=TIME, expires=TIME, closed=None, since=1, version=1)
VISUAL = Visual(
    id="v", app="a", owner="ada", model_data={}, emotion_data={}, created=TIME, updated=TIME, version=1
)  # fmt: skip
APP = App(
    id="a", name="Harbour", state="active", reason=None,
    keys={"kk_a": {"secret": SECRET, "since": TIME, "until": None}},
    tokens_before=None, settings={"registration": False}, plan=None, cleared=None, teams=0,
    created=TIME, updated=TIME, version=1,
)  # fmt: skip
TEAM = Team(
    id="g", app="a", external="crew", name="Crew", custom={}, state="active", created=TIME, updated=TIME, version=1
)  # fmt: skip
RELATIONSHIP = Relationship(user="ada", other="bob", type="block", created=TIME, updated=TIME, version=1)

PLAN = Plan(
    id="p", name="Pro", tier="pro", state="offered", monthly=4900, yearly=None, currency="EUR",
    features={"webhooks": True}, limits={"users": 10}, created=TIME, updated=TIME, version=1,
)  # fmt: skip

#: View, an entity, the fields that it hides.
CASES: list[tuple[Callable[[Any], dict[str, Any]], Entity, set[str]]] = [
    (
        views.user_view,
        user("ada"),
        {
            "app",
            "state",
            "credential",
            "email",
            "email_settled",
            "seen",
            "updated",
            "added_by",
            "external",
            "tokens_before",
            "erasure",
        },
    ),
    (views.self_view, user("ada"), {"app", "state", "credential", "email_settled", "tokens_before", "erasure"}),
    (views.session_view, SESSION, {"user", "closed", "since", "sliding"}),
    # rank: the order of a search, which its cursors have.
    (views.room_view, room(), {"app", "rank"}),
    (views.whole_room_view, room(), {"app", "rank"}),
    # since is an offset of the log; state: only present members are shown.
    (views.member_view, member("ada"), {"state", "since", "notifications", "willing"}),
    (views.own_member_view, member("ada"), {"state", "since", "willing"}),
    (views.invitation_view, invitation(), {"state", "updated"}),
    (views.message_view, message(), {"rank"}),
    # state: only what is pinned is shown.
    (views.pin_view, PIN, {"state"}),
    # state, deleted: what was deleted is not shown.
    (views.channel_view, CHANNEL, {"state", "deleted"}),
    # version: a revision never changes; message: it is asked for by its message.
    (views.revision_view, REVISION, {"message", "version"}),
    (views.relationship_view, RELATIONSHIP, set()),
    (views.visual_view, VISUAL, {"app"}),
    (views.app_view, APP, set()),
    (views.plan_view, PLAN, set()),
    # state: one that was removed is not shown.
    (views.team_view, TEAM, {"state"}),
]


@pytest.mark.parametrize(("view", "entity", "hidden"), CASES, ids=[case[0].__name__ for case in CASES])
def test_each_field_is_shown_or_hidden_by_name(
    view: Callable[[Any], dict[str, Any]], entity: Entity, hidden: set[str]
) -> None:
    shown = view(entity)
    # An entity's kind is its class: what kind of account a user has is called otherwise there.
    assert {"account" if name == "kind" else name for name in shown} == set(entity.__struct_fields__) - hidden
    assert SECRET not in str(shown)


def test_the_last_login_is_the_users_own() -> None:
    assert views.user_view(user("ada"))["data"] == {"city": "London"}
    assert views.self_view(user("ada"))["data"]["last_login"] == TIME


def test_of_a_deleted_message_only_its_place_and_author_are_left() -> None:
    shown = views.message_view(message("a secret", deleted=TIME))
    assert (shown["content"], shown["data"]) == ({}, {}) and "a secret" not in str(shown)
    assert (shown["seq"], shown["author"], shown["deleted"]) == (1, "ada", TIME)


def test_of_a_deleted_room_only_its_type_state_and_times_are_left() -> None:
    gone = replace(room(last="m", state="deleted"), name="a secret", custom={"a": "secret"}, seq=3, owner="ada")
    shown = views.room_view(gone)
    left = {name: shown[name] for name in ("id", "slug", "team", "type", "state", "created", "updated", "version")}
    times = {"created": TIME, "updated": TIME, "version": 1}
    assert left == {"id": "r", "slug": None, "team": gone.team, "type": "private", "state": "deleted", **times}
    assert {name: value for name, value in shown.items() if name not in left} == {
        "name": "", "description": None, "topic_line": None, "data": {}, "custom": {}, "seq": 0, "last": None,
        "members": 0, "pins": 0, "owner": None,
        "settings": {"notifications": True, "announcements": True, "posting": "members", "inviting": "members"},
    }  # fmt: skip
    assert views.whole_room_view(gone)["name"] == "a secret", "operators can bring it back"


def test_a_block_looks_like_nothing_from_the_other_side() -> None:
    assert views.incoming_relationship_view(RELATIONSHIP) is None


def test_every_kind_of_entity_is_shown_or_says_why_not() -> None:
    shown, hidden = {type(entity) for _, entity, _ in CASES}, set(views.HIDDEN)
    assert shown | hidden == set(REGISTRY.entities.values()) and not shown & hidden
    assert {one.entity for one in views.VIEWS.values()} == shown
    assert {one.make for one in views.VIEWS.values()} <= {view for view, _, _ in CASES}
