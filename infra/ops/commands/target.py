"""Which installation an operator's command acts on: that which runs on a folder, or that of the KLATSCH_* variables.

What was named wins over what was only found: ``--data`` over all, then KLATSCH_KAFKA and KLATSCH_POSTGRES, then the
installation that runs on the data folder where one is looked for. Where two come into question, which is used is said.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from infra.base.settings import Settings, load
from infra.ops.commands.errors import CannotDo
from infra.ops.supervisor.up import settings_of

#: Where an installation's log and tables are.
_STORES = ("kafka", "postgres")
#: What else tells installations apart. Alone they name none: they would mix two.
_MARKS = ("prefix", "schema", "secret", "api")


def installation(data: Path, *, given: bool) -> tuple[Settings, str]:
    """The settings of the installation to act on, and which it is, if two come into question. Raises CannotDo.

    ``given``: the folder is of the command line, and not only where one is looked for.
    """
    settings, notice = choose(settings_of(data), os.environ, data, given=given)
    if settings is None and given:
        raise CannotDo(
            f"expected an installation that runs on {data}, found none; start it with 'klatsch up --data {data}', or "
            "leave --data out to act on that of KLATSCH_KAFKA and KLATSCH_POSTGRES"
        )
    return settings or load(), notice


def choose(
    running: Settings | None, environ: Mapping[str, str], data: Path, *, given: bool
) -> tuple[Settings | None, str]:
    """The settings to use, and what to say of it. ``running``: of what runs on the folder. Pure.

    None: nothing runs there, and the variables do not name both stores. Raises CannotDo for variables that name half
    an installation.
    """
    named = [name for name in (*_STORES, *_MARKS) if environ.get(_variable(name))]
    own = load(environ)
    if running is None:
        return (own if not given and set(_STORES) <= set(named) else None), ""
    other = [name for name in named if getattr(own, name) != getattr(running, name)]
    if not other:
        return running, ""
    words = ", ".join(map(_variable, other))
    if given:
        return (
            running,
            f"acting on the installation on {data}, as --data says; {words} ignored",
        )
    if any(name in _STORES for name in other):
        place = f"topics {own.prefix}.* at {own.kafka}, schema {own.schema}"
        return own, f"acting on the installation of KLATSCH_* ({place}), not on the one that runs on {data}"
    raise CannotDo(
        f"expected one installation, got two: one runs on {data}, and {words} names another. Name that with "
        f"KLATSCH_KAFKA and KLATSCH_POSTGRES too, or the one that runs with --data {data}"
    )


def _variable(name: str) -> str:
    return f"KLATSCH_{name.upper()}"
