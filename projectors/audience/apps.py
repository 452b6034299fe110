"""Applications: operators ask for them; nobody is told."""

from __future__ import annotations

from projectors.audience.core import NOBODY, Audience

AUDIENCES: dict[str, Audience] = {
    "app.created": NOBODY,
    "app.renamed": NOBODY,
    "app.settings_changed": NOBODY,
    "app.key_rolled": NOBODY,
    "app.suspended": NOBODY,
    "app.resumed": NOBODY,
    "app.tokens_revoked": NOBODY,
    "app.erased": NOBODY,
    "app.erasure_completed": NOBODY,
    "app.plan_chosen": NOBODY,
}
