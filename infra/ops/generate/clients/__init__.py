"""The contract for the clients: one file a language, made from ``openapi.json`` and ``asyncapi.json``."""

from __future__ import annotations

from typing import Any

from infra.ops.generate.clients import javascript, python, typescript
from infra.ops.generate.clients.contract import read
from infra.ops.generate.files import Files

TYPESCRIPT = "clients/typescript/src/contract.ts"
PYTHON = "clients/python/klatsch_client/contract.py"
JAVASCRIPT = "api/web/klatsch/contract.js"


def texts(openapi: dict[str, Any], asyncapi: dict[str, Any], rpc_only: list[dict[str, Any]]) -> Files:
    """The generated files of the clients. ``rpc_only``: operations as OpenAPI has them which are not in it."""
    contract = read(openapi, asyncapi, rpc_only)
    return {
        TYPESCRIPT: typescript.text(contract),
        PYTHON: python.text(contract),
        JAVASCRIPT: javascript.text(contract),
    }
