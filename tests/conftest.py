"""Fixtures that every test may use: a running Kafka and Postgres, and an installation of the test's own in them."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as options

from infra.base import kafka, postgres
from infra.base.settings import Settings
from infra.embedded.ports import free_port
from tests import fast
from tests.fast import pytest_addoption, pytest_configure, pytest_runtest_protocol
from tests.parts import Parts, delete_topics, running_parts

__all__ = ["pytest_addoption", "pytest_configure", "pytest_runtest_protocol"]

# gRPC's handlers of fork() crash the child that is to become Postgres, which is started as another user: what ends here
# with a signal 11 ends before its program begins. Read by gRPC when it is first used; no test forks and goes on.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

# On a busy machine an example may take as long as it likes: time says nothing about what is tested.
options.register_profile("klatsch", deadline=None, suppress_health_check=[HealthCheck.too_slow])
options.load_profile("klatsch")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of several processes (``-n``) one takes a whole folder: its servers live on this event loop, and a long test of
    another folder that blocks it would be an outage to them."""
    fast.leave_out(config, items)
    for item in items:
        folders = item.nodeid.partition("::")[0].split("/")[1:-1]
        item.add_marker(pytest.mark.xdist_group(folders[0] if folders else "tests"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Without the group in its name a test is dealt out alone."""
    if getattr(session.config.option, "loadgroup", False):
        alone = [item.nodeid for item in session.items if "@" not in item.nodeid.rpartition("]")[2]]
        assert not alone, f"expected xdist to keep the tests of a folder together, got {alone[0]} alone"


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """Addresses of a running Kafka and Postgres, shared by all tests of the run."""
    with running_parts(tmp_path_factory.mktemp("parts")) as found:
        yield found


@pytest.fixture
async def settings(parts: Parts) -> AsyncIterator[Settings]:
    """An installation of this test's own: topics and schema are made before it and removed after."""
    name = f"t{secrets.token_hex(5)}"
    settings = Settings(
        kafka=parts.kafka,
        postgres=parts.postgres,
        prefix=name,
        schema=name,
        partitions=2,
        feed_partitions=2,
        secret=secrets.token_hex(32),
        port=free_port(),
    )
    await asyncio.gather(kafka.ensure_topics(settings), postgres.install(settings))
    yield settings
    await delete_topics(parts.kafka, name)
    await _drop_schemas(parts.postgres, name)


async def _drop_schemas(dsn: str, name: str) -> None:
    """Drops the schema and those whose names begin with it, as a rebuild makes them."""
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetch("select nspname from pg_namespace where starts_with(nspname, $1)", name)
        for row in found:
            await connection.execute(f'drop schema "{row["nspname"]}" cascade')
    finally:
        await connection.close()
