"""Decisions about rooms: every command and every refusal, names and ids at their bounds."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from events.core.records import Event
from events.members import MemberLeft
from events.rooms import (
    RoomArchived,
    RoomCreated,
    RoomCustomChanged,
    RoomDataChanged,
    RoomDeleted,
    RoomDescribed,
    RoomRenamed,
    RoomRestored,
    RoomSettings,
    RoomSettingsChanged,
    RoomTopicLineSet,
    RoomUnarchived,
    direct_room,
)
from producers.commands import Refused
from producers.limits import Description, Slug, TopicLine
from producers.rooms import (
    ArchiveRoom,
    ChangeRoom,
    CreateRoom,
    DeleteRoom,
    RestoreRoom,
    SettingsPatch,
    UnarchiveRoom,
    check_slug,
)
from tests.producers.given import Given
from tests.producers.scenes import DIRECT, PRIVATE, PUBLIC, join, room, with_settings

SETTINGS: dict[str, Any] = {
    "notifications": True, "announcements": True, "posting": "members", "inviting": "members",
}  # fmt: skip


def make(**fields: Any) -> CreateRoom:
    return CreateRoom(**{"room": "s", "type": "public", "name": "R", "data": {}, "members": ["ada"], **fields})


def made(**fields: Any) -> RoomCreated:
    plain = {"type": "group", "visibility": "public", "name": "R", "data": {}, "settings": SETTINGS}
    return RoomCreated(**{**plain, **fields})


def test_create_rooms() -> None:
    Given().when(make(slug="tea")).then(made(slug="tea"), join("ada", "owner"))
    Given().when(make(members=["ada", "bob"])).then(made(), join("ada", "owner"), join("bob"))
    private = make(
        type="private", description="Why\nwe talk", data={"a": "b"}, settings=SettingsPatch(posting="admins")
    )
    Given().when(private).then(
        made(
            visibility="private", description="Why\nwe talk", data={"a": "b"}, settings=SETTINGS | {"posting": "admins"}
        ),
        join("ada", "owner"),
    )
    kept = {"site": {"floor": 2}, "tags": [None, 1.0, True]}
    custom = make(custom={**kept, "none": None, "site": {"floor": 2, "none": None}})
    Given().when(custom).then(made(custom=kept), join("ada", "owner"))
    about = make(topic_line="Scones")
    Given().when(about).then(made(), RoomTopicLineSet(topic_line="Scones"), join("ada", "owner"))


@pytest.mark.parametrize("more", [(), (RoomArchived(),), (RoomDeleted(),), (MemberLeft(user="ada"),)])
def test_an_id_is_taken_for_ever(more: tuple[Event, ...]) -> None:
    room(PUBLIC, "ada", more=more).when(make(type="private")).refused("taken")


def test_create_direct_rooms() -> None:
    direct = make(type="direct", name="", members=["ada", "bob"])
    Given().when(direct).then(DIRECT, join("ada"), join("bob"))
    room(DIRECT, "ada", "bob").when(direct).then()
    room(DIRECT, "ada", "bob", more=(MemberLeft(user="bob"),)).when(direct).then(join("bob"))
    both = (MemberLeft(user="bob"), MemberLeft(user="ada"))
    room(DIRECT, "ada", "bob", more=both).when(direct).then(join("ada"), join("bob"))


#: A name is text: one line that people see, in any script. Its address is the id.
NAMES = [
    "a", "7", "x" * 100, "Tea & scones", "R.U.R.", "it's #1_best-of", "Ünïcödé", "茶道", "かな",
    "한국어", "Русский чат", "ελληνικά", "العربية", "עברית", "हिन्दी", "தமிழ்", "ภาษาไทย", "١٢٣", "𠮷野家",
    # Joiners are part of words: Persian and Sinhala are misspelled without them.
    "می\u200cخواهم", "ශ්\u200dරී",
    "-", "&#", "_._", "#general", "c++", "a/b", "a:b", "a@b", "<b>", 'a"b', "a;b", "a,b", "Tea (and scones)!", "a?",
    "*", "a\\b", "a=b", "$5", "50%", "~", "()", "a\u00a0b", "三\u3000三", "⠁\u2800⠃",
    "☕", "tea 🍵", "👨\u200d👩\u200d👧", "🇫🇷", "👍🏽", "a€", "a™", "\ue000",
]  # fmt: skip
NO_NAMES = [
    "", " ", "   ", " a", "a ", "x" * 101, "\u0301", "\u200d", "\u0958" * 51, "e\u0301" * 101, "\u1f82" * 101,
    "x" * 401,
    "a\nb", "a\tb", "a\x00b", "a\x7fb", "a\u0085b", "a\u2028b", "a\u200bb", "a\u202eb", "a\u2067b\u2069", "a\ufeffb",
    "a\ufffcb", "a\ufffc", "a\U0001d159b", "a\u3164b", "a\U00016fe4", "a\U00013441b", "\u2800", "a\u2800", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_what_is_a_name(name: str) -> None:
    Given().when(make(name=name)).then(made(name=name), join("ada", "owner"))
    room(PUBLIC, "ada").when(ChangeRoom(room="s", name=name)).then(RoomRenamed(name=name))


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_is_no_name(name: str) -> None:
    Given().when(make(name=name)).refused("invalid")
    room(PUBLIC, "ada").when(ChangeRoom(room="s", name=name)).refused("invalid")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Cafe\u0301", "Café"),
        ("e\u0301" * 50, "é" * 50),
        ("e\u0301" * 100, "é" * 100),
        ("\u1112\u1161\u11ab", "한"),
        ("Å", "Å"),
    ],
)
def test_a_name_is_kept_as_it_is_composed(typed: str, kept: str) -> None:
    """So who types it on another keyboard finds it, and writing it in either form changes nothing."""
    Given().when(make(name=typed)).then(made(name=kept), join("ada", "owner"))
    given = room(PUBLIC, "ada").when(ChangeRoom(room="s", name=typed)).then(RoomRenamed(name=kept))
    for name in (typed, kept):
        given.when(ChangeRoom(room="s", name=name), id=name).then()


def test_a_name_of_old_is_written_back() -> None:
    """The log holds what the rules of its day took."""
    old = "Cafe\u0301\ufffc"
    room(RoomCreated(type="group", visibility="public", name=old, data={}), "ada").when(
        ChangeRoom(room="s", name=old)
    ).then()


def test_a_refused_name_says_which_character_is_wrong() -> None:
    given = Given().when(make(name="tea\u202e room")).refused("invalid")
    assert "name: " in str(given.answer) and "U+202E RIGHT-TO-LEFT OVERRIDE" in str(given.answer)


@pytest.mark.parametrize("slug", ["a", "7", "tea", "tea-house", "a-b-c-1", "x" * 100, "2026", "0" * 99 + "1"])
def test_what_is_a_slug(slug: str) -> None:
    assert msgspec.convert(slug, Slug) == slug
    check_slug(slug)


@pytest.mark.parametrize(
    "slug",
    ["", "x" * 101, "Tea", "tea_house", "-tea", "tea-", "tea--house", "tea house", "thé", "tea\n", "te.a", "te/a", "茶",
     "-", "\u0661"],
)  # fmt: skip
def test_what_is_no_slug(slug: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(slug, Slug)


@pytest.mark.parametrize("id", [direct_room("default", "a", "b"), "0190aaaa-0000-7000-8000-000000000000"])
def test_a_slug_is_never_an_id_that_the_server_makes(id: str) -> None:
    """Else somebody takes the id of the direct room of two others before they have one."""
    assert msgspec.convert(id, Slug) == id, "the form alone does not refuse it"
    with pytest.raises(Refused, match="no UUID"):
        check_slug(id)


@pytest.mark.parametrize("text", ["x", "x" * 2000, "two\nlines\tand 🍵", "e\u0301" * 1000])
def test_what_is_a_description(text: str) -> None:
    assert msgspec.convert(text, Description) == text


@pytest.mark.parametrize("text", ["", "x" * 2001, "a\x00", "a\x1b[0m", "a\x7f", "a\r\n"])
def test_what_is_no_description(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, Description)


@pytest.mark.parametrize("text", ["x", "x" * 400, "Today: 🍵, then tea", "e\u0301" * 200])
def test_what_is_a_topic_line(text: str) -> None:
    assert msgspec.convert(text, TopicLine) == text


@pytest.mark.parametrize(
    "text",
    ["", "x" * 401, "a\x00", "a\tb", "a\nb", "a\n", "a\r\n", "a\x0bb"],
    ids=ascii,
)
def test_what_is_no_topic_line(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, TopicLine)


@pytest.mark.parametrize(
    "patch",
    [{"notifications": 1}, {"announcements": "no"}, {"posting": "owner"}, {"inviting": "nobody"}, {"more": True}, [],
     "x"],
)  # fmt: skip
def test_what_are_no_settings(patch: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"room": "s", "settings": patch}, ChangeRoom)


def test_change_rooms() -> None:
    change = ChangeRoom(
        room="s", name="X", description="Y", topic_line="Z", data={"a": None, "c": "d"},
        settings=SettingsPatch(announcements=False, inviting="admins"),
    )  # fmt: skip
    room(PUBLIC, "ada").when(change).then(
        RoomRenamed(name="X"), RoomDescribed(description="Y"), RoomTopicLineSet(topic_line="Z"),
        RoomSettingsChanged(settings=SETTINGS | {"announcements": False, "inviting": "admins"}),
        RoomDataChanged(data={"c": "d"}),
    )  # fmt: skip
    many: dict[str, str | None] = {f"k{n}": "x" for n in range(64)}
    room(PUBLIC, "ada").when(ChangeRoom(room="s", data=many)).refused("too_large")
    Given().when(ChangeRoom(room="s", name="X")).refused("not_found")


def test_a_change_to_what_is_already_so_is_none() -> None:
    room(PUBLIC, "ada").when(ChangeRoom(room="s")).then()
    room(PUBLIC, "ada").when(
        ChangeRoom(room="s", name="Room", description=None, topic_line=None, data={"a": "b"})
    ).then()
    room(PUBLIC, "ada").when(ChangeRoom(room="s", settings=SettingsPatch(**SETTINGS))).then()
    for what in (SettingsPatch(), SettingsPatch(**SETTINGS)):
        room(RoomCreated(type="group", visibility="public", name="R", data={}), "ada").when(
            ChangeRoom(room="s", settings=what)
        ).then()
    admins = room(with_settings(PUBLIC, posting="admins"), "ada")
    admins.when(ChangeRoom(room="s", settings=SettingsPatch(posting="admins", notifications=None))).then()


def test_a_description_is_changed_and_taken_away() -> None:
    given = room(PUBLIC, "ada").when(ChangeRoom(room="s", description="Tea")).then(RoomDescribed(description="Tea"))
    given.when(ChangeRoom(room="s", name="Room"), id="2").then()
    given.when(ChangeRoom(room="s", description=None), id="3").then(RoomDescribed(description=None))


def test_a_custom_object_is_merged() -> None:
    def changes(patch: dict[str, Any], id: str) -> Given:
        return given.when(ChangeRoom(room="s", custom=patch), id=id)

    given = room(replace(PUBLIC, custom={"a": {"b": 1, "c": 2}, "d": [1]}), "ada")
    changes({"a": {"b": None, "e": 3}, "d": [2], "f": None}, "1").then(
        RoomCustomChanged(custom={"a": {"c": 2, "e": 3}, "d": [2]})
    )
    changes({"a": {"c": 2, "b": None}, "d": [2]}, "2").then()
    # To Python 2 == 2.0 and 1 == True.
    changes({"a": {"c": 2.0}}, "3").then(RoomCustomChanged(custom={"a": {"c": 2.0, "e": 3}, "d": [2]}))
    changes({}, "4").then()
    changes({"a": None, "d": None}, "5").then(RoomCustomChanged(custom={}))


def test_a_custom_object_has_its_limits() -> None:
    large: dict[str, Any] = {"a": "x" * 5113}
    deep: dict[str, Any] = {"a": {"a": {"a": {"a": {"a": {}}}}}}
    for type in ("public", "direct"):
        Given().when(make(type=type, name="", members=["ada", "bob"], custom=large)).refused("too_large")
        Given().when(make(type=type, name="", members=["ada", "bob"], custom=deep)).refused("invalid")
    room(PUBLIC, "ada").when(ChangeRoom(room="s", custom=large)).refused("too_large")
    room(PUBLIC, "ada").when(ChangeRoom(room="s", custom=deep)).refused("invalid")


def test_a_topic_line_is_set_and_cleared() -> None:
    given = room(PUBLIC, "ada").when(ChangeRoom(room="s", topic_line="Tea")).then(RoomTopicLineSet(topic_line="Tea"))
    given.when(ChangeRoom(room="s", description=None), id="2").then()
    given.when(ChangeRoom(room="s", topic_line="Tea"), id="3").then()
    given.when(ChangeRoom(room="s", topic_line=None), id="4").then(RoomTopicLineSet(topic_line=None))


def test_a_topic_line_shows_something() -> None:
    room(PUBLIC, "ada").when(ChangeRoom(room="s", topic_line=" \u200b")).refused("invalid")
    Given().when(make(topic_line="\u2800")).refused("invalid")


@pytest.mark.parametrize("text", ["a\x85b", "a\u2028b", "a\u2029b", "a\u2028"], ids=ascii)
def test_a_topic_line_is_one_line(text: str) -> None:
    room(PUBLIC, "ada").when(ChangeRoom(room="s", topic_line=text)).refused("invalid")
    Given().when(make(topic_line=text)).refused("invalid")


def test_a_direct_room_has_data_and_custom_only() -> None:
    settings = SettingsPatch(announcements=True)
    for fields in ({"name": "X"}, {"description": "X"}, {"topic_line": "X"}, {"settings": settings}):
        room(DIRECT, "ada", "bob").when(ChangeRoom(room="s", **fields)).refused("invalid")
    as_read: list[dict[str, Any]] = [
        {"name": ""}, {"description": None}, {"topic_line": None}, {"settings": SettingsPatch()},
    ]  # fmt: skip
    for fields in as_read:
        room(DIRECT, "ada", "bob").when(ChangeRoom(room="s", **fields)).then()
    room(DIRECT, "ada", "bob").when(ChangeRoom(room="s", data={"a": "b"})).then(RoomDataChanged(data={"a": "b"}))
    room(DIRECT, "ada", "bob").when(ChangeRoom(room="s", custom={"a": 1})).then(RoomCustomChanged(custom={"a": 1}))


def test_archive_and_unarchive() -> None:
    archived = (RoomArchived(),)
    room(PRIVATE, "ada").when(ArchiveRoom(room="s")).then(RoomArchived())
    room(PRIVATE, "ada", more=archived).when(ArchiveRoom(room="s")).then()
    room(PRIVATE, "ada", more=archived).when(UnarchiveRoom(room="s")).then(RoomUnarchived())
    room(PRIVATE, "ada").when(UnarchiveRoom(room="s")).then()
    for command in (ArchiveRoom(room="s"), UnarchiveRoom(room="s")):
        Given().when(command).refused("not_found")
        room(PUBLIC, "ada", more=(RoomDeleted(),)).when(command).refused("not_found")
    room(PUBLIC, "ada", more=archived).when(ChangeRoom(room="s", name="X")).refused("archived")


def test_delete_and_restore() -> None:
    deleted, archived = (RoomDeleted(),), (RoomArchived(),)
    room(PRIVATE, "ada").when(DeleteRoom(room="s")).then(RoomDeleted())
    room(PRIVATE, "ada", more=archived).when(DeleteRoom(room="s")).then(RoomDeleted())
    room(PRIVATE, "ada", more=deleted).when(DeleteRoom(room="s")).refused("not_found")
    Given().when(DeleteRoom(room="s")).refused("not_found")
    for more in (deleted, archived, archived + deleted):
        room(PRIVATE, "ada", more=more).when(RestoreRoom(room="s"), actor="operator").then(RoomRestored())
    room(PRIVATE, "ada").when(RestoreRoom(room="s"), actor="operator").then()
    Given().when(RestoreRoom(room="s"), actor="operator").refused("not_found")


def test_the_settings_of_a_room_are_all_there() -> None:
    assert msgspec.to_builtins(RoomSettings()) == SETTINGS
