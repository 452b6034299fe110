"""Contracts and reference that are made from the code: what is written, and what is refused."""

from __future__ import annotations

import sys

from api.registry import all_operations
from infra.ops.generate import asyncapi, clients, contracts, grpc_code, openapi
from infra.ops.generate.asyncapi import text as asyncapi_text
from infra.ops.generate.files import ROOT, Files, committed, stale, tree, write
from infra.ops.generate.openapi import text as openapi_text
from infra.ops.generate.reference import pages
from push.protocol import messages

GOLDEN, EVENTS = "schemas/golden", "schemas/events"


def texts() -> Files:
    """All generated files that follow the code, with their text, and golden records that are not frozen yet."""
    goldens, _ = contracts.goldens(frozen())
    return {
        **contracts.schemas(),
        **goldens,
        "schemas/asyncapi.json": asyncapi_text(),
        "schemas/openapi.json": openapi_text(),
        "schemas/push.proto": messages.text(),
        **clients.texts(openapi.document(all_operations()), asyncapi.document(), openapi.rpc_only()),
        **grpc_code.texts(),
        **pages(),
    }


def frozen() -> Files:
    """The golden records that nobody may change any more: those of the last commit; without git all that are there."""
    before = committed(GOLDEN)
    return tree(GOLDEN) if before is None else dict(before)


def refusals(files: Files) -> list[str]:
    """Why this code must not follow the committed one: what readers of the log would lose."""
    present = {**tree(GOLDEN), **{path: text for path, text in files.items() if path.startswith(GOLDEN)}}
    _, errors = contracts.goldens(frozen())
    errors += [
        f"{path}: was changed or removed, but golden records stay; restore it from the last commit"
        for path, text in frozen().items()
        if present.get(path) != text
    ]
    errors += contracts.readable({**present, **frozen()})
    schemas = {**tree(EVENTS), **{path: text for path, text in files.items() if path.startswith(EVENTS)}}
    return errors + contracts.history(committed(EVENTS) or {}, schemas)


def main(check: bool) -> int:
    """Writes the generated files, or with ``check`` only compares them. Returns the exit code.

    Refuses, and writes nothing, when a change would break a reader of the past.
    """
    files = texts()
    errors = refusals(files)
    if errors:
        sys.stderr.write("".join(f"{line}\n" for line in errors))
        return 1
    if not check:
        for path in write(files):
            sys.stdout.write(f"wrote {path}\n")
        return 0
    old = stale(files)
    sys.stderr.write("".join(f"{path}: is stale\n" for path in old))
    if old:
        sys.stderr.write("Write them with: ./klatsch schemas\n")
    return 1 if old else 0


__all__ = ["ROOT", "main", "refusals", "texts"]
