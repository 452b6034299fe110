"""Decisions about visual characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from events.core.faults import found, pointer, wrong
from events.core.free_json import same
from events.core.records import Event, Key, State
from events.users import UserVisualChosen, user_key
from events.visuals import Visual, VisualChanged, VisualCreated, visual_key
from producers.commands import CommandEnvelope, CommandType, Refused
from producers.limits import EMOTION_BYTES, MODEL_BYTES, Id, Object, bounded
from producers.revertible import Revertible, RevertOfUser
from producers.streams import UserCommand
from producers.users import present

#: What a character shows, by emotion. ``_check`` looks at the kinds of the values, and says which of them is wrong.
EmotionData = Annotated[
    Object, Meta(extra_json_schema={"additionalProperties": {"anyOf": [{"type": "boolean"}, {"type": "object"}]}})
]


class CreateVisual(UserCommand, frozen=True, kw_only=True):
    """Make a visual character, owned by ``user``, and link it if ``choose`` says so."""

    model_data: Object
    emotion_data: EmotionData = {}
    choose: bool = False


class ChangeVisual(UserCommand, frozen=True, kw_only=True):
    visual: Id
    model_data: Object | None = None
    emotion_data: EmotionData | None = None


def _created(envelope: CommandEnvelope[CreateVisual]) -> Sequence[Key]:
    return (user_key(envelope.command.user), visual_key(envelope.id))


def _changed(envelope: CommandEnvelope[ChangeVisual]) -> Sequence[Key]:
    return (user_key(envelope.command.user), visual_key(envelope.command.visual))


def _check(model_data: Object | None, emotion_data: Object | None) -> None:
    bounded("model_data", model_data, MODEL_BYTES)
    bounded("emotion_data", emotion_data, EMOTION_BYTES)
    for emotion, setting in (emotion_data or {}).items():
        if not isinstance(setting, bool | dict):
            at = pointer(("emotion_data", emotion))
            raise Refused("invalid", errors=[wrong(at, "true, false or an object of settings", found(setting))])


def create(envelope: CommandEnvelope[CreateVisual], state: State) -> list[Event]:
    command = envelope.command
    present(state, command.user)
    _check(command.model_data, command.emotion_data)
    events: list[Event] = [
        VisualCreated(visual=envelope.id, model_data=command.model_data, emotion_data=command.emotion_data)
    ]
    if command.choose:
        events.append(UserVisualChosen(visual=envelope.id))
    return events


def change(envelope: CommandEnvelope[ChangeVisual], state: State) -> list[Event]:
    command = envelope.command
    visual = state[visual_key(command.visual)]
    if not isinstance(visual, Visual) or visual.owner != command.user:
        raise Refused("not_found", f"expected a visual of yours, found none with id {command.visual}")
    _check(command.model_data, command.emotion_data)
    model = None if same(command.model_data, visual.model_data) else command.model_data
    emotion = None if same(command.emotion_data, visual.emotion_data) else command.emotion_data
    if model is None and emotion is None:
        return []
    return [VisualChanged(visual=command.visual, model_data=model, emotion_data=emotion)]


def _revert(command: RevertOfUser, state: State) -> list[Event]:
    visual = state[visual_key(command.id)]
    if not isinstance(visual, Visual) or visual.owner != command.user:
        raise Refused("not_found", f"expected a visual of the user, found none with id {command.id}")
    return [VisualChanged(visual=visual.id, **command.was)]


REVERTIBLE = Revertible(
    "visual",
    frozenset({"model_data", "emotion_data"}),
    lambda c: (visual_key(c.id),),
    _revert,
)


COMMANDS = (
    CommandType(CreateVisual, "users", lambda c: c.user, _created, create),
    CommandType(ChangeVisual, "users", lambda c: c.user, _changed, change),
)
