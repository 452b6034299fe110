"""What a reader of an application sees in Postgres: its rows and no others, before and after a rebuild. Tests
``infra/base/readers.py``, ``infra/ops/commands/readers.py`` and the policies of ``schemas/sql/schema_live.sql``."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

import asyncpg
import msgspec
import pytest

from events.handles import handle_parts
from infra.base import postgres, readers
from infra.base.progress import pages_channel
from infra.base.settings import Settings
from infra.ops.commands import readers as command
from projectors.rebuild.models import model
from projectors.rebuild.run import rebuild
from tests.api.applications import App, everything, made, person
from tests.api.conftest import minted
from tests.client import World, visiting
from tests.infra.ops.operating import Heard
from tests.parts import Parts
from tests.running import until
from tests.servers import installation, serving

#: What says where in the vault something is.
POINTING = {
    "user.registered", "user.password_changed", "app.created", "app.key_rolled",
    "user.profile_changed", "user.email_changed", "user.email_abandoned", "app.suspended", "app.erased",
}  # fmt: skip


class Stage(NamedTuple):
    """An installation with two applications that have everything, and a reader of each and of the default one."""

    settings: Settings
    world: World
    owner: asyncpg.Connection
    #: By application, how its reader connects.
    dsns: dict[str, str]


async def reader(settings: Settings, app: str) -> str:
    """Makes a reader; its DSN."""
    heard = Heard()
    name = f"{settings.schema}_{app[-8:]}"
    await command.create(settings, name, app, json=True, sql=False, say=heard.append, warn=heard.append)
    answer = msgspec.json.decode(heard[0])
    assert answer["reader"] == name and answer["app"] == app and answer["password"] in answer["dsn"]
    return str(answer["dsn"])


async def registering(world: World, operator: str, app: App) -> None:
    """Lets people register themselves with the application, and one do so: who logs in has a session."""
    await world.call("apps.change", {"app": app.id, "settings": {"registration": True}}, token=operator)
    given = {"username": f"ada-{secrets.token_hex(4)}", "password": "correct horse"}

    async def open_() -> bool:
        body, headers = msgspec.json.encode(given), {"Klatsch-Api-Key": app.key}
        answer = await world.request("POST", "/v1/users", body=body, headers=headers)
        if answer.status == 201:
            world.seen(answer.headers["Klatsch-Position"])
        return answer.status == 201

    await until(open_, "anybody may register")


@pytest.fixture(scope="module")
async def stage(parts: Parts) -> AsyncIterator[Stage]:
    async with installation(parts) as settings, serving(settings) as url, visiting(url) as world:
        operator = minted(settings)
        apps = [await made(world, operator), await made(world, operator)]
        for app in apps:
            await everything(*[await person(world, app, name, "http") for name in ("ada", "bob", "eve")])
            await registering(world, operator, app)
            await world.call("teams.create", {"external_id": "crew", "name": "Crew"}, token=app.server)
        people = [await world.person(name) for name in ("ada", "bob", "eve")]
        for one in people:
            await one.do("users.change", added_by="everyone")
        await everything(*people)
        await people[0].do("channels.create", name="Raid", limit=4)
        await world.call("teams.create", {"external_id": "crew", "name": "Crew", "app": "default"}, token=operator)
        # The read models have all of it once they answer this.
        await people[0].snapshot()
        owner = await postgres.connect(settings)
        try:
            dsns = {app: await reader(settings, app) for app in (apps[0].id, apps[1].id, "default")}
            yield Stage(settings, world, owner, dsns)
        finally:
            await forgotten(owner, settings)
            await owner.close()


async def forgotten(owner: asyncpg.Connection, settings: Settings) -> None:
    """Roles are the whole server's, and stay when the schemas go."""
    for row in await owner.fetch("select rolname from pg_roles where starts_with(rolname, $1)", f"{settings.schema}_"):
        await owner.execute(f'drop owned by "{row["rolname"]}"')
        await owner.execute(f'drop role "{row["rolname"]}"')


async def tables(owner: asyncpg.Connection, settings: Settings) -> list[str]:
    """The tables of the live schema, without partitions."""
    rows = await owner.fetch(
        "select relname from pg_class where relnamespace = to_regnamespace($1) and relkind in ('r', 'p', 'v', 'm')"
        " and not relispartition order by relname",
        settings.schema,
    )
    return [row["relname"] for row in rows]


async def apps_of(owner: asyncpg.Connection) -> Callable[[str, Any], str | None]:
    """Tells of a row of a table which application it is of; None: of none that a reader may know."""
    users: dict[str, str] = {row["id"]: row["app"] for row in await owner.fetch("select id, app from users")}
    rooms: dict[str, str] = {row["id"]: row["app"] for row in await owner.fetch("select id, app from rooms")}
    messages = {
        row["id"]: row["room"] for row in await owner.fetch("select id, room from messages where deleted is null")
    }

    def told(table: str, row: Any) -> str | None:
        match table:
            case "users" | "visuals" | "rooms" | "teams":
                return str(row["app"])
            case "apps":
                return str(row["id"])
            case "sessions" | "relationships":
                return users[row["user"]]
            case "handles":
                return handle_parts(row["id"]).app
            case "messages" if row["deleted"] is not None:
                return None
            case "members" | "stays" | "invitations" | "messages" | "spans" | "pins":
                return rooms[row["room"]]
            case "revisions" if row["message"] not in messages:
                return None
            case "revisions":
                return rooms[messages[row["message"]]]
            case "channels" | "channel_users" | "listenings":
                return "default"
            case "changes":
                # The event says it; what its stream is about says the same.
                root = {"users": users, "rooms": rooms}.get(row["topic"], {}).get(row["stream"])
                app = handle_parts(row["stream"]).app if row["topic"] == "handles" else root
                app = row["stream"] if row["topic"] == "apps" else app
                assert app in (None, row["app"]), row
                return None if row["type"] in POINTING else str(row["app"])
            case _:
                return None

    return told


async def walked(stage: Stage, app: str) -> dict[str, int]:
    """Compares what a reader sees of each table with the owner's rows of the application; how many there are."""
    told, found = await apps_of(stage.owner), {}
    connection = await asyncpg.connect(stage.dsns[app])
    await postgres.prepare(connection)
    try:
        for table in await tables(stage.owner, stage.settings):
            names = await stage.owner.fetch(
                "select attname from pg_attribute where attrelid = $1::regclass and attnum > 0", table
            )
            shown = [row["attname"] for row in names if row["attname"] not in readers.WITHHELD.get(table, ())]
            if table in readers.CLOSED:
                await refused(connection, f"select from {table}")
                continue
            columns = ", ".join(f'"{name}"' for name in shown)
            asked = f"select {columns} from {table}"  # noqa: S608 - names of the catalogue
            right = [
                tuple(row[name] for name in shown)
                for row in await stage.owner.fetch(f"select * from {table}")  # noqa: S608 - a name of the catalogue
                if told(table, row) == app
            ]
            seen = [tuple(row) for row in await connection.fetch(asked)]
            assert sorted(map(repr, seen)) == sorted(map(repr, right)), table
            found[table] = len(seen)
            for name in readers.WITHHELD.get(table, ()):
                await refused(connection, f'select "{name}" from {table}')  # noqa: S608
    finally:
        await connection.close()
    return found


async def refused(connection: asyncpg.Connection, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)


async def test_a_reader_sees_the_rows_of_its_application(stage: Stage) -> None:
    counts = [await walked(stage, app) for app in stage.dsns]
    empty = {table for found in counts[:2] for table, count in found.items() if not count}
    assert empty == {"channels", "channel_users", "listenings"}, "a table without rows shows nothing of its policy"
    assert {table for table, count in counts[2].items() if not count} <= {"apps", "listenings"}


@pytest.mark.parametrize("name", ["users", "rooms", "changes", "all"])
async def test_and_the_same_after_a_rebuild(stage: Stage, name: str) -> None:
    before = [await walked(stage, app) for app in stage.dsns]
    await rebuild(stage.settings, model(name), jobs=1)
    assert [await walked(stage, app) for app in stage.dsns] == before


async def test_a_reader_is_nobody_else_and_changes_nothing(stage: Stage) -> None:
    one, other, _ = stage.dsns
    schema = stage.settings.schema
    connection = await asyncpg.connect(stage.dsns[one])
    try:
        names = [
            await stage.owner.fetchval("select current_user::text"),
            readers.group(stage.settings),
            await stage.owner.fetchval("select role from readers where app = $1", other),
        ]
        for name in names:
            await refused(connection, f'set role "{name}"')
            await refused(connection, f'set session authorization "{name}"')
        for statement in (
            "insert into pins select * from pins", "update rooms set name = ''", "delete from messages",
            "truncate messages", f'create table "{schema}".mine (id text)', "create policy p on rooms using (true)",
            "alter table rooms disable row level security", f'update "{schema}_ops".readers set app = \'default\'',  # noqa: S608
            "set row_security = off; select from rooms", "create temporary table mine (id text)",
            # What others here would wait for, whoever holds it; and what is no row.
            "select pg_advisory_lock(1)", "select pg_try_advisory_lock_shared(1, 2)", "select lo_create(0)",
            "select pg_advisory_xact_lock(1)", "select pg_try_advisory_xact_lock(1)", "select lo_from_bytea(0, 'x')",
        ):  # fmt: skip
            await refused(connection, statement)
        # Clients ask this whenever they give a connection back.
        await connection.execute("select pg_advisory_unlock_all()")
        for table in ("installation", "credentials", "skipped", "feed_checkpoints", "channel_servers"):
            await refused(connection, f'select from "{schema}_ops".{table}')
        # A partition has no policy of its own, and is asked through the whole only.
        parts = await stage.owner.fetch(
            "select c.oid::regclass::text as name from pg_class c where c.relispartition and c.relkind = 'r'"
            " and c.relnamespace = to_regnamespace($1)",
            schema,
        )
        assert parts
        for row in parts:
            await refused(connection, f"select from {row['name']}")
        assert [row["app"] for row in await connection.fetch(f'select app from "{schema}_ops".readers')] == [one]  # noqa: S608
    finally:
        await connection.close()


async def test_notifications_are_told_to_nobody_else(stage: Stage) -> None:
    connection = await asyncpg.connect(next(iter(stage.dsns.values())))
    heard: list[str] = []
    try:
        await connection.add_listener(pages_channel(stage.settings), lambda *about: heard.append(about[3]))
        ada = await stage.world.person("ada")
        await ada.say(await ada.group())
        await ada.snapshot()
        await connection.execute("select 1")
        assert heard == []
    finally:
        await connection.close()


async def _many(
    connection: asyncpg.Connection, table: str, id: str, where: str, more: dict[str, str], count: int
) -> str:
    """SQL that adds ``count`` rows like one that is there, with other ids and in the application $1."""
    rows = await connection.fetch(
        "select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 and attgenerated = ''", table
    )
    values = {row["attname"]: f'o."{row["attname"]}"' for row in rows} | {"id": id} | more
    if table == "rooms":
        values["app"] = "$1::text"
    names = ", ".join(f'"{name}"' for name in values)
    one = f"select * from {table} where {where} limit 1"  # noqa: S608 - names of the catalogue
    made = ", ".join(values.values())
    return f"insert into {table} ({names}) select {made} from ({one}) o, generate_series(1, {count}) n"  # noqa: S608


async def test_one_room_of_many_is_read_by_its_index(stage: Stage) -> None:
    """Rows as the fold would make them, without the events: plans need many."""
    schema, app = stage.settings.schema, next(iter(stage.dsns))
    scratch = await asyncpg.connect(stage.settings.postgres)
    try:
        transaction = scratch.transaction()
        await transaction.start()
        await scratch.execute(f'set local search_path to "{schema}", "{schema}_ops"')
        await scratch.execute(await _many(scratch, "rooms", "'many' || n", "true", {}, 3000), app)
        said = {"room": "'many' || (n % 3000 + 1)", "seq": "n / 3000"}
        await scratch.execute(await _many(scratch, "messages", "'many' || n", "$1 <> ''", said, 30_000), app)
        await scratch.execute("analyze rooms; analyze messages")
        role = await scratch.fetchval("select role from readers where app = $1", app)
        await scratch.execute(f'set local role "{role}"')
        asked = "select * from messages where room = 'many7' order by seq desc limit 50"
        assert len(await scratch.fetch(asked)) == 10
        plan = "\n".join(row[0] for row in await scratch.fetch(f"explain {asked}"))
        # They all stand in the partition of ids that are no UUIDv7.
        assert "Seq Scan on messages_9999" not in plan and "room = 'many7'" in plan, plan
        [line] = [line for line in plan.splitlines() if "messages_9999_99_room_seq_idx" in line]
        assert "Index Scan" in line, plan
        await transaction.rollback()
    finally:
        await scratch.close()


async def test_who_is_dropped_sees_nothing(stage: Stage) -> None:
    app = next(iter(stage.dsns))
    heard = Heard()
    name = f"{stage.settings.schema}_leaving"
    await command.create(stage.settings, name, app, json=True, sql=False, say=heard.append, warn=heard.append)
    with pytest.raises(readers.ReaderError, match="expected a name that no role of Postgres has"):
        await command.create(stage.settings, name, app, json=True, sql=False, say=heard.append, warn=heard.append)
    connection = await asyncpg.connect(msgspec.json.decode(heard[0])["dsn"])
    try:
        assert await connection.fetchval("select count(*) from rooms") > 0
        await command.drop(stage.settings, name, say=heard.append)
        # Its sessions have ended, or do so now.
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            await connection.fetchval("select count(*) from rooms")
    finally:
        await connection.close()
    with pytest.raises(readers.ReaderError, match="expected a reader, found none called"):
        await command.drop(stage.settings, name, say=heard.append)
    with pytest.raises(readers.ReaderError, match="expected a reader, found none called"):
        await command.drop(stage.settings, await stage.owner.fetchval("select current_user::text"), say=heard.append)


async def test_what_a_reader_made_and_holds_keeps_nobody_from_dropping_it(stage: Stage) -> None:
    heard, name = Heard(), f"{stage.settings.schema}_holding"
    await command.create(
        stage.settings, name, next(iter(stage.dsns)), json=True, sql=False, say=heard.append, warn=heard.append
    )
    # As if it had come by them before they were taken from all.
    await stage.owner.execute(f'grant execute on function lo_create(oid), pg_try_advisory_lock(bigint) to "{name}"')
    connection = await asyncpg.connect(msgspec.json.decode(heard[0])["dsn"])
    key = postgres.lock_key(f"{stage.settings.schema}/operate")
    large = await connection.fetchval("select lo_create(0)")
    assert await connection.fetchval("select pg_try_advisory_lock($1)", key)
    await command.drop(stage.settings, name, say=heard.append)
    assert heard[-1] == f"{name} is gone."
    assert not await stage.owner.fetchval("select exists (select from pg_largeobject_metadata where oid = $1)", large)

    async def free() -> bool:
        return bool(await stage.owner.fetchval("select pg_try_advisory_lock($1)", key))

    await until(free, "its lock is free")
    await stage.owner.execute("select pg_advisory_unlock_all()")
    await connection.close()


async def test_where_roles_may_not_be_made_somebody_else_is_told_the_sql(stage: Stage) -> None:
    app, schema = next(iter(stage.dsns)), stage.settings.schema
    heard = Heard()
    await command.create(
        stage.settings, f"{schema}_other", app, json=False, sql=True, say=heard.append, warn=heard.append
    )
    dsn = heard[-1].rpartition(" ")[2]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(dsn)
    await stage.owner.execute(heard.text)
    connection = await asyncpg.connect(dsn)
    try:
        assert {row["app"] for row in await connection.fetch("select app from rooms")} == {app}
    finally:
        await connection.close()
    heard.clear()
    await command.listing(stage.settings, json=True, say=heard.append)
    assert f"{schema}_other" in {one["reader"] for one in msgspec.json.decode(heard[0])["readers"]}


async def test_without_an_installation_nothing_is_made(stage: Stage) -> None:
    nowhere = msgspec.structs.replace(stage.settings, schema=f"{stage.settings.schema}_nowhere")
    with pytest.raises(readers.ReaderError, match=r"expected an installation in schema .*_nowhere, found none"):
        await command.create(nowhere, "ada", "default", json=False, sql=False, say=Heard().append, warn=Heard().append)
    with pytest.raises(readers.ReaderError, match="found none"):
        await command.listing(nowhere, json=False, say=Heard().append)


async def test_a_role_without_the_right_is_told_so(stage: Stage) -> None:
    role = f"{stage.settings.schema}_plain"
    schemas = ", ".join(f'"{stage.settings.schema}{end}"' for end in ("", "_ops"))
    await stage.owner.execute(f"create role \"{role}\" login password 'plain'")
    await stage.owner.execute(f'grant usage on schema {schemas} to "{role}"')
    await stage.owner.execute(f'grant all on all tables in schema {schemas} to "{role}"')
    await stage.owner.execute(f'alter role "{role}" bypassrls')
    # A role that is made after the first reader is given what that has taken from all.
    await stage.owner.execute(f'grant execute on function pg_advisory_xact_lock(bigint) to "{role}"')
    theirs = msgspec.structs.replace(stage.settings, postgres=readers.address(stage.settings.postgres, role, "plain"))
    with pytest.raises(readers.ReaderError, match=f"expected that Postgres lets {role} make and take away roles"):
        await command.create(
            theirs, f"{role}_2", "default", json=False, sql=False, say=Heard().append, warn=Heard().append
        )
    with pytest.raises(readers.ReaderError, match="expected the id or name of an application, found none"):
        await command.create(
            theirs, f"{role}_2", "nowhere", json=False, sql=False, say=Heard().append, warn=Heard().append
        )
