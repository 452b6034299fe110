"""The options of ``klatsch connect``."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from infra.ops.commands.command import DEFAULT_DATA, Data, fail, run

if TYPE_CHECKING:
    from infra.base.settings import Settings

EXAMPLES = 'Examples: **./klatsch connect kcat --to kafka.conf**, **eval "$(./klatsch connect env)"**'

Form = Annotated[
    Literal["kcat", "java", "env"],
    typer.Argument(help="kcat: a file for kcat -F and librdkafka; java: for Kafka's own tools; env: shell variables."),
]
To = Annotated[
    Path | None,
    typer.Option("--to", metavar="FILE", help="Write it to a file that only you can read, instead of printing it."),
]


def connect(form: Form, to: To = None, data: Data = DEFAULT_DATA) -> None:
    """Print how other programs get into the Kafka and Postgres of the installation, with their passwords.

    Whoever has these passwords reads and changes everything: keep the output to yourself.
    """
    from infra.embedded.files import write_private
    from infra.ops.supervisor.up import settings_of

    running = settings_of(data)
    if running is None and "KLATSCH_KAFKA" not in os.environ:
        fail(
            f"expected an installation that runs on {data}, or KLATSCH_KAFKA and KLATSCH_POSTGRES; start one with "
            "'klatsch up'"
        )

    async def show(settings: Settings) -> None:
        # What is named may be another cluster than that which runs here, and not take what ours takes.
        embedded = running is not None and settings.kafka == running.kafka
        text = "\n".join(_lines(form, settings, embedded))
        if to is None:
            typer.echo(text)
        else:
            write_private(to, text + "\n")

    run(data, show)


def _lines(form: str, settings: Settings, embedded: bool) -> list[str]:
    # A client library is loaded by none of them.
    from msgspec.structs import replace

    from infra.base import kafka_access

    if form == "kcat" and embedded and settings.kafka_user:
        settings = replace(settings, kafka_sasl="PLAIN")

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
