"""Applications in the read models: the row, who has an API key, and the past. Tests ``events/apps.py`` and
``schemas/sql/apps.sql``."""

from __future__ import annotations

from events.apps import App, AppCreated, AppKeyRolled, AppRenamed, app_key, default_app
from events.core.derived_ids import DEFAULT_APP
from events.core.positions import Position
from infra.base.postgres import queries
from infra.base.rows import from_row
from infra.base.settings import Settings
from projectors.as_of.entities import entities
from projectors.as_of.rooms import Kept
from tests.given import Fact, given


async def test_an_application_is_found_by_each_of_its_keys(settings: Settings) -> None:
    rolled = AppKeyRolled(key="kk_b", secret="v2", old_until="2030-01-01T00:00:00.000Z", dropped=[])
    facts = [Fact("a1", AppCreated(name="Harbour", key="kk_a", secret="v1")), Fact("a1", rolled)]
    async with given(settings, *facts, Fact(DEFAULT_APP, AppRenamed(name="Demo"))) as writer:
        await writer.then({})
        await writer.connection.execute("insert into credentials (id, sealed) values ('v2', 'sealed')")
        for key, sealed in (("kk_a", None), ("kk_b", "sealed")):
            row = await writer.connection.fetchrow(queries("apps")["by_key"], key)
            assert row is not None and row["sealed"] == sealed
            app = from_row(App, row)
            assert app.id == "a1" and list(app.keys) == ["kk_a", "kk_b"]
        assert await writer.connection.fetchrow(queries("apps")["by_key"], "kk_c") is None
        # Before the roll it had one key; the default one had its first name before it had an event.
        shard = writer.shard("apps", "a1")
        before = await entities(writer.connection, "a1", [app_key("a1")], Position(*shard, app.version - 1), Kept())
        then = before[app_key("a1")]
        assert isinstance(then, App) and list(then.keys) == ["kk_a"]
        row = await writer.connection.fetchrow(queries("apps")["by_id"], DEFAULT_APP)
        assert row is not None
        demo = from_row(App, row)
        assert (demo.name, demo.settings, demo.created) == ("Demo", default_app().settings, None)
