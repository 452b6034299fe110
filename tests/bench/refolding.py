"""Rebuilding and verifying a whole installation, measured: on the clock, and by the CPU of ours and of Postgres."""

from __future__ import annotations

import resource
import time
from collections.abc import Awaitable, Callable, Mapping

from infra.base.postgres import connected
from infra.base.settings import Settings
from projectors.rebuild.building import cores
from projectors.rebuild.fresh import LONG
from projectors.rebuild.models import model
from projectors.rebuild.run import rebuild
from projectors.verify.run import verify
from tests.bench.accounting import Cost
from tests.bench.scenarios import Options
from tests.bench.sheet import Sheet
from tests.bench.system import Wrong
from tests.bench.systems.own import Own

#: One thing that is measured.
Work = Callable[[], Awaitable[object]]


class Differs(Wrong):
    """The read models are not what the log says; the text says which rows."""


async def refold(own: Own, sheet: Sheet, options: Options, parts: Mapping[str, Work] | None = None) -> None:
    """Measures an installation that has rows, without processes that write: ``parts``, then rebuild and verify."""
    settings, many = own.settings, cores()
    events = (await rebuild(settings, model("all"), jobs=1)).log.events
    works: dict[str, Work] = {
        **(parts or {}),
        "rebuild": lambda: rebuild(settings, model("all"), jobs=1),
        "verify": lambda: _verified(settings, 1),
    }
    if many > 1 and not options.quick:
        works |= {
            f"rebuild, {many} processes": lambda: rebuild(settings, model("all"), jobs=many),
            f"verify, {many} processes": lambda: _verified(settings, many),
        }
    await _rounds(own, sheet, options, works, events)


async def _rounds(own: Own, sheet: Sheet, options: Options, works: Mapping[str, Work], events: int) -> None:
    """All works, one after the other, as often as there are repetitions."""
    for _ in range(options.repeat):
        for title, work in works.items():
            options.say(f"{title}, {events:,} events")
            await _vacuumed(own.settings)
            with Cost(own) as cost:
                began, python = time.perf_counter(), _cpu()
                await work()
                wall, python = time.perf_counter() - began, _cpu() - python
            sheet.add(f"{title}: events", "1/s", events / wall, "higher")
            if (postgres := cost.cpu.get("postgres")) is not None:
                sheet.add(f"{title}: events a core", "1/s", events / (python + postgres), "higher")
                sheet.add(f"{title}: CPU of Postgres, 1,000 events", "s", 1000 * postgres / events)
            sheet.add(f"{title}: CPU of ours, 1,000 events", "s", 1000 * python / events)


async def _vacuumed(settings: Settings) -> None:
    """Does what autovacuum would soon do about the rows that the last work has made, in the middle of the next one."""
    async with connected(settings) as connection:
        sql = "select relname from pg_class where relnamespace = to_regnamespace($1) and relkind = 'r'"
        for row in await connection.fetch(sql, f'"{settings.schema}"'):
            await connection.execute(f'vacuum "{settings.schema}"."{row["relname"]}"', timeout=LONG)


def _cpu() -> float:
    """CPU seconds of this process and of the workers that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


async def _verified(settings: Settings, jobs: int) -> None:
    found = await verify(settings, model("all"), jobs=jobs)
    if not found.equal:
        raise Differs(f"expected read models that equal the log, got {found.differences[:3]}")
