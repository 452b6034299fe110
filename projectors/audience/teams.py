"""Teams: the application's server and operators ask for them; nobody is told."""

from __future__ import annotations

from projectors.audience.core import NOBODY, Audience

AUDIENCES: dict[str, Audience] = {
    "team.created": NOBODY,
    "team.renamed": NOBODY,
    "team.data_changed": NOBODY,
    "team.removed": NOBODY,
}
