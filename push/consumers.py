"""Ending a Kafka consumer, which is not as simple as ``await consumer.stop()``."""

from __future__ import annotations

import asyncio
import logging

from aiokafka import AIOKafkaConsumer

_log = logging.getLogger("klatsch.push")
_SECONDS = 5.0


async def stop(consumer: AIOKafkaConsumer | None) -> None:
    """Stop a consumer within 5 s, whatever state it is in. Raises nothing but the caller's own cancellation.

    With aiokafka 0.14 ``stop`` raises CancelledError, and leaves its connections open, while a question to a broker is
    under way that does not answer: it cancels its own tasks and awaits them. In the caller's task that would look like
    a cancellation from outside, so it runs in one of its own.
    """
    if consumer is None:
        return
    for work in (consumer.stop(), consumer._client.close()):
        task = asyncio.ensure_future(work)
        await asyncio.wait({task}, timeout=_SECONDS)
        if not task.done():
            task.cancel()
            _log.warning("a Kafka consumer did not stop within %.0f s", _SECONDS)
        elif not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("a Kafka consumer did not stop in order: %r", error)
