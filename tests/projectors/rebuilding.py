"""A log with something of everything, and what a rebuild makes of it beside what the projector had made."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from events.apps import AppCreated, AppKeyRolled, AppPlanChosen, AppRenamed, AppSuspended
from events.channels import STREAM, ChannelCreated, ChannelDeleted, ChannelListened, ChannelUserNumbered
from events.core.derived_ids import DEFAULT_APP
from events.members import MemberRead, MemberRoleChanged
from events.messages import MessageDeleted, MessageEdited, MessagePosted
from events.plans import ROWS, PlanWithdrawn
from events.sessions import SessionClosed, SessionOpened
from infra.base.postgres import Connection
from infra.base.settings import Settings
from projectors.rebuild.models import model
from projectors.rebuild.run import rebuild
from tests.given import Fact, Given
from tests.projectors.scenes import created, joined, left, registered

#: Columns that tell when somebody looked, not what the log says.
_OURS = {"parked": "parked_at"}


async def tables(connection: Connection, schema: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of a schema, by table, in order."""
    names = await connection.fetch(
        "select relname from pg_class where relnamespace = to_regnamespace($1) and relkind in ('r', 'p')"
        " and not relispartition order by 1",
        schema,
    )
    found = {}
    for row in names:
        rows = [dict(one) for one in await connection.fetch(f"select * from {schema}.{row['relname']}")]  # noqa: S608
        for one in rows:
            one.pop(_OURS.get(row["relname"], ""), None)
        found[row["relname"]] = sorted(rows, key=repr)
    return found


def _message(number: int) -> str:
    return f"019aa000-0000-7000-8000-{number:012}"


def scene() -> list[Fact]:
    """Something of everything: what is made, changed, taken back, and with signs that tables take for their own."""
    facts = [registered("ada"), registered("bob"), created("r", "ada"), joined("r", "ada"), joined("r", "bob")]
    texts = ["plain", "tab\tand\nline\r", "back\\slash \\N \\.", "quote ' \" ''", "Überraschung 東京 👩‍🚀", "", "{a,b}"]
    for seq, text in enumerate(texts, 1):
        posted = MessagePosted(
            message=_message(seq),
            seq=seq,
            token=f"t\\{seq}",
            type="text",
            content={"text": text},
            data={"n": [1, None]},
        )
        facts.append(Fact("r", posted, "ada"))
    facts += [
        Fact("r", MessageEdited(message=_message(1), content={"text": "other"}, data={}), "ada"),
        Fact("r", MessageDeleted(message=_message(2)), "ada"),
        Fact("r", MemberRead(user="bob", seq=3), "bob"),
        Fact("r", MemberRoleChanged(user="bob", role="admin", message=_message(90), seq=len(texts) + 1), "ada"),
        left("r", "bob"), joined("r", "bob"),
        Fact("ada", SessionOpened(session="s1", expires="2030-01-01T00:00:00.000Z"), "ada"),
        Fact("ada", SessionClosed(session="s1"), "ada"),
    ]  # fmt: skip
    return facts + _channels() + _apps()


def _apps() -> list[Fact]:
    """The default application, one with two keys, and the plan that it has; a name with signs of arrays."""
    rolled = AppKeyRolled(key="kk_b", secret="v2", old_until="2030-01-01T00:00:00.000Z", dropped=[])
    return [
        Fact(DEFAULT_APP, AppRenamed(name='{"Demo"}'), "operator"),
        Fact("a1", AppCreated(name="Harbour", key="kk_a", secret="v1"), "operator"),
        Fact("a1", rolled, "operator"),
        Fact("a1", AppSuspended(reason=None), "operator"),
        Fact("p1", ROWS[0].sample, "operator"),
        Fact("a1", AppPlanChosen(plan="p1"), "operator"),
        Fact("p1", PlanWithdrawn(), "operator"),
    ]


def _channels() -> list[Fact]:
    """Live channels, one of them deleted, numbers, and where somebody listens."""
    listened = ChannelListened(channel=2, server="relay", number=1, was=None)
    return [
        Fact(STREAM, ChannelCreated(channel=1, name="Raid", limit=25, owner="ada"), "ada"),
        Fact(STREAM, ChannelCreated(channel=2, name="Tea", limit=1, owner="bob"), "bob"),
        Fact(STREAM, ChannelUserNumbered(user="ada", number=1), "ada"),
        Fact(STREAM, ChannelUserNumbered(user="bob", number=2), "bob"),
        Fact(STREAM, ChannelDeleted(channel=1, owner="ada"), "operator"),
        Fact("ada", listened, "ada"),
        Fact("ada", replace(listened, server="other", was="relay"), "ada"),
    ]


async def rebuilt(writer: Given, settings: Settings, name: str = "all", jobs: int = 1, **how: Any) -> None:
    """Rebuilds, and compares with what the projector had made."""
    before = await tables(writer.connection, settings.schema)
    await rebuild(settings, model(name), jobs=jobs, **how)
    assert await tables(writer.connection, settings.schema) == before
    assert sum(map(len, before.values())) > 0


async def schemas(writer: Given, settings: Settings) -> set[str]:
    rows = await writer.connection.fetch(
        "select nspname from pg_namespace where starts_with(nspname, $1)", settings.schema
    )
    return {row["nspname"].removeprefix(settings.schema) for row in rows}
