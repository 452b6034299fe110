"""What emotions messages show, as services find out: people see those that the author's visual can show."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from api.core.calls import Asked, Call
from api.core.operation import Operation, Request
from api.support.problems import Problem
from events.core.derived_ids import DEFAULT_APP
from events.messages import MessageEmotionDetected
from events.visuals import Visual
from infra.base.postgres import queries
from producers.commands import Outcome, Refused
from producers.limits import Id, Token
from producers.messages import Emotion, SetEmotion

#: Emotions of one request.
EMOTIONS = 100
#: The operation on one message.
_ONE = "messages.set_emotion"


class DetectEmotionRequest(Request, frozen=True, kw_only=True):
    room: Id
    message: Id
    #: What the text shows.
    emotion: Emotion


class Detected(DetectEmotionRequest, frozen=True, kw_only=True):
    """What emotion one message shows, and the key under which it is set."""

    #: As an ``Idempotency-Key``: the same one again changes nothing.
    key: Token


class DetectEmotionsRequest(Request, frozen=True, kw_only=True):
    #: Each with its message; at most 100.
    emotions: Annotated[list[Detected], msgspec.Meta(max_length=EMOTIONS)]


async def set_emotion(call: Call, request: DetectEmotionRequest) -> dict[str, Any]:
    outcome = await _set(call, request, (await _shown(call, [request]))[0])
    # Not the message: the service may be in none of its rooms.
    return {"message": request.message, "shown": _was_shown(outcome)}


async def set_emotions(call: Call, request: DetectEmotionsRequest) -> dict[str, Any]:
    found = await _shown(call, request.emotions)
    pairs = zip(request.emotions, found, strict=True)
    return {"results": await asyncio.gather(*(_one(call, detected, shown) for detected, shown in pairs))}


async def _one(call: Call, detected: Detected, shown: bool | None) -> dict[str, Any]:
    try:
        outcome = await _set(call, detected, shown, detected.key)
    except (Problem, Refused) as refusal:
        return {"message": detected.message, "result": "refused", "code": refusal.code, "detail": refusal.detail}
    return {"message": detected.message, "result": "set", "shown": _was_shown(outcome)}


async def _shown(call: Call, wanted: Sequence[DetectEmotionRequest]) -> list[bool | None]:
    """Whether the authors' visuals can show it; None for a message that is not there."""
    ids = [one.message for one in wanted]
    rows = await call.rows(
        queries("visuals")["of_authors"], ids, [one.room for one in wanted], min(ids, default=""), max(ids, default="")
    )
    visuals = {(row["id"], row["room"]): row["emotion_data"] or {} for row in rows}
    found = [(visuals.get((one.message, one.room)), one.emotion) for one in wanted]
    return [None if visual is None else Visual.supports(visual, emotion) for visual, emotion in found]


async def _set(call: Call, wanted: DetectEmotionRequest, shown: bool | None, key: str | None = None) -> Outcome:
    # A service of the default application is the installation's: it looks at messages of all of them.
    everywhere = call.app == DEFAULT_APP
    missing = None
    if shown is None:
        missing = Problem("not_found", f"expected a message of the room, found none with id {wanted.message}")
    command = SetEmotion(room=wanted.room, message=wanted.message, emotion=wanted.emotion, shown=bool(shown))
    if key is None:
        return await call.submit(command, unless=missing, shows=(), everywhere=everywhere)
    # One of many is the same request as one by itself.
    asked = Asked(_ONE, DetectEmotionRequest(room=wanted.room, message=wanted.message, emotion=wanted.emotion))
    return await call.submit(command, unless=missing, shows=(), key=key, asked=asked, everywhere=everywhere)


def _was_shown(outcome: Outcome) -> bool:
    """Whether the author's visual could show it when it was set; where nothing happened, it is shown already."""
    found = [record.data.shown for record in outcome.records if isinstance(record.data, MessageEmotionDetected)]
    return all(found)


OPERATIONS = [
    Operation(_ONE, "PUT", "/v1/rooms/{room}/messages/{message}/emotion", "service", DetectEmotionRequest,
              set_emotion, "Set the emotion that a message shows", {"message": "string", "shown": "boolean"},
              scope="emotions:write"),
    Operation("messages.set_emotions", "POST", "/v1/emotions", "service", DetectEmotionsRequest, set_emotions,
              "Set the emotions that some messages show, each decided separately", {"results": "[EmotionResult]"},
              scope="emotions:write"),
]  # fmt: skip
