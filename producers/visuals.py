"""Decisions about visual characters."""

from __future__ import annotations

from collections.abc import Sequence

from events.free import same
from events.records import Event, Key, State
from events.users import UserVisualChosen, user_key
from events.visuals import Visual, VisualChanged, VisualCreated, visual_key
from producers.commands import Command, CommandType, Order, Refused
from producers.limits import EMOTION_BYTES, MODEL_BYTES, Id, Object, bounded
from producers.users import present


class CreateVisual(Command, frozen=True, kw_only=True):
    """Make a visual character, owned by ``user``, and link it if ``choose`` says so."""

    user: Id
    model_data: Object
    emotion_data: Object = {}
    choose: bool = False


class ChangeVisual(Command, frozen=True, kw_only=True):
    user: Id
    visual: Id
    model_data: Object | None = None
    emotion_data: Object | None = None


def _created(order: Order) -> Sequence[Key]:
    return (user_key(order.command.user), visual_key(order.id))


def _changed(order: Order) -> Sequence[Key]:
    return (user_key(order.command.user), visual_key(order.command.visual))


def _check(model_data: Object | None, emotion_data: Object | None) -> None:
    bounded("model_data", model_data, MODEL_BYTES)
    bounded("emotion_data", emotion_data, EMOTION_BYTES)
    for emotion, setting in (emotion_data or {}).items():
        if not isinstance(setting, bool | dict):
            raise Refused("invalid", f"emotion_data.{emotion[:40]}: expected true, false or an object of settings")


def create(order: Order, state: State) -> list[Event]:
    command: CreateVisual = order.command
    present(state, command.user)
    _check(command.model_data, command.emotion_data)
    events: list[Event] = [
        VisualCreated(visual=order.id, model_data=command.model_data, emotion_data=command.emotion_data)
    ]
    if command.choose:
        events.append(UserVisualChosen(visual=order.id))
    return events


def change(order: Order, state: State) -> list[Event]:
    command: ChangeVisual = order.command
    visual = state[visual_key(command.visual)]
    if not isinstance(visual, Visual) or visual.owner != command.user:
        raise Refused("not_found", f"expected a visual of yours, found none with id {command.visual}")
    _check(command.model_data, command.emotion_data)
    model = None if same(command.model_data, visual.model_data) else command.model_data
    emotion = None if same(command.emotion_data, visual.emotion_data) else command.emotion_data
    if model is None and emotion is None:
        return []
    return [VisualChanged(visual=command.visual, model_data=model, emotion_data=emotion)]


COMMANDS = (
    CommandType(CreateVisual, "users", lambda c: c.user, _created, create),
    CommandType(ChangeVisual, "users", lambda c: c.user, _changed, change),
)
