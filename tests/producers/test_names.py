"""Names and texts that people see, walked: whatever field of a command may hold one, no invisible one gets through it.

A field is found by its type: one that takes an invisible text is either free, with a reason, or has a scene here in
which the decision refuses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, NamedTuple, cast

import msgspec
import pytest
from msgspec import inspect

from events.apps import AppCreated
from events.handles import HandleClaimed
from events.teams import TeamCreated
from events.users import UserRegistered
from producers import registry
from producers.apps import ChangeApp, CreateApp, EraseApp, SuspendApp
from producers.channels import CreateChannel
from producers.commands import Command, Outcome, Refused
from producers.deactivation import DeactivateUser
from producers.handles import ClaimHandle
from producers.messages import CONTENT, EditMessage, MessageType, PostMessage
from producers.names import RESERVED, check_slug, check_username
from producers.plans import DefinePlan
from producers.rooms import ChangeRoom, CreateRoom
from producers.sessions import IssueSession, OpenSession
from producers.teams import ChangeTeam, CreateTeam
from producers.users import ChangeProfile, RegisterUser
from tests.events.core.test_visible_text import HIDING, INVISIBLE
from tests.producers.given import Given
from tests.producers.scenes import PUBLIC, posted, room

ADA = UserRegistered(username="ada", name="Ada", role="person", credential=None, data={})
TEXT = "Tea"


class Scene(NamedTuple):
    """Where a field is decided: a name, or any text."""

    kind: str
    given: Callable[[], Given]
    command: Callable[[Any], Command]


def _made(**fields: Any) -> CreateRoom:
    return CreateRoom(**{"room": "s", "type": "public", "name": TEXT, "data": {}, "members": ["ada"], **fields})


def _group() -> Given:
    return room(PUBLIC, "ada", more=(posted("m", 1),))


def _user() -> Given:
    return Given(ADA)


def _app() -> Given:
    return Given(AppCreated(name="Harbour", key=KEY, secret="v"))


def _team() -> Given:
    made = TeamCreated(team="g", external="crew", name="Crew", custom={})
    return Given(AppCreated(name="Harbour", key=KEY, secret="v"), made)


KEY = "kk_" + "a" * 26
EXPIRES = "2026-12-21T08:00:00.000Z"
#: Fields by command and path.
SCENES = {
    "RegisterUser.name": Scene("name", Given, lambda name: RegisterUser(user="s", username="ada", name=name)),
    "ChangeProfile.name": Scene("name", _user, lambda name: ChangeProfile(user="s", name=name)),
    "RegisterUser.bio": Scene("text", Given, lambda text: RegisterUser(user="s", username="ada", name="A", bio=text)),
    "ChangeProfile.bio": Scene("text", _user, lambda text: ChangeProfile(user="s", bio=text)),
    "DeactivateUser.reason": Scene(
        "text", _user, lambda text: DeactivateUser(user="s", reason=text, since=0, close=[])
    ),
    "OpenSession.device": Scene(
        "text", _user, lambda text: OpenSession(user="s", credential=ADA.credential, expires=EXPIRES, device=text)
    ),
    "IssueSession.device": Scene("text", _user, lambda text: IssueSession(user="s", expires=EXPIRES, device=text)),
    "CreateApp.name": Scene("name", Given, lambda name: CreateApp(app="s", name=name, key=KEY, secret="v")),
    "ChangeApp.name": Scene("name", _app, lambda name: ChangeApp(app="s", name=name)),
    "SuspendApp.reason": Scene("text", _app, lambda text: SuspendApp(app="s", reason=text)),
    "EraseApp.reason": Scene("text", _app, lambda text: EraseApp(app="s", confirm="s", reason=text)),
    "DefinePlan.name": Scene("name", Given, lambda name: DefinePlan(plan="s", name=name, tier="pro")),
    "CreateTeam.name": Scene("name", _app, lambda name: CreateTeam(app="s", team="g", external="crew", name=name)),
    "ChangeTeam.name": Scene("name", _team, lambda name: ChangeTeam(app="s", team="g", name=name)),
    "CreateChannel.name": Scene("name", Given, lambda name: CreateChannel(name=name, limit=5)),
    "CreateRoom.name": Scene("name", Given, lambda name: _made(name=name)),
    "CreateRoom.description": Scene("text", Given, lambda text: _made(description=text)),
    "CreateRoom.topic_line": Scene("text", Given, lambda text: _made(topic_line=text)),
    "ChangeRoom.name": Scene("name", _group, lambda name: ChangeRoom(room="s", name=name)),
    "ChangeRoom.description": Scene("text", _group, lambda text: ChangeRoom(room="s", description=text)),
    "ChangeRoom.topic_line": Scene("text", _group, lambda text: ChangeRoom(room="s", topic_line=text)),
}

#: Fields of content by type of message; each is tried in a new message and in an edited one.
CONTENTS = {
    "text.text": ("text", {}), "action.text": ("text", {}), "image.alt": ("text", {"url": "https://example.org/a"}),
    "file.name": ("name", {"url": "https://example.org/a"}),
}  # fmt: skip

#: Ends of paths of what nobody is shown as somebody's name or words, and why.
FREE = {
    "data{}": "a map of the app's own: the app knows what it shows of it",
    "data.*": "any JSON of the app's own",
    "custom.*": "any JSON of the app's own",
    "content.*": "see CONTENTS; what a custom message holds, only the app knows",
    "model_data.*": "any JSON of the app's own",
    "emotion_data.*": "any JSON of the app's own",
    "was.*": "what was there may come back",
    "became.*": "what was there may come back",
    "handle": "made from a username or address that was checked",
    "rows{}": "names of tables",
    "confirm": "compared with a name that was checked, and kept nowhere",
    "external": "an application's own id of somebody, which nobody is shown",
    "email": "an address has a rule of its own",
    "node": "the name of a process, which nobody is shown",
    "email.address": "an address has a rule of its own",
}


def _leaves(type_: inspect.Type, path: str) -> Iterator[tuple[str, inspect.Type]]:
    """The texts in a type, and what may be anything, by path."""
    match type_:
        case inspect.Metadata():
            yield from _leaves(type_.type, path)
        case inspect.StructType():
            for field in type_.fields:
                yield from _leaves(field.type, f"{path}.{field.encode_name}")
        case inspect.UnionType():
            for one in type_.types:
                yield from _leaves(one, path)
        case inspect.ListType():
            yield from _leaves(type_.item_type, path)
        case inspect.DictType():
            if isinstance(type_.value_type, inspect.AnyType):
                yield f"{path}.*", type_.value_type
            else:
                yield from _leaves(type_.key_type, f"{path}{{}}")
                yield from _leaves(type_.value_type, f"{path}{{}}")
        case inspect.StrType() | inspect.AnyType():
            yield path, type_
        case _:
            assert isinstance(type_, inspect.LiteralType | inspect.BoolType | inspect.IntType | inspect.NoneType), type_


def _takes(type_: inspect.Type) -> bool:
    """Whether a type takes any text of which nothing is seen."""
    if not isinstance(type_, inspect.StrType):
        return True
    meta = msgspec.Meta(pattern=type_.pattern, min_length=type_.min_length, max_length=type_.max_length)
    for text in INVISIBLE.values():
        try:
            msgspec.convert(text, Annotated[str, meta])
            return True
        except msgspec.ValidationError:
            continue
    return False


def _open() -> set[str]:
    """The fields of all commands that take such a text."""
    found = (
        (path, one) for row in registry.COMMAND_TYPES for path, one in _leaves(inspect.type_info(row.struct), row.name)
    )
    return {path for path, one in found if _takes(one)}


def _free(path: str) -> bool:
    return path.partition(".")[2] in FREE


def test_every_field_is_held_to_the_rule_or_free_for_a_reason() -> None:
    """A new field that people see needs a line in SCENES; its decision asks ``check_name`` or ``check_text``."""
    assert {path for path in _open() if not _free(path)} == SCENES.keys()
    assert {path.partition(".")[2] for path in _open() if _free(path)} == FREE.keys()
    content = (
        (path, one)
        for type_, struct in CONTENT.items()
        if struct
        for path, one in _leaves(inspect.type_info(struct), type_)
    )
    assert {path for path, one in content if _takes(one)} == CONTENTS.keys()


@pytest.mark.parametrize("path", SCENES)
def test_no_decision_lets_an_invisible_one_in(path: str) -> None:
    scene = SCENES[path]
    bad = INVISIBLE | (HIDING if scene.kind == "name" else {})
    for text in bad.values():
        scene.given().when(scene.command(text)).refused("invalid")
    good = scene.given().when(scene.command(TEXT))
    assert isinstance(good.answer, Outcome) and good.answer.records, "the scene itself is allowed"


@pytest.mark.parametrize("path", CONTENTS)
def test_no_message_is_invisible(path: str) -> None:
    type_, _, field = path.partition(".")
    kind, more = CONTENTS[path]
    before = msgspec.structs.replace(posted("m", 1), type=type_)

    def both(text: str) -> Iterator[Given]:
        content = {**more, **({"name": TEXT} if type_ == "file" else {}), field: text}
        post = PostMessage(room="s", token="t", type=cast(MessageType, type_), content=content)
        yield room(PUBLIC, "ada").when(post)
        yield room(PUBLIC, "ada", more=(before,)).when(EditMessage(room="s", message="m", content=content))

    for text in (INVISIBLE | (HIDING if kind == "name" else {})).values():
        for given in both(text):
            given.refused("invalid")
    for given in both(TEXT):
        assert isinstance(given.answer, Outcome) and given.answer.records


def test_what_was_there_before_the_rule_folds_and_is_written_back() -> None:
    """The log holds names of nothing: their owners keep them until they choose others."""
    old = msgspec.structs.replace(ADA, name="\u3164")
    given = Given(old).when(ChangeProfile(user="s", name="\u3164", data={"a": "b"}), id="1")
    assert isinstance(given.answer, Outcome) and given.answer.changed
    given.when(ChangeProfile(user="s", name="\u200b"), id="2").refused("invalid")
    blank = msgspec.structs.replace(PUBLIC, name="\u3164", description="\u2800")
    room(blank, "ada").when(ChangeRoom(room="s", name="\u3164", description="\u2800")).then()


@pytest.mark.parametrize("username", [*sorted(RESERVED), "System", "ADMIN", "---", "___"])
def test_usernames_that_are_nobodys(username: str) -> None:
    """Also where an import orders it: a person in a log who is called so gets another username."""
    Given().when(RegisterUser(user="s", username=username, name="x")).refused("invalid")


@pytest.mark.parametrize("username", ["irc-ubuntu", "IRC-x", "emotions", "Emotions"])
def test_usernames_that_only_operators_give(username: str) -> None:
    with pytest.raises(Refused, match="reserved"):
        check_username(username)
    check_username(username, by_operator=True)
    check_username("ircle")
    with pytest.raises(Refused, match="imports"):
        check_slug("irc-ubuntu")


def test_a_reserved_name_is_not_claimed() -> None:
    """So nothing stays claimed; who holds one from before the rule keeps it."""
    claim = ClaimHandle(handle="username:system", user="u")
    Given(stream="username:system").when(claim).refused("invalid")
    Given(HandleClaimed(user="u"), stream="username:system").when(claim).then()
    Given().when(ClaimHandle(handle="email:system", user="u")).then(HandleClaimed(user="u"))
