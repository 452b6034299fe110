"""The options of ``klatsch connect``."""

from __future__ import annotations

import shlex
from typing import Annotated, Literal

import typer

from infra.operate.command import DEFAULT_DATA, Data, run
from infra.settings import Settings

EXAMPLES = 'Examples: **./klatsch connect kcat > kafka.conf**, **eval "$(./klatsch connect env)"**'

Form = Annotated[
    Literal["kcat", "java", "env"],
    typer.Argument(help="kcat: a file for kcat -F and librdkafka; java: for Kafka's own tools; env: shell variables."),
]


def connect(form: Form, data: Data = DEFAULT_DATA) -> None:
    """Print how other programs get into the Kafka and Postgres of the installation, with their passwords.

    Goes to the installation that runs on the data folder, else to that of the KLATSCH_* variables. Whoever has these
    passwords reads and changes everything: keep the output to yourself.
    """

    async def show(settings: Settings) -> None:
        typer.echo("\n".join(_lines(form, settings)))

    run(data, show)


def _lines(form: str, settings: Settings) -> list[str]:
    # A client library is loaded by none of them.
    from infra import kafka_access

    match form:
        case "kcat":
            return [f"{name}={value}" for name, value in kafka_access.librdkafka_options(settings).items()]
        case "java":
            return [f"{name}={_java(value)}" for name, value in kafka_access.java_options(settings).items()]
        case _:
            kept = ("kafka", "kafka_user", "kafka_password", "kafka_sasl", "kafka_tls", "kafka_ca", "postgres")
            found = {name: str(getattr(settings, name)) for name in kept}
            return [f"export KLATSCH_{name.upper()}={shlex.quote(value)}" for name, value in found.items()]


def _java(value: str) -> str:
    """As a properties file wants it."""
    return value.replace("\\", "\\\\")
