"""Visual characters: a model and the emotions that it can show. Part of the owner's stream (topic ``users``)."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec.structs import replace

from events.core.clock import Time
from events.core.records import Changes, Entity, Event, EventType, Key, Record, State
from events.core.revert_rules import NotRevertible, RevertRule


class Visual(Entity, frozen=True, kw_only=True):
    """A visual character (S0 visual). Anyone may link it; only its owner changes it."""

    kind: ClassVar = "visual"
    key_fields: ClassVar = ("id",)

    id: str
    #: Id of the application in which it is.
    app: str
    owner: str
    model_data: dict[str, Any]
    #: Emotion name -> supported or not, or its settings: ``{"joy": true, "anger": false, "fear": {"eyes": "wide"}}``.
    emotion_data: dict[str, Any]
    created: Time
    updated: Time
    version: int

    @staticmethod
    def supports(emotion_data: dict[str, Any], emotion: str) -> bool:
        """Whether a character with this emotion data can show the emotion."""
        return emotion_data.get(emotion, False) not in (False, None)


def visual_key(visual: str) -> Key:
    return ("visual", visual)


class VisualCreated(Event, frozen=True, kw_only=True):
    visual: str
    model_data: dict[str, Any]
    emotion_data: dict[str, Any]


class VisualChanged(Event, frozen=True, kw_only=True):
    visual: str
    #: The whole new value; None: unchanged.
    model_data: dict[str, Any] | None = None
    emotion_data: dict[str, Any] | None = None


def keys(record: Record[VisualCreated | VisualChanged]) -> tuple[Key, ...]:
    return (visual_key(record.data.visual),)


def as_created(record: Record[VisualCreated]) -> Visual:
    """The visual as it was first made."""
    event = record.data
    return Visual(
        id=event.visual, app=record.app, owner=record.stream, model_data=event.model_data,
        emotion_data=event.emotion_data, created=record.time, updated=record.time, version=record.offset,
    )  # fmt: skip


def created(record: Record[VisualCreated], state: State) -> Changes:
    visual = as_created(record)
    return {visual.key: visual}


def changed(record: Record[VisualChanged], state: State) -> Changes:
    event = record.data
    visual = state[visual_key(event.visual)]
    if not isinstance(visual, Visual):
        return {}
    return {
        visual.key: replace(
            visual,
            model_data=visual.model_data if event.model_data is None else event.model_data,
            emotion_data=visual.emotion_data if event.emotion_data is None else event.emotion_data,
            updated=record.time,
            version=record.offset,
        )
    }


_SAMPLE = "019aa000-0000-7000-8000-000000000002"

ROWS = (
    EventType(
        name="visual.created", struct=VisualCreated, topics=("users",), keys=keys, fold=created,
        about="A visual character was made.",
        sample=VisualCreated(visual=_SAMPLE, model_data={"shape": "fox"}, emotion_data={"joy": True}),
        revert=NotRevertible("nobody sees a visual that nobody links"),
    ),
    EventType(
        name="visual.changed", struct=VisualChanged, topics=("users",), keys=keys, fold=changed,
        about="A visual character's model or emotions changed.",
        sample=VisualChanged(visual=_SAMPLE, emotion_data={"joy": True, "anger": {"brow": "low"}}),
        revert=RevertRule("visual", ("model_data", "emotion_data"), "visual"),
    ),
)  # fmt: skip
