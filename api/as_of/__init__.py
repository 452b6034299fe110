"""``as_of``: what reads answer of a past moment, one file for those that share their fold. The registry puts each
function into its operation's row; a read that has no past says so in its row itself."""

from __future__ import annotations

from api.as_of import apps, messages, people, pins, plans, rooms, teams
from api.core.operation import AnswerAsOf

#: By operation.
AS_OF: dict[str, AnswerAsOf] = {
    **apps.AS_OF,
    **messages.AS_OF,
    **people.AS_OF,
    **pins.AS_OF,
    **plans.AS_OF,
    **rooms.AS_OF,
    **teams.AS_OF,
}
