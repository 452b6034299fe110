"""Visual characters: everybody sees all of them."""

from __future__ import annotations

from events.visuals import Visual
from projectors.views.core import Component, View


def visual_view(visual: Visual) -> View:
    """A visual character; anyone may see and link it."""
    return {
        "id": visual.id,
        "owner": visual.owner,
        "model_data": visual.model_data,
        "emotion_data": visual.emotion_data,
        "created": visual.created,
        "updated": visual.updated,
        "version": visual.version,
    }


VIEWS = {"Visual": Component(visual_view, Visual)}
