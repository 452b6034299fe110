"""The contract as the demo has it, without types: what a fold need not say by hand."""

from __future__ import annotations

import json
from typing import Any

from infra.ops.generate.clients import naming
from infra.ops.generate.clients.contract import Contract

_HEAD = "// Made from schemas/asyncapi.json by `./klatsch schemas`: change that, not this file.\n"


def text(contract: Contract) -> str:
    """The module's text."""
    return _HEAD + tables(contract)


def tables(contract: Contract, changes_type: str = "", gone_type: str = "") -> str:
    """ROOM_CHANGES and GONE, where the contract says them; in TypeScript with their types."""
    found = ""
    if contract.room_changes:
        rows = "".join(f"  {json.dumps(name)},\n" for name in contract.room_changes)
        found += f"\n/** {naming.CHANGES_ABOUT} */\nexport const ROOM_CHANGES{changes_type} = [\n{rows}];\n"
    if contract.gone:
        rows = "".join(f"  {name}: {_value(value)},\n" for name, value in contract.gone.items())
        found += f"\n/** {naming.GONE_ABOUT} */\nexport const GONE{gone_type} = {{\n{rows}}};\n"
    return found


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name}: {_value(one)}" for name, one in value.items()) + " }" if value else "{}"
    return json.dumps(value, ensure_ascii=False)
