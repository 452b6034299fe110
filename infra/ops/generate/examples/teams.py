"""Examples of teams, as an application's own server makes one and puts somebody into it."""

from __future__ import annotations

from typing import Any

from infra.ops.generate.examples.story import BARBARA, TEAM, Example, View, at, own_barbara

#: What only a user and the application's server see of a profile.
_OWN = ("email", "seen", "updated", "added_by", "external")


def _team(**changes: Any) -> View:
    """The crew of a ship."""
    return {
        "id": TEAM, "app": "default", "external": "crew", "name": "Crew", "custom": {"pier": 4}, "created": at(42),
        "updated": at(42), "version": 12, **changes,
    }  # fmt: skip


_LATER = _team(name="Crew of the Beagle", custom={"pier": 5}, updated=at(43), version=14)
_INSIDE = {name: value for name, value in own_barbara(team=TEAM, version=9).items() if name not in _OWN}

EXAMPLES: dict[str, tuple[Example, ...]] = {
    "teams.create": (
        Example("server", {"external_id": "crew", "name": "Crew", "custom": {"pier": 4}}, {"team": _team()}),
    ),
    "teams.get": (Example("server", {"team": TEAM}, {"team": _team()}),),
    "teams.change": (
        Example("server", {"team": TEAM, "name": "Crew of the Beagle", "custom": {"pier": 5}}, {"team": _LATER}),
    ),
    "teams.list": (Example("server", {}, {"teams": [_LATER], "next": None}),),
    "users.set_team": (Example("server", {"user": BARBARA, "team": TEAM}, {"user": _INSIDE}),),
    "teams.remove": (Example("server", {"team": TEAM}, None),),
}
