"""A new Postgres gets back what the vault's topic holds: password hashes, of before too, and sealed secrets. Tests
``projectors/read_models/credential_copy.py`` and ``api/support/credential_store.py``."""

from __future__ import annotations

import secrets

import pytest

from api.support.credential_store import CredentialStore
from api.support.problems import Problem
from api.support.sealing import SealBroken
from infra.base import kafka, postgres
from infra.base.disk_watch import DiskWatch
from infra.base.settings import Settings
from producers.commands import Unavailable
from projectors.read_models.credential_copy import CredentialCopy
from tests.running import running, until


async def test_a_new_postgres_gets_all_of_it_back(settings: Settings) -> None:
    pool = await postgres.pool(settings, size=2)
    store = CredentialStore(settings, pool, DiskWatch(settings))
    await store.start()
    old = kafka.producer(settings)
    await kafka.start(old)
    secret = secrets.token_bytes(32)
    try:
        # As it stands in the topic of an older installation.
        await old.send_and_wait(settings.topic("secrets"), key=b"old", value=b'{"hash":"first"}')
        hash = await store.put("second")
        async with store.keeping_sealed(secret, "a1") as sealed:
            pass
        gone = await store.put("third")
        await store.remove(gone)
        async with pool.acquire() as connection:
            await connection.execute("delete from credentials")
            assert await store.secret(sealed, "a1") is None
            await connection.execute("insert into credentials (id, hash) values ($1, 'third')", gone)

            async def back() -> bool:
                rows = await connection.fetch("select id, hash from credentials")
                return {row["id"]: row["hash"] for row in rows} == {"old": "first", hash: "second", sealed: None}

            async with running(CredentialCopy(settings)):
                await until(back, "the vault is not as its topic")
        assert await store.secret(sealed, "a1") == secret
        with pytest.raises(SealBroken, match=f"secret {sealed} of application a2: expected it to be sealed"):
            await store.secret(sealed, "a2")
    finally:
        await kafka.close(old)
        await store.stop()
        await pool.close()


async def test_a_secret_of_what_did_not_happen_is_forgotten(settings: Settings) -> None:
    pool = await postgres.pool(settings, size=2)
    store = CredentialStore(settings, pool, DiskWatch(settings))
    await store.start()
    try:
        for error, kept in ((Problem("taken", "x"), False), (Unavailable("unknown", "x"), True)):
            with pytest.raises(type(error)):
                async with store.keeping_sealed(b"s", "a1") as id:
                    raise error
            assert (await store.secret(id, "a1") == b"s") is kept
    finally:
        await store.stop()
        await pool.close()
