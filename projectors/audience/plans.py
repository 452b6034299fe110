"""Plans: operators ask for them; nobody is told."""

from __future__ import annotations

from projectors.audience.core import NOBODY, Audience

AUDIENCES: dict[str, Audience] = {
    "plan.defined": NOBODY,
    "plan.withdrawn": NOBODY,
}
