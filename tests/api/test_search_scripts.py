"""The table of scripts through the API: stored by the projector, found by Postgres and on the text.
Tests ``api/search.py`` and ``events/core/text.py``."""

from __future__ import annotations

from tests.client import Person
from tests.events.scripts import ROWS


async def test_the_table_of_scripts(ada: Person) -> None:
    room = await ada.group(settings={"announcements": False})
    ids = {said: (await ada.say(room, said))["id"] for said in dict.fromkeys(row.said for row in ROWS)}
    wrong = []
    for row in ROWS:
        answer = await ada.do("messages.search", text=row.asked, room=room, limit=200)
        assert answer["next"] is None
        places = {one["message"]["id"]: one["highlights"] for one in answer["found"]}
        if (ids[row.said] in places) != row.found:
            wrong.append(row)
        assert all(0 <= start < end <= len(row.said) for start, end in places.get(ids[row.said], ()))
    assert not wrong
