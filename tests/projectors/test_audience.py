"""Who may receive what: the whole table, and what it must never tell."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

import events.core.log
from events.core.records import Entity, Event, Key, Record
from events.invitations import Invitation, MemberInvited
from events.members import Member, MemberJoined, MemberRead, member_key
from events.messages import Message, MessageEmotionDetected, MessageRestored, message_key
from events.registry import REGISTRY
from events.relationships import Relation, Relationship, RelationshipSet
from events.rooms import SETTERS, Room, RoomRestored, room_key
from events.users import User, UserAddedByChosen, UserProfileChanged, UserRegistered, user_key
from infra.ops.generate.shapes import sample_of
from projectors import audience
from projectors.audience import AUDIENCES, NOBODY, READING_ROOM, AddressedDelta, EventContext, Lookup, recipients
from projectors.audience.recipients import Recipients
from projectors.feed.projector import encode_delta
from projectors.views import invitation_view, self_view, user_view

TIME = "2026-11-21T08:15:30.123Z"
SECRET = "secret-credential"


def record(event: Event, stream: str = "ada", actor: str = "ada") -> Record:
    row = REGISTRY.of(event)
    return Record(
        topic=row.topics[0], partition=0, offset=7, id="id", type=row.name, stream=stream, time=TIME, actor=actor,
        command="the-idempotency-key", app="default", data=event,
    )  # fmt: skip


def user(id: str) -> User:
    return User(
        id=id, app="default", username=id, name=id.title(), role="person", state="registered", credential=SECRET,
        email=f"{id}@example.org", email_settled=1, seen=TIME, visual=None, added_by="nobody",
        external="u-17", account="regular", team=None, avatar=None, bio="Hello", custom={"plan": "gold"},
        deactivated=None,
        data={"last_login": TIME, "city": "London"}, created=TIME, updated=TIME, version=1,
    )  # fmt: skip


def room(type: Any = "private", last: str | None = None, state: Any = "active") -> Room:
    found: Room = sample_of(
        Room, id="r", name="r", description="What for", type=type, settings={"posting": "members"}, state=state,
        last=last, owner=None, slug=None,
    )  # fmt: skip
    return found


def member(id: str, state: Any = "joined") -> Member:
    return Member(
        room="r", user=id, role="member", state=state, since=1, joined=TIME, read=0, read_at=TIME, notifications=True,
        willing=True, custom={}, version=1,
    )  # fmt: skip


def message(text: str = "hi", deleted: str | None = None) -> Message:
    return Message(
        id="m", room="r", seq=1, author="ada", token="t", type="text", content={"text": text}, data={"a": 1},
        created=TIME, updated=TIME, edited=None, deleted=deleted, revision=0, rank=None, version=1,
    )  # fmt: skip


def entities(*found: Entity) -> dict[Key, Entity | None]:
    return {entity.key: entity for entity in found}


def heard(event: Event, known: EventContext, stream: str = "ada") -> dict[str, dict[str, Any]]:
    """What each person gets, as JSON; fails when somebody would get two deltas of one event."""
    one, found = record(event, stream), dict[str, dict[str, Any]]()
    for telling in AUDIENCES[one.type].fan_out(one, known):
        delta = msgspec.json.decode(encode_delta(one, telling)) if telling.recipients else {}
        for person in telling.recipients:
            assert person not in found
            found[person] = delta
    return found


DOMAINS = (
    "apps", "handles", "invitations", "keys", "members", "messages", "plans", "relationships", "rooms", "sessions",
    "teams", "usage", "user_erasure", "users", "visuals",
)  # fmt: skip


def test_every_event_has_an_audience_in_the_file_of_its_domain() -> None:
    assert set(AUDIENCES) == set(REGISTRY.events)
    assert audience.log.AUDIENCES.keys() == {row.name for row in events.core.log.ROWS}
    for domain in DOMAINS:
        rows = {row.name for row in getattr(events, domain).ROWS}
        assert getattr(audience, domain).AUDIENCES.keys() == rows, domain


#: Known in every case below: people of all kinds, so that a recipient too many shows.
EVERYBODY = EventContext(
    roster=["ada", "bob"],
    contacts=["cyd"],
    entities=entities(user("ada"), user("bob"), user("cyd"), room(), member("ada")),
)
ROOM, SELF, CONTACTS = {"ada", "bob"}, {"ada"}, {"ada", "cyd"}
#: Who receives the sample of each type: written out, not derived.
HEARERS: dict[str, set[str]] = {
    "log.opened": set(),
    "key.used": set(),
    "app.created": set(),
    "app.renamed": set(),
    "app.settings_changed": set(),
    "app.key_rolled": set(),
    "app.suspended": set(),
    "app.erased": set(),
    "app.erasure_completed": set(),
    "app.resumed": set(),
    "app.tokens_revoked": set(),
    "usage.counted": set(),
    "app.plan_chosen": set(),
    "plan.defined": set(),
    "plan.withdrawn": set(),
    "team.created": set(),
    "team.renamed": set(),
    "team.data_changed": set(),
    "team.removed": set(),
    "handle.claimed": set(),
    "handle.confirmed": set(),
    "handle.released": set(),
    "user.registered": SELF,
    "user.registration_abandoned": set(),
    "user.profile_changed": CONTACTS,
    "user.email_changed": SELF,
    "user.email_abandoned": SELF,
    "user.password_changed": SELF,
    "user.seen": SELF,
    "user.visual_chosen": CONTACTS,
    "user.added_by_chosen": SELF,
    "user.deactivated": CONTACTS,
    "user.reactivated": CONTACTS,
    "user.tokens_revoked": SELF,
    "user.erased": CONTACTS,
    "user.erasure_noted": SELF,
    "user.team_set": SELF,
    "session.opened": SELF,
    "session.renewed": SELF,
    "session.used": SELF,
    "session.closed": SELF,
    "relationship.set": {"ada", "7d9f3c1e-2f7b-4a62-9c5e-0d3b1a2c4e5f"},
    "visual.created": CONTACTS,
    "visual.changed": CONTACTS,
    "room.created": ROOM,
    **{row.name: ROOM for row in SETTERS},
    "room.archived": ROOM,
    "room.unarchived": ROOM,
    "room.deleted": ROOM,
    "room.restored": ROOM,
    "member.joined": ROOM | {"7d9f3c1e-2f7b-4a62-9c5e-0d3b1a2c4e5f"},
    "member.left": ROOM,
    "member.invited": {"ada", "7d9f3c1e-2f7b-4a62-9c5e-0d3b1a2c4e5f"},
    "invitation.declined": {"7d9f3c1e-2f7b-4a62-9c5e-0d3b1a2c4e5f", "0c5e8f6a-61f2-4d0e-8a0e-3a1f7c9b2d44"},
    "invitation.withdrawn": {"7d9f3c1e-2f7b-4a62-9c5e-0d3b1a2c4e5f", "0c5e8f6a-61f2-4d0e-8a0e-3a1f7c9b2d44"},
    "member.role_changed": ROOM,
    "member.read": ROOM,
    "member.notifications_set": {"7d9f3c1e-2f7b-4a62-9c5e-0d3b1a2c4e5f"},
    "member.custom_changed": ROOM,
    "message.posted": ROOM,
    "message.edited": ROOM,
    "message.deleted": ROOM,
    "message.restored": ROOM,
    "message.emotion_detected": ROOM,
    "message.pinned": ROOM,
    "message.unpinned": ROOM,
    "channel.created": set(),
    "channel.deleted": set(),
    "channel.user_numbered": set(),
    "channel.listened": set(),
}


@pytest.mark.parametrize("name", sorted(REGISTRY.events))
def test_who_hears_of_each_event(name: str) -> None:
    sample = REGISTRY.events[name].sample
    assert set(heard(sample, EVERYBODY)) == HEARERS[name]
    assert bool(HEARERS[name]) == (AUDIENCES[name] is not NOBODY)


@pytest.mark.parametrize("name", sorted(REGISTRY.events))
def test_no_delta_has_a_secret(name: str) -> None:
    sample = REGISTRY.events[name].sample
    text = str(heard(sample, EVERYBODY))
    assert "credential" not in text and SECRET not in text and "the-idempotency-key" not in text
    if isinstance(sample, UserRegistered):
        assert sample.credential is not None and sample.credential not in text


@pytest.mark.parametrize("kind", ["friend", "block", None])
@pytest.mark.parametrize("was", ["friend", "block", None])
def test_a_block_is_not_shown_to_the_blocked(kind: Relation | None, was: Relation | None) -> None:
    deltas = heard(RelationshipSet(other="bob", type=kind, was=was), EVERYBODY)
    assert deltas["ada"]["data"] == {"other": "bob", "type": kind, "was": was}
    assert ("bob" in deltas) == ("friend" in (kind, was))
    if "bob" in deltas:
        assert "block" not in str(deltas["bob"])
        assert deltas["bob"]["data"]["type"] == ("friend" if kind == "friend" else None)
    if kind == "friend":
        assert deltas["bob"]["include"]["user"]["id"] == "ada"
        assert deltas["ada"]["include"]["user"]["id"] == "bob"


def test_a_profile_change_tells_contacts_no_private_data() -> None:
    data = {"last_login": TIME, "city": "Ockham"}
    deltas = heard(UserProfileChanged(name=None, data=data), EVERYBODY)
    more = {"name": None, "avatar": None, "bio": None, "custom": None}
    assert deltas["ada"]["data"] == {**more, "data": data}
    assert deltas["cyd"]["data"] == {**more, "data": {"city": "Ockham"}}


def test_an_emotion_that_is_not_shown_is_not_told() -> None:
    deltas = heard(MessageEmotionDetected(message="m", emotion="rage", shown=False), EVERYBODY, "r")
    assert deltas["bob"]["data"] == {"message": "m", "emotion": None, "shown": False}


def test_who_joins_gets_the_room_and_the_others_get_who_joins() -> None:
    known = EventContext(
        roster=["ada"], entities=entities(user("ada"), user("bob"), room("direct", "m"), member("bob"), message())
    )
    one = record(MemberJoined(user="bob", role="member"), "r")
    row = AUDIENCES["member.joined"]
    assert set(row.lookup(one).keys) == {room_key("r"), member_key("r", "bob"), user_key("bob")}
    assert set(row.follow(one, known, ())) == {message_key("m"), user_key("ada")}
    deltas = heard(one.data, known, "r")
    own = deltas["bob"]["include"]
    assert (own["room"]["id"], own["member"]["read"], own["message"]["id"]) == ("r", 0, "m")
    assert [peer["id"] for peer in own["users"]] == ["ada"]
    told = deltas["ada"]["include"]
    assert set(told) == {"user", "joined"} and told["user"]["id"] == "bob"
    # How far who comes back had read, and nothing that is their own.
    assert told["joined"]["read"] == 0 and "notifications" not in told["joined"]


def test_who_has_left_since_gets_nothing_of_the_room() -> None:
    known = EventContext(roster=["ada"], entities=entities(user("bob"), room(), member("bob", "left")))
    deltas = heard(MemberJoined(user="bob", role="member"), known, "r")
    assert "include" not in deltas["bob"] and set(deltas["ada"]["include"]) == {"user"}


def test_who_joined_a_room_that_was_deleted_since_gets_no_message() -> None:
    found = entities(user("bob"), room(last="m", state="deleted"), member("bob"), message())
    own = heard(MemberJoined(user="bob", role="member"), EventContext(roster=["ada"], entities=found), "r")["bob"][
        "include"
    ]
    assert own["room"]["state"] == "deleted" and own["message"] is None
    assert (own["room"]["name"], own["room"]["description"]) == ("", None)


def test_how_far_somebody_has_read_is_told_to_all_up_to_a_size() -> None:
    read = MemberRead(user="u0", seq=1)
    users = [f"u{n}" for n in range(READING_ROOM + 1)]
    assert set(heard(read, EventContext(roster=users[:-1]), "r")) == set(users[:-1])
    assert set(heard(read, EventContext(roster=users), "r")) == {"u0"}, "in a large room only to oneself"


def test_a_room_that_is_brought_back_comes_along_with_its_last_message() -> None:
    one = record(RoomRestored(), "r")
    row = AUDIENCES["room.restored"]
    found = entities(room(last="m"), message(), member("ada"), member("bob"))
    members = [member_key("r", "ada"), member_key("r", "bob")]
    assert row.lookup(one) == Lookup(roster="r", keys=(room_key("r"),))
    known = EventContext(roster=["ada", "bob"], entities=found)
    assert list(row.follow(one, known, ())) == [message_key("m"), *members]
    assert list(row.follow(one, known._replace(entities=entities(room())), ())) == members
    told = heard(one.data, known, "r")
    assert told["ada"]["include"] == told["bob"]["include"]
    assert told["bob"]["include"]["message"]["content"] == {"text": "hi"}
    assert (told["bob"]["include"]["room"]["name"], told["bob"]["include"]["room"]["description"]) == ("r", "What for")
    assert set(heard(one.data, EventContext(roster=["bob"], entities=entities(room())), "r")["bob"]["include"]) == {
        "room"
    }


def test_of_a_room_that_is_deleted_again_nothing_comes_along() -> None:
    found = entities(room(last="m", state="deleted"), message(), member("bob"))
    include = heard(RoomRestored(), EventContext(roster=["bob"], entities=found), "r")["bob"]["include"]
    assert set(include) == {"room"} and (include["room"]["state"], include["room"]["name"]) == ("deleted", "")


def test_who_left_a_room_that_was_brought_back_gets_nothing_of_it() -> None:
    """They receive it, as they were in it; what comes along is newer, and may be newer than their leaving."""
    found = entities(room(last="m"), message(), member("ada"), member("bob", "left"))
    told = heard(RoomRestored(), EventContext(roster=["ada", "bob"], entities=found), "r")
    assert told["ada"]["include"]["room"]["name"] == "r" and "include" not in told["bob"]


def test_of_a_deleted_message_nothing_comes_along() -> None:
    found = entities(room(last="m"), message("a secret", deleted=TIME), member("bob"), user("bob"))
    events = {"room.restored": RoomRestored(), "member.joined": MemberJoined(user="bob", role="member")}
    for event in events.values():
        told = heard(event, EventContext(roster=["ada"], entities=found), "r")
        assert "a secret" not in str(told) and '"a"' not in str(told)


def invitation(state: Any = "pending") -> Invitation:
    return Invitation(
        room="r", user="bob", by="ada", state=state, type="private", name="Den", created=TIME, updated=TIME, version=1
    )  # fmt: skip


def test_who_is_invited_gets_the_invitation_and_nothing_else_of_the_room() -> None:
    one = record(MemberInvited(user="bob"), "r")
    assert set(AUDIENCES["member.invited"].lookup(one).keys) == {("invitation", "r", "bob"), user_key("ada")}
    known = EventContext(roster=["ada", "cyd"], entities=entities(invitation(), user("ada"), room(last="m"), message()))
    deltas = heard(one.data, known, "r")
    assert set(deltas) == {"ada", "bob"} and "include" not in deltas["ada"]
    assert deltas["bob"]["data"] == {"user": "bob"} and set(deltas["bob"]["include"]) == {"invitation", "user"}
    assert deltas["bob"]["include"]["invitation"] == invitation_view(invitation())
    assert deltas["bob"]["include"]["user"]["id"] == "ada"
    # What was answered since is no longer shown.
    for state in ("accepted", "declined", "withdrawn"):
        later = EventContext(entities=entities(invitation(state), user("ada")))
        assert "include" not in heard(one.data, later, "r")["bob"]


def test_who_may_add_somebody_is_their_own_affair() -> None:
    assert set(heard(UserAddedByChosen(added_by="nobody"), EVERYBODY)) == {"ada"}
    assert "added_by" not in user_view(user("ada")) and self_view(user("ada"))["added_by"] == "nobody"


def between(one: str, other: str, type: Relation | None) -> Relationship:
    return Relationship(user=one, other=other, type=type, created=TIME, updated=TIME, version=1)


@pytest.mark.parametrize("reverse", ["friend", "block", None])
@pytest.mark.parametrize("kind", ["friend", "block", None])
@pytest.mark.parametrize("was", ["friend", "block", None])
def test_a_profile_comes_along_as_it_may_be_seen(
    kind: Relation | None, was: Relation | None, reverse: Relation | None
) -> None:
    known = EventContext(entities=entities(user("ada"), user("bob"), between("bob", "ada", reverse)))
    deltas = heard(RelationshipSet(other="bob", type=kind, was=was), known)
    include = deltas["ada"].get("include", {})
    if kind == "block":
        # A username, and nothing that bob chose to be seen by.
        assert (include["user"]["name"], include["user"]["data"], include["user"]["visual"]) == ("bob", {}, None)
    elif "user" in include:
        assert (include["user"]["name"], include["user"]["data"]) == ("Bob", {"city": "London"})
    assert ("user" in include) == (kind == "block" or (reverse != "block" and (kind == "friend" or was == "block")))
    assert ("friend_of" in include) == (was == "block" and reverse == "friend")
    assert ("bob" in deltas) == (reverse != "block" and "friend" in (kind, was))


def test_who_joins_is_not_shown_to_whom_a_block_keeps_apart() -> None:
    found = entities(user("bob"), room(), member("bob"))
    known = EventContext(roster=["ada", "cyd", "dan"], blocked={"cyd", "eve"}, blockers={"dan"}, entities=found)
    deltas = heard(MemberJoined(user="bob", role="member"), known, "r")
    assert set(deltas) == {"ada", "bob", "cyd", "dan"}
    assert set(deltas["ada"]["include"]) == {"user", "joined"}
    assert set(deltas["cyd"]["include"]) == set(deltas["dan"]["include"]) == {"joined"}


def test_in_a_large_room_all_hear_the_same_of_who_joins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipients, "NAMED_ROOM", 1)
    found = entities(user("bob"), room(), member("bob"))
    for blockers, shown in (set[str](), {"user", "joined"}), ({"dan"}, {"joined"}), ({"eve"}, {"user", "joined"}):
        known = EventContext(roster=Recipients(["ada", "dan"], 2, "r"), blockers=blockers, entities=found)
        others, own = AUDIENCES["member.joined"].fan_out(record(MemberJoined(user="bob", role="member"), "r"), known)
        assert others.recipients is known.roster and own.recipients == ("bob",)
        assert set(others.include or {}) == shown


def test_who_comes_to_a_direct_room_sees_the_other_as_they_may() -> None:
    found = entities(user("ada"), user("bob"), room("direct"), member("bob"))
    for blocked, blockers, names in (set[str](), set[str](), ["Ada"]), ({"ada"}, set(), ["ada"]), (set(), {"ada"}, []):
        known = EventContext(roster=["ada"], blocked=blocked, blockers=blockers, entities=found)
        include = heard(MemberJoined(user="bob", role="member"), known, "r")["bob"]["include"]
        assert [peer["name"] for peer in include["users"]] == names and include["peer"] == "ada"


def test_a_restored_message_that_was_edited_since_is_not_shown_to_who_has_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row, event = AUDIENCES["message.restored"], MessageRestored(message="m")
    one = record(event, "r")
    found = entities(room(), replace(message("as restored"), version=one.offset), member("ada"), member("bob", "left"))
    told = heard(event, EventContext(roster=["ada", "bob"], entities=found), "r")
    assert told["bob"]["include"]["restored"]["content"] == {"text": "as restored"}, "as it was while bob was there"
    found = entities(room(), replace(message("edited since"), version=99), member("ada"), member("bob", "left"))
    known = EventContext(roster=["ada", "bob"], entities=found)
    assert set(row.follow(one, known, ())) == {member_key("r", "ada"), member_key("r", "bob")}
    told = heard(event, known, "r")
    assert told["ada"]["include"]["restored"]["content"] == {"text": "edited since"} and "include" not in told["bob"]
    monkeypatch.setattr(recipients, "NAMED_ROOM", 1)
    crowd = EventContext(roster=Recipients(["ada", "bob"], 2, "r"), entities=found)
    assert list(row.follow(one, crowd, ())) == []
    assert row.fan_out(one, crowd) == [AddressedDelta(crowd.roster, event)], "in a large room all receive the same"


def test_a_join_of_a_member_is_told_once() -> None:
    assert set(heard(MemberJoined(user="bob", role="member"), EVERYBODY, "r")) == ROOM


def test_a_delta_that_is_too_large_is_refused() -> None:
    one = record(UserProfileChanged(data={"x": "y" * 800_000}))
    with pytest.raises(ValueError, match="expected a delta of at most 700000 bytes"):
        encode_delta(one, AddressedDelta(["ada"], one.data))
